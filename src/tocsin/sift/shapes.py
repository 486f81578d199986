"""How lines of logs begin, as patterns of the RE2 and Rust subset.

`SHAPES` are the headers that syslog and journald write before a message: RFC 3164 (and its relatives with a
year), RFC 5424, and ISO 8601 times as rsyslog and `journalctl` write them. `BARE` are those of programs that
write a log of their own, without host and program.
"""

from dataclasses import dataclass

MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_PRIORITY = r"^(?:<[0-9]{1,3}>)?"
_DAY = MONTH + " {1,2}[0-9]{1,2}"
_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}"
_CLOCK = r":(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_FRACTION = r"(?:[.,][0-9]+)?"
_HALF = "[ \u202f][AP]M"  # newer JavaScript writes a narrow no-break space before it
_OFFSET = r"(?P<tail> ?(?:Z|[+-][0-9]{2}:?[0-9]{2}))"
_SENDER = (  # BSD's syslogd -v writes facility and priority before the host, gateways the host twice
    r" +(?:<[a-z0-9]+\.[a-z]+> +)?(?:(?P<host>[^ ]+) +(?:[A-Za-z][A-Za-z0-9.-]* +)?)?"
    r"(?P<program>[^ \[]+?)(?:\[[0-9]+\])?$"
)

# How a line of a log begins, whatever program wrote it. Anything else is no log line.
HEADER = (
    rf"{_PRIORITY}(?:(?:[0-9]{{4}} )?{_DAY} (?:[0-9]{{4}} )?[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}[^0-9]"
    rf"|{_ISO}:[0-9]{{2}}:[0-9]{{2}}[^0-9]"
    r"|1 (?:[0-9]{4}-[0-9]{2}-[0-9]{2}T|- ))"
)
# How a line of any other log begins that has a time; tried only where the above does not fit.
BARE_HEADER = (
    r"^[\[(<]?(?:L |[A-Za-z0-9_-]{1,24}[=:] ?\"?)?(?:[0-9]{4}[/.:-][0-9]{2}[/.:-][0-9]{2}"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:[A-Z][a-z]{2}|[0-9])|[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:"
    r"|[0-9]{2}[ /-][A-Za-z]{3,4}\.?[ /-][0-9]{4}|[0-9]{2}/[0-9]{2}/[0-9]{2,4}|[0-9]{10}\b"
    r"|[0-9]{2}:[0-9]{2}:[0-9]{2}|[0-9]{6} [ 0-9][0-9]:|[0-9]{2}[-/][0-9]{2}[ -][0-9]{2}:|[0-9]{8}-[0-9]{2}:"
    r"|[0-9]{2}[.-][0-9]{2}[.-][0-9]{4},? [0-9]{2}:|[A-Z][a-z]{2}-[0-9]{2}-[0-9]{2} |@[0-9a-f]{24} )"
    r"|^.{0,40}?(?:[0-9]{1,2}, ?[0-9]{4}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}),? [0-9]{1,2}:[0-9]{2}:[0-9]{2}"
    r"|^#(?:Software|Version|Date|Start-Date|Fields|Remark): ?|^.{0,80}?date=[0-9]{4}-[0-9]{2}-[0-9]{2}[ ,]"
    r"|^.{0,60}?<Event |^[^\[]{0,400}\[[0-9]{1,2}/[A-Za-z]{3,4}\.?/[0-9]{4}:|^.{0,80}?msg=audit\("
    r"|^.{0,200}?[0-9]{4}[/-][0-9]{2}[/-][0-9]{2}(?: - |[T _-])[0-9]{2}:[0-9]{2}:[0-9]{2}"
    rf"|^.{{0,120}}?{_DAY} (?:[0-9]{{4}} )?[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}"
)
REPEATED = r"^message repeated (?P<times>[0-9]{1,6}) times?: \[ ?(?P<message>.*?) ?\]?$"


