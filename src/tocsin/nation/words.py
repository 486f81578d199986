"""Names that nobody bears: providers, people, brands, and sites under `.example` (RFC 2606)."""

import random

_PLACES = (
    "Wexmoor", "Tarnholt", "Ashgill", "Brindlow", "Corvesey", "Dunmarsh", "Eskerby", "Fenwhistle", "Garrowby",
    "Hollinfirth", "Inkleton", "Jarrowmere", "Kestrelby", "Larkhaven", "Mossington", "Netherquay",
    "Oakthwaite", "Pellworth", "Quillbeck", "Rushcombe", "Saltersey", "Thornfleet", "Umberley", "Vennford",
)  # fmt: skip
_TRADES = (
    "Fibre", "Broadband", "Hosting", "Net", "Telecom", "Online", "Wireless", "Connect", "Cloud", "Mobile",
    "Digital", "Servers", "Cable", "Link", "Exchange", "Data", "Rural", "City",
)  # fmt: skip
_GIVEN = (
    "Aisha", "Bronwen", "Callum", "Dilys", "Ewan", "Farah", "Gareth", "Hannah", "Imran", "Joyce", "Kwame",
    "Leila", "Morag", "Nadia", "Owain", "Priya", "Quentin", "Rhona", "Samir", "Tamsin", "Usha", "Victor",
)  # fmt: skip
_FAMILY = (
    "Adeyemi", "Barrow", "Chowdhury", "Dunmore", "Ellery", "Fairweather", "Gough", "Hussain", "Ingram",
    "Jarvis", "Kaur", "Lomax", "Mbeki", "Nunn", "Okafor", "Prowse", "Rahman", "Stubbs", "Trewin", "Vale",
    "Whitlock",
)  # fmt: skip
BRANDS = (
    "Northbank", "Parcelway", "Taxline", "Streamly", "Tideway", "Mutualpenny", "Vaultmail", "Homelet",
    "Greenline", "Cartwise",
)  # fmt: skip
_LURES = ("secure", "account", "verify", "refund", "parcel", "login", "update", "billing", "support", "alert")
ACCOUNTS = (
    "admin", "test", "oracle", "ubuntu", "git", "postgres", "support", "pi", "ftpuser", "deploy", "user",
    "guest", "mysql", "jenkins", "hadoop", "nagios", "es", "minecraft", "www", "backup",
)  # fmt: skip


def providers(dice: random.Random, count: int) -> list[str]:
    """So many different names of companies."""
    names = [f"{place} {trade}" for place in _PLACES for trade in _TRADES]
    return dice.sample(names, count)


def key_of(name: str) -> str:
    """A name as it stands in paths and domains."""
    return name.lower().replace(" ", "-")


def person(dice: random.Random) -> str:
    """Somebody's name."""
    return f"{dice.choice(_GIVEN)} {dice.choice(_FAMILY)}"


def site(dice: random.Random, brand: str) -> str:
    """The host of a site that pretends to be a brand's."""
    bare = brand.lower()
    first, second = dice.sample(_LURES, 2)
    return f"{first}-{bare}.{second}{dice.randrange(10, 1000)}.example"


def lair(dice: random.Random) -> str:
    """The host of a site that hands out malware."""
    letters = "".join(dice.choice("bcdfghklmnprstvz") + dice.choice("aeiou") for _ in range(4))
    return f"{dice.choice(('cdn', 'dl', 'files', 'get'))}.{letters}{dice.randrange(10, 100)}.example"
