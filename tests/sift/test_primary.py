"""The list in memory, the settings and Knot's configuration: what needs no daemon."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.sift.listing import ORIGIN, URL, Listing

from tocsin.kernel.problems import BadInput, NotGenuine, Unreachable
from tocsin.proof import signing
from tocsin.proof.lists import sign_statement
from tocsin.sift import blockstore, calling, knot_conf, primary, primary_settings
from tocsin.sift.knot import Knot, KnotAway, OutOfStep
from tocsin.sift.primary_garden import page
from tocsin.sift.primary_list import Fresh, NameList
from tocsin.sift.primary_setup import KINDS, setup
from tocsin.wire.lists import changes, read_changes

PHISH, C2 = "fraud/phishing", "malicious-code/c2-server"
SETTINGS = 'exchange = "{url}"\nfolder = "{folder}"\nlisten = ["127.0.0.1:5399"]\n'


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Listing:
    """An exchange that lists two names."""
    made = Listing(names=("bad.top", "login.bank.top"))
    made.kinds = dict.fromkeys(("bad.top", "login.bank.top", "shop.top"), PHISH)
    monkeypatch.setattr(calling, "client", made.client)
    monkeypatch.setattr(calling, "PAUSES", ())
    monkeypatch.setenv("TOCSIN_EDGE_HOME", str(tmp_path / "edge"))
    return made


class Street:
    """A list that follows an exchange, and can be opened anew as after a kill."""

    def __init__(self, listing: Listing) -> None:
        self.listing, self.said = listing, list[str]()
        self.open()

    def open(self) -> None:
        """As a new process does."""
        self.store = blockstore.BlockStore(URL)
        self.list = NameList(self.store, "tocsin.rpz", self.said.append)

    def follow(self) -> object:
        """Look at the exchange once."""
        with self.listing.client(URL, "key") as client:
            return self.list.follow(client, ORIGIN, signing.public_key(self.listing.private))

    def change(self, *names: str) -> None:
        """The exchange lists these now."""
        self.listing.change(*names)


@pytest.fixture
def street(listing: Listing) -> Street:
    """One that has fetched the list."""
    made = Street(listing)
    made.follow()
    return made


def test_only_what_changed_is_fetched_and_a_new_process_knows_it(street: Street) -> None:
    """Whole once; then 304, or the change alone; what a killed process had kept is there again."""
    assert set(street.list.names) == {"bad.top", "login.bank.top"}
    assert street.follow() is None
    street.change("login.bank.top", "shop.top")
    found = street.follow()
    assert (found.gone, found.come) == (["bad.top"], ["shop.top"])  # type: ignore[attr-defined]
    assert street.listing.sent == ["whole", "changes"]
    street.open()
    assert set(street.list.names) == {"login.bank.top", "shop.top"}
    assert street.list.number == street.listing.number
    assert street.follow() is None
    assert set(street.store.listed("name")) == {"bad.top", "login.bank.top", "shop.top"}, "for the tally"


def test_an_exchange_that_tells_no_changes_gives_the_whole_list(street: Street) -> None:
    """An older one, or one that was started anew."""
    street.listing.tells_changes = False
    street.change("shop.top")
    assert street.follow().gone is None  # type: ignore[attr-defined]
    assert set(street.list.names) == {"shop.top"}


def test_changes_are_believed_by_their_signature_alone(street: Street) -> None:
    """Other bytes, another date, an older number, no list at all: refused, and nothing of it is kept."""
    before = set(street.list.names)
    street.change("shop.top")
    spoils = (
        lambda statement, body: (statement, body + b"+more.top\n"),
        lambda statement, body: (replace(statement, since="2026-01-01T00:00:00Z"), body),
        lambda statement, body: (replace(statement, number=0), body),
    )
    for spoil in spoils:
        street.listing.spoil = spoil
        with pytest.raises(NotGenuine):
            street.follow()
        street.open()
        assert set(street.list.names) == before
    street.listing.spoil = None
    street.follow()
    assert set(street.list.names) == {"shop.top"}


def test_an_older_list_than_one_known_by_its_changes_is_refused(street: Street) -> None:
    """Also when the whole list comes."""
    street.change("shop.top")
    street.follow()
    street.listing.number, street.listing.tells_changes = 1, False
    with pytest.raises(NotGenuine, match="older than"):
        street.follow()


def test_what_cannot_stand_in_a_zone_is_left_out_and_told(street: Street) -> None:
    """No name of the exchange's can break the zone or the update that carries it."""
    long = ".".join(["x" * 60] * 4)
    street.change("bad.top", "a b.top", "x.top;send", f"{long}.top", "good.top")
    street.follow()
    assert set(street.list.names) == {"bad.top", "good.top"}
    assert len(street.said) == 3


def test_a_list_that_does_not_add_up_is_fetched_whole(street: Street) -> None:
    """The number of values is signed, too; what cannot stand in a zone is counted with them."""
    street.change("bad.top", "a b.top")
    street.follow()
    street.change("bad.top", "shop.top", "a b.top")
    street.follow()
    assert street.listing.sent == ["whole", "changes", "changes"]
    private = street.listing.private
    street.listing.spoil = lambda said, body: (
        (sign_statement(private, replace(said, count=9)), body) if said.since else (said, body)
    )
    street.change("late.top")
    assert street.follow() == Fresh(street.listing.number, None, None)
    assert set(street.list.names) == {"late.top"}
    assert "does not add up to 9" in street.said[-1]