@dataclass(frozen=True)
class Shape:
    """One way to write a header up to its first colon and space, and what it leaves open.

    Groups: `hour` (with the day), `minute`, `second`, `host`, `program`, and `tail`: what belongs to the hour
    but stands elsewhere (offset or year). A bare shape has no host and no program; where it has no `message`
    either, the whole line is the message. `example` shows a line of that shape with a given message.
    """

    pattern: str
    year_open: bool = False
    zone_open: bool = False
    day_open: bool = False
    example: str = "{message}"

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
        rf"^(?P<hour>{MONTH} [ 0-3][0-9] [0-9]{{2}}){_CLOCK} (?P<host>[^ ]+) "
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

# What each of `SHAPES` is called where a person reads of it.
SYSLOG_NAMES = (
    "syslog, RFC 3164",
    "syslog, ISO 8601 with offset",
    "syslog, RFC 3164 in a freer form",
    "syslog, ISO 8601 without offset",
    "syslog with a year after the day",
    "syslog with a year before the month",
    "syslog, RFC 5424",
)

SYSLOG = "syslog"
REQUESTS = "access"
WHATEVER = "any"

_DAYS = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_ANY_MONTH = "[A-Za-z]{3,4}"
_ZONE = r"(?P<tail> ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?"
_CLF = r"[0-9]{1,2}/" + _ANY_MONTH + r"\.?/[0-9]{4}:[0-9]{2}"
_REST = r" *(?P<message>.*)$"

