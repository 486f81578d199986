"""The headers that syslog and journald write before a message, as patterns of the RE2 and Rust subset."""

from dataclasses import dataclass

_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_PRIORITY = r"^(?:<\d{1,3}>)?"
_SENDER = r" (?:(?P<host>\S+) +)?(?P<program>[^\s\[]+?)(?:\[\d+\])?$"

# What a line of syslog or journald begins with: RFC 3164 (with a year in front or behind), ISO 8601, RFC 5424.
HEADER = (
    _PRIORITY + rf"(?:(?:\d{{4}} )?{_MONTH} {{1,2}}\d{{1,2}} (?:\d{{4}} )?\d\d:\d\d:\d\d"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d"
    r"|1 (?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d|- ))[^A-Za-z]"
    r"|" + _PRIORITY[1:] + r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\dZ "
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """One way to write a header, up to the first colon and space; what it leaves open."""

    pattern: str
    year_open: bool = False
    zone_open: bool = False
    whole_line: bool = False


SHAPES = (
    Shape(
        _PRIORITY + rf"(?P<hour>{_MONTH} {{1,2}}\d{{1,2}} \d\d):(?P<minute>\d\d):(?P<second>\d\d)(?P<tail>)(?:[.,]\d+)?"
        + _SENDER, year_open=True, zone_open=True,
    ),
    Shape(
        _PRIORITY + r"(?P<hour>\d{4}-\d\d-\d\d[T ]\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,]\d+)?"
        r"(?P<tail> ?(?:Z|[+-]\d\d:?\d\d))" + _SENDER,
    ),
    Shape(
        _PRIORITY + r"(?P<hour>\d{4}-\d\d-\d\d[T ]\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?P<tail>)(?:[.,]\d+)?"
        + _SENDER, zone_open=True,
    ),
    Shape(
        _PRIORITY + rf"(?P<hour>{_MONTH} {{1,2}}\d{{1,2}} \d{{4}} \d\d):(?P<minute>\d\d):(?P<second>\d\d)(?P<tail>)"
        r"(?:[.,]\d+)?" + _SENDER, zone_open=True,
    ),
    Shape(
        _PRIORITY + rf"(?P<tail>\d{{4}}) (?P<hour>{_MONTH} {{1,2}}\d{{1,2}} \d\d):(?P<minute>\d\d):(?P<second>\d\d)"
        r"(?:[.,]\d+)?" + _SENDER, zone_open=True,
    ),
    Shape(
        _PRIORITY + r"1 (?P<hour>\d{4}-\d\d-\d\dT\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.\d+)?"
        r"(?P<tail>Z|[+-]\d\d:\d\d) (?P<host>\S+) (?P<program>\S+) \S+ \S+ "
        r'(?:-|(?:\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\])+)(?: (?:\x{FEFF})?(?P<message>.*))?$', whole_line=True,
    ),
)  # fmt: skip