kinds = st.sampled_from(["fraud/phishing", "malicious-code/c2-server", "other/other"])
names = st.lists(st.sampled_from(["a.top", "b.top", "-", "+", "+a.top", "x" * 63 + ".top"]), max_size=8)


@given(names, st.lists(st.tuples(st.sampled_from(["a.top", "b.top", "+", "-", "a b"]), kinds), max_size=8))
def test_changes_are_read_as_they_are_written(gone: list[str], come: list[tuple[str, str]]) -> None:
    """Whatever stands in them, with their classes and for older readers without."""
    assert read_changes("".join(changes(gone, come, classes=True))) == (gone, come)
    without = [(name, "") for name, _ in come]
    assert read_changes("".join(changes(gone, come, classes=False))) == (gone, without)


def test_lines_that_are_no_changes_are_refused() -> None:
    """Neither sign, and nothing behind it."""
    for text in ("bad.top\n", "+\n", "-a.top\n\n"):
        with pytest.raises(ValueError, match="neither"):
            read_changes(text)


def told(tmp_path: Path, more: str = "", url: str = URL) -> primary_settings.Settings:
    """Settings of a file."""
    path = tmp_path / "dns.toml"
    path.write_text(SETTINGS.format(url=url, folder=tmp_path / "knot") + more)
    return primary_settings.load(path)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('action = "garden"', "garden must name a host"),
        ('garden = "help.example"', "action is nxdomain"),
        ('action = "drop"', "there is no action 'drop' for names; known: nxdomain, garden, log, nothing"),
        ('zone = "Tocsin RPZ"', "not a name in lower case"),
        ("every = 0", "more than 0"),
        ('[[secondary]]\naddress = "ns1.example"', "not an address: ns1.example"),
        ('[[secondary]]\naddress = "192.0.2.1:99999"', "no such port"),
        ("colour = 1", "unknown field `colour`"),
    ],
)
def test_wrong_settings_are_told(tmp_path: Path, more: str, said: str) -> None:
    """What is wrong, before anything starts."""
    with pytest.raises(BadInput) as caught:
        told(tmp_path, more)
    assert said in caught.value.detail


def test_the_example_is_in_order(tmp_path: Path) -> None:
    """As it is printed."""
    path = tmp_path / "dns.toml"
    path.write_text(primary_settings.EXAMPLE)
    settings = primary_settings.load(path)
    assert [one.tsig for one in settings.secondary] == [True, False]
    assert settings.policy.name("fraud/phishing").words == "nxdomain, by the default"


def test_keys_are_made_once_and_read_by_nobody_else(tmp_path: Path) -> None:
    """Mode 0600 for all that holds one; the resolvers' key is not the one that changes the zone."""
    settings = told(tmp_path)
    assert knot_conf.written(settings)
    assert not knot_conf.written(settings), "nothing has changed"
    for name in ("keys.conf", "transfer.key", "update.key"):
        assert stat.S_IMODE((settings.home / name).stat().st_mode) == 0o600
    update = knot_conf.update_key(settings.home).read_text().strip().rpartition(":")[2]
    transfer = knot_conf.transfer_secret(settings.home)
    assert transfer != update
    for kind in KINDS:
        text = setup(kind, settings)
        assert update not in text
        assert (transfer in text) is (kind in ("bind", "powerdns", "knot"))


def test_the_gardens_page_escapes_what_it_is_told() -> None:
    """And holds no script."""
    text = page('Ferry & <script>"', "help@ferry.example", URL)
    assert "<script" not in text
    assert "Ferry &amp; &lt;script&gt;" in text
    assert f'href="{URL}/blocked"' in text


class Paper(Knot):
    """Knot's zone on paper: what a Knot would hold, and whether it is away."""

    def prepare(self) -> None:
        """Nothing is written."""
        self.zone: dict[str, str] = {}
        self.held, self.away, self.loads, self.changes = "new", False, 0, 0

    def mark(self) -> str:
        """What it holds."""
        if self.away:
            raise KnotAway
        return self.held

    def load(self, groups, mark: str) -> None:  # type: ignore[no-untyped-def]
        """The zone anew."""
        self.mark()
        self.zone = {name: target for _, target, of in groups for name in of}
        self.held, self.loads = mark, self.loads + 1
        self.known = mark

    def write(self, groups, mark: str) -> None:  # type: ignore[no-untyped-def]
        """The file."""
        self.file = ({name for _, _, of in groups for name in of}, mark)

    def change(self, gone, come, mark: str) -> None:  # type: ignore[no-untyped-def]
        """Names out and in."""
        if self.mark() != self.known:
            raise OutOfStep
        for name in gone:
            self.zone.pop(name, None)
        self.zone.update(come)
        self.held = self.known = mark
        self.changes += 1