# The shapes of logs that programs write themselves; a line has the first that fits.
BARE = {
    "apache": Shape(  # Apache's error log, and what ctime(3) prints
        rf"^\[?{_DAYS} (?P<hour>{_DAY} [0-9]{{2}}){_CLOCK}{_FRACTION} (?P<tail>[0-9]{{4}})\]?[:;]?{_REST}",
        zone_open=True,
        example="[Wed Jan 07 03:04:05.123456 2026] {message}",
    ),
    "bsd": Shape(
        rf"^\[?(?P<hour>{_DAY} [0-9]{{2}}){_CLOCK}{_FRACTION}\]?:?{_REST}",
        year_open=True,
        zone_open=True,
        example="[Jan  7 03:04:05] {message}",
    ),
    "iso": Shape(
        rf"^[\[(]?(?P<hour>{_ISO}){_CLOCK}{_FRACTION}{_ZONE}[\])]?[:,;|]?{_REST}",
        zone_open=True,
        example="2026-01-07 03:04:05 {message}",
    ),
    "slashed": Shape(
        r"^\[?(?P<hour>[0-9]{4}[/.:][0-9]{2}[/.:][0-9]{2}(?: - |[ T-])[0-9]{2})"
        rf"{_CLOCK}{_FRACTION}{_ZONE}\]?:?{_REST}",
        zone_open=True,
        example="2026/01/07 03:04:05 {message}",
    ),
    "dmy": Shape(
        rf"^\[?(?P<hour>(?:[0-9]{{2}}[ /-]{_ANY_MONTH}[ /-][0-9]{{4}}[ :T]"
        rf"|[0-9]{{2}}[.-][0-9]{{2}}[.-][0-9]{{4}},? )[0-9]{{2}}){_CLOCK}{_FRACTION}{_ZONE}\]?:?{_REST}",
        zone_open=True,
        example="07-Jan-2026 03:04:05.123 {message}",
    ),
    "us": Shape(
        r"^(?:L )?\[?(?P<hour>(?:[0-9]{2}/[0-9]{2}/[0-9]{2,4}(?: - |[ -])|[A-Z][a-z]{2}-[0-9]{2}-[0-9]{2} )"
        rf"[0-9]{{2}}){_CLOCK}{_FRACTION}\]?:?{_REST}",
        zone_open=True,
        example="01/07/2026-03:04:05.123456 {message}",
    ),
    "epoch": Shape(
        r"^\[?(?P<hour>[0-9]{10})(?:\.[0-9]{1,9})?(?P<minute>)(?P<second>)\]?:?(?: -)? +(?P<message>.*)$",
        example="1767755045.123 {message}",
    ),
    "clf": Shape(  # access logs (Common Log Format and its relatives): the whole line is the message
        rf"^[^\[]{{0,400}}\[(?P<hour>{_CLF}){_CLOCK}{_FRACTION}{_ZONE} ?\]",
        zone_open=True,
    ),
    "tai": Shape(  # TAI64N, as multilog and s6-log write it
        r"^@(?P<hour>[0-9a-f]{16})[0-9a-f]{8}(?P<minute>)(?P<second>) +(?P<message>.*)$",
        example="@40000000695dcd2f077a9e94 {message}",
    ),
    "padded": Shape(  # MySQL's and MariaDB's own: the hour may have one digit, the day six
        rf"^(?P<hour>(?:[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|[0-9]{{6}}) {{1,2}}[0-9]{{1,2}}){_CLOCK}{_REST}",
        zone_open=True,
        example="2026-01-07  3:04:05 {message}",
    ),
    "monthday": Shape(  # Snort writes 01/07-03:04:05
        rf"^(?P<hour>[0-9]{{2}}[-/][0-9]{{2}}[ -][0-9]{{2}}){_CLOCK}{_FRACTION}{_REST}",
        year_open=True,
        zone_open=True,
        example="01-07 03:04:05.123456 {message}",
    ),
    "compact": Shape(
        rf"^\[?(?P<hour>[0-9]{{8}}-[0-9]{{2}}){_CLOCK}{_FRACTION}\]?:?{_REST}",
        zone_open=True,
        example="[20260107-03:04:05] {message}",
    ),
    "ampm": Shape(  # the American order, near the start: the whole line is the message
        r"^(?:.{0,40}?[^0-9])?"
        r"(?P<hour>(?:[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}|[A-Za-z]{3,4} [0-9]{1,2}, ?[0-9]{4}),?"
        rf" [0-9]{{1,2}}){_CLOCK}(?P<tail>{_HALF})?",
        zone_open=True,
    ),
    "event": Shape(  # Windows event log as XML, one event a line: the whole line is the message
        r"^.{0,60}?<Event .{0,1500}?<TimeCreated SystemTime=['\"]"
        rf"(?P<hour>{_ISO}){_CLOCK}{_FRACTION}{_ZONE}['\"]",
    ),
    "audit": Shape(r"^.{0,80}?msg=audit\((?P<hour>[0-9]{10})\.[0-9]+:[0-9]+\)(?P<minute>)(?P<second>)"),
    "keyed": Shape(  # FortiGate and its relatives: the whole line is the message
        r"^.{0,200}?date=\"?(?P<hour>[0-9]{4}-[0-9]{2}-[0-9]{2}\"?[ ,]time=\"?[0-9]{2}):(?P<minute>[0-9]{2}):"
        r"(?P<second>[0-9]{2})(?:.{0,300}? tz=\"?(?P<tail>[+-][0-9]{2}:?[0-9]{2}))?",
        zone_open=True,
    ),
    "inside": Shape(  # a time somewhere near the start: the whole line is the message
        rf"^.{{0,200}}?(?P<hour>(?:{_ISO}|[0-9]{{4}}/[0-9]{{2}}/[0-9]{{2}}(?: -)? [0-9]{{2}}|{_CLF}"
        rf"|{_DAY} [0-9]{{4}} [0-9]{{2}}|{_DAY} [0-9]{{2}})){_CLOCK}{_FRACTION}{_ZONE}",
        zone_open=True,
    ),
    "clock": Shape(  # no day at all
        rf"^\[?(?P<hour>[0-9]{{2}}){_CLOCK}{_FRACTION}\]?:?{_REST}",
        day_open=True,
        zone_open=True,
        example="03:04:05.123 {message}",
    ),
}

# Lines that follow a dated one and have no time of their own: the whole line is the message. They take the
# time of the dated line above them, or of the source's last change where there is none.
UNDATED = "undated"
NO_TIME = Shape("", year_open=True, zone_open=True, day_open=True)

_ADDRESS = r"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+)"
_HOST_NAME = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+"
_CLIENT = rf"(?P<client>{_ADDRESS})"
_ACCESS_TIME = rf"\[(?P<hour>{_CLF}){_CLOCK}{_FRACTION}{_ZONE} ?\]"
_W3C_TIME = r"(?P<hour>[0-9]{4}-[0-9]{2}-[0-9]{2}[ \t][0-9]{2})" + _CLOCK
_REQUEST = r'"(?P<request>(?:[^"\\]|\\.)*)"'
_STATUS = r"(?P<status>[0-9]{3}|-1?)"


