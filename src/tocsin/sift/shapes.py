"""The headers that syslog and journald write before a message, as patterns of the RE2 and Rust subset.

RFC 3164 (and its relatives with a year), RFC 5424, and ISO 8601 times as rsyslog and `journalctl` write them.
"""

from dataclasses import dataclass

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_PRIORITY = r"^(?:<[0-9]{1,3}>)?"
_DAY = _MONTH + " {1,2}[0-9]{1,2}"
_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}"
_CLOCK = r":(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_FRACTION = r"(?:[.,][0-9]+)?"
_OFFSET = r"(?P<tail> ?(?:Z|[+-][0-9]{2}:?[0-9]{2}))"
_SENDER = r" +(?:(?P<host>[^ ]+) +)?(?P<program>[^ \[]+?)(?:\[[0-9]+\])?$"

# How a line of a log begins, whatever program wrote it. Anything else is no log line.
HEADER = (
    rf"{_PRIORITY}(?:(?:[0-9]{{4}} )?{_DAY} (?:[0-9]{{4}} )?[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}[^0-9]"
    rf"|{_ISO}:[0-9]{{2}}:[0-9]{{2}}[^0-9]"
    r"|1 (?:[0-9]{4}-[0-9]{2}-[0-9]{2}T|- ))"
)
REPEATED = r"^message repeated (?P<times>[0-9]{1,6}) times?: \[ ?(?P<message>.*?) ?\]?$"


@dataclass(frozen=True)
class Shape:
    """One way to write a header up to its first colon and space, and what it leaves open.

    Groups: `hour` (with the day), `minute`, `second`, `host`, `program`, and `tail`: what belongs to the hour
    but stands elsewhere (offset or year).
    """

    pattern: str
    year_open: bool = False
    zone_open: bool = False

    @property
    def has_tail(self) -> bool:
        """Whether something that belongs to the hour stands elsewhere."""
        return "(?P<tail>" in self.pattern


class Framed(Shape):
    """RFC 5424: the message is found by the structure, not by a colon, so the head is the whole line."""

    start = rf"{_PRIORITY}1 [0-9-]"
    message_group = 7


RFC5424 = Framed(
    rf"{_PRIORITY}1 (?P<hour>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9]{{2}}){_CLOCK}(?:\.[0-9]+)?"
    r"(?P<tail>Z|[+-][0-9]{2}:[0-9]{2}) (?P<host>[^ ]+) (?P<program>[^ ]+) [^ ]+ [^ ]+ "
    r'(?:-|(?:\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\])+)(?: \x{FEFF}? *(?P<message>.*))?$'
)

SHAPES = (
    Shape(  # what nearly every line has comes first, and strictly: three times as fast
        rf"^(?P<hour>{_MONTH} [ 0-3][0-9] [0-9]{{2}}){_CLOCK} (?P<host>[^ ]+) "
        r"(?P<program>[^ \[]+)\[[0-9]+\]$",
        year_open=True,
        zone_open=True,
    ),
    Shape(rf"{_PRIORITY}(?P<hour>{_ISO}){_CLOCK}{_FRACTION}{_OFFSET}{_SENDER}"),
    Shape(
        rf"{_PRIORITY}(?P<hour>{_DAY} [0-9]{{2}}){_CLOCK}{_FRACTION}{_SENDER}", year_open=True, zone_open=True
    ),
    Shape(rf"{_PRIORITY}(?P<hour>{_ISO}){_CLOCK}{_FRACTION}{_SENDER}", zone_open=True),
    Shape(rf"{_PRIORITY}(?P<hour>{_DAY} [0-9]{{4}} [0-9]{{2}}){_CLOCK}{_FRACTION}{_SENDER}", zone_open=True),
    Shape(
        rf"{_PRIORITY}(?P<tail>[0-9]{{4}}) (?P<hour>{_DAY} [0-9]{{2}}){_CLOCK}{_FRACTION}{_SENDER}",
        zone_open=True,
    ),
    RFC5424,
)