@pytest.fixture(autouse=True)
def paper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Knot is on paper."""
    monkeypatch.setattr(primary, "Knot", Paper)


@pytest.fixture
def desk(listing: Listing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> primary.Primary:
    """The loop, with Knot on paper."""
    monkeypatch.setattr(primary, "LOOK_AFTER", 0.0)
    store = blockstore.BlockStore(URL)
    return primary.Primary(told(tmp_path), "key", store, lambda _: None, lambda _: None)


def zone_of(desk: primary.Primary) -> set[str]:
    """What Knot holds."""
    return set(desk.knot.zone)  # type: ignore[attr-defined]


def test_one_name_more_is_one_change_and_no_load(desk: primary.Primary, listing: Listing) -> None:
    """Loaded once, changed from then on; a Knot that lost or changed its zone is loaded anew."""
    desk.turn()
    listing.change("bad.top", "shop.top")
    desk.turn()
    paper = desk.knot
    assert isinstance(paper, Paper)
    assert (zone_of(desk), paper.loads, paper.changes) == ({"bad.top", "shop.top"}, 1, 1)
    paper.zone, paper.held = {}, "new"
    desk.turn()
    assert (zone_of(desk), paper.loads) == ({"bad.top", "shop.top"}, 2)
    paper.held = "list-1.somebody"
    listing.change("bad.top")
    desk.turn()
    assert (zone_of(desk), paper.loads) == ({"bad.top"}, 3)


def test_the_zone_file_follows_when_nothing_changes(
    desk: primary.Primary, listing: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with each change, but soon after the last one, or when it was too long ago; and at the end."""
    paper = desk.knot
    assert isinstance(paper, Paper)
    monkeypatch.setattr(primary, "LOOK_AFTER", 60.0)
    desk.turn()
    listing.change("shop.top")
    desk.turn()
    desk.turn()
    assert not hasattr(paper, "file"), "loading wrote it, and ten seconds have not gone by"
    monkeypatch.setattr(primary, "FILE_AFTER", 0.0)
    listing.change("late.top")
    desk.turn()
    desk.turn()
    assert paper.file == ({"late.top"}, paper.held)
    monkeypatch.setattr(primary, "FILE_AFTER", 60.0)
    listing.change("last.top")
    desk.turn()
    desk.turn()
    assert paper.file[0] == {"late.top"}
    desk.close()
    assert paper.file == ({"last.top"}, paper.held)


def test_what_came_while_knot_was_away_is_there_afterwards(desk: primary.Primary, listing: Listing) -> None:
    """And nothing else."""
    desk.turn()
    desk.knot.away = True  # type: ignore[attr-defined]
    listing.change("shop.top")
    for _ in range(2):
        with pytest.raises(KnotAway):
            desk.turn()
    desk.knot.away = False  # type: ignore[attr-defined]
    desk.turn()
    assert zone_of(desk) == {"shop.top"}


def test_the_last_list_stays_until_its_own_expiry(
    desk: primary.Primary, listing: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exchange is away: it stays; its last value expires: nothing is refused; it comes back: all is."""
    desk.turn()
    listing.is_away = True
    with pytest.raises(Unreachable) as caught:
        desk.turn()
    assert "list 1 stays until 2199" in caught.value.hint
    assert zone_of(desk) == {"bad.top", "login.bank.top"}
    assert desk.list.statement
    whole = desk.list.statement
    desk.list.statement = replace(whole, expires="2026-11-01T00:00:00Z")
    with pytest.raises(Unreachable):
        desk.turn()
    assert zone_of(desk) == set()
    listing.is_away = False
    listing.change("bad.top", "shop.top")
    desk.turn()
    assert zone_of(desk) == {"bad.top", "shop.top"}


def test_what_this_machine_leaves_out_is_out_at_the_next_turn(
    desk: primary.Primary, listing: Listing, tmp_path: Path
) -> None:
    """`tocsin unblock`, and its undoing; addresses among it are of no matter."""
    desk.turn()
    unblocked = tmp_path / "edge" / "unblocked"
    unblocked.write_text("bad.top\n198.51.100.7\nnever.listed.top\n")
    desk.turn()
    assert zone_of(desk) == {"login.bank.top"}
    listing.change("bad.top", "shop.top")
    desk.turn()
    assert zone_of(desk) == {"shop.top"}
    unblocked.write_text("")
    desk.turn()
    assert zone_of(desk) == {"bad.top", "shop.top"}
    assert desk.knot.loads == 1  # type: ignore[attr-defined]


def test_a_key_that_is_not_known_takes_nothing_away(desk: primary.Primary, listing: Listing) -> None:
    """What is refused stays so, and the fault is told once."""
    said: list[str] = []
    desk.say = said.append
    desk.turn()
    listing.refuses = True
    assert desk.patient_turn() > desk.settings.every
    assert desk.patient_turn() > desk.settings.every
    assert zone_of(desk) == {"bad.top", "login.bank.top"}
    listing.refuses = False
    assert desk.patient_turn() == desk.settings.every
    told_once = ["the exchange does not know this key", "in order again"]
    assert [one.partition(" (")[0] for one in said][-2:] == told_once