class Format(Shape):
    """How one family of servers writes down a request: `client`, `status`, `request`, and `rest` of the line.

    Some write `method` and `query` apart.
    """

    @property
    def is_utc(self) -> bool:
        """Whether times are UTC without saying so, as W3C's extended log format has it."""
        return _W3C_TIME in self.pattern


ACCESS = {
    # Apache, nginx, lighttpd, Traefik, Caddy, Varnish …; a host's name before it, fields before the request
    "common log format": Format(
        rf"^(?:[^ \"\[,]+ )?\[?(?P<client>{_ADDRESS}|{_HOST_NAME})\]?,? [^\"\[]*?{_ACCESS_TIME}(?: [^ \"]+)* "
        rf"{_REQUEST} {_STATUS}(?: (?:[0-9]+|-))?(?P<rest>.*)$",
        zone_open=True,
    ),
    "HAProxy": Format(
        rf"^(?P<client>[0-9A-Fa-f:.]+):[0-9]{{1,5}} {_ACCESS_TIME} [^ ]+ [^ ]+ [0-9/+-]+ {_STATUS} [^\"{{]*"
        rf"(?P<rest>[^\"]*){_REQUEST}.*$",
        zone_open=True,
    ),
    "host and client after the time": Format(  # NPMplus
        rf"^{_ACCESS_TIME} [^ ]+ {_CLIENT} [0-9.]+ {_REQUEST} {_STATUS} [0-9]+ [0-9]+(?P<rest>.*)$",
        zone_open=True,
    ),
    "status first": Format(  # Nginx Proxy Manager
        rf"^{_ACCESS_TIME} (?:[A-Z-]+ )?(?:[0-9]{{3}} )?{_STATUS} - (?P<method>[A-Z]+) [^ ]+ [^ ]+ "
        rf"{_REQUEST} \[Client {_CLIENT}\](?: \[[^\]]*\])*(?P<rest>.*)$",
        zone_open=True,
    ),
    "IIS": Format(
        rf"^{_W3C_TIME} (?:[^ ]+ ){{0,3}}(?P<method>[A-Z]+) (?P<request>/[^ ]*) (?P<query>[^ ]+) [0-9]+ "
        rf"[^ ]+ {_CLIENT}(?P<rest> .*?) (?P<status>[1-5][0-9]{{2}}) [0-9]+ [0-9]+(?: [0-9]+)*$",
    ),
    "CloudFront": Format(
        rf"^{_W3C_TIME}\t[^\t]+\t[^\t]+\t(?P<client>[^\t]+)\t(?P<method>[A-Z]+)\t[^\t]+\t(?P<request>[^\t]+)\t"
        rf"{_STATUS}\t(?P<rest>[^\t]+\t[^\t]+)\t(?P<query>[^\t]+).*$",
    ),
    "load balancer": Format(  # AWS's
        rf"^[a-z0-9]+ (?P<hour>{_ISO}){_CLOCK}{_FRACTION}(?P<tail>Z) [^ ]+ \[?{_CLIENT}\]?:[0-9]+ [^ ]+ "
        rf"(?:[0-9.-]+ ){{3}}{_STATUS} [^ ]+ [0-9]+ [0-9]+ "
        rf"\"(?P<method>[A-Z]+) (?:[a-z]+://[^/ ]+)?(?P<request>[^\"]*)\"(?P<rest>.*)$",
    ),
    "Zoraxy": Format(
        rf"^(?:[0-9/]+ [0-9:]+ )?\[(?P<hour>{_ISO}){_CLOCK}{_FRACTION}\] \[router:[^\]]*\] "
        rf"(?:\[origin:[^\]]*\] )?\[client: ?{_CLIENT}\](?P<rest>(?: \[[^\]]*\])*) "
        rf"(?P<method>[A-Z]+) (?P<request>.*) {_STATUS}$",
        zone_open=True,
    ),
}

# Every shape by the number under which rows carry it: syslog's first.
ALL = (*SHAPES, *BARE.values(), NO_TIME, *ACCESS.values())
BARE_NAMES = tuple(BARE)
ALL_NAMES = (*SYSLOG_NAMES, *BARE_NAMES, UNDATED, *(f"access log, {name}" for name in ACCESS))
