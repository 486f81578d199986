"""Which columns of an export say when, who, what and what was done: by their names, or by a mapping."""

from collections.abc import Iterable, Mapping

from tocsin.kernel.problems import BadInput

FIELDS = ("time", "client", "indicator", "action")
NEEDED = ("time", "indicator")
# The first of these that is a column is meant; spelled in any case.
_USUAL: dict[str, tuple[str, ...]] = {
    "time": (
        "time", "timestamp", "@timestamp", "ts", "datetime", "date_time", "event_time", "query_time",
        "start_time", "logged_at", "when",
    ),
    "client": (
        "client", "client_ip", "clientip", "client_address", "client_addr", "src_ip", "source_ip", "srcip",
        "src", "source_address", "id.orig_h", "subscriber", "remote",
    ),
    "indicator": (
        "indicator", "name", "qname", "query_name", "rrname", "domain", "query", "dns.rrname", "hostname",
        "host", "blocked", "dst_ip", "dest_ip", "destination",
    ),
    "action": (
        "action", "policy_action", "disposition", "verdict", "decision", "policy", "applied_policy", "status",
    ),
}  # fmt: skip


def recognised(names: Iterable[str], mapping: Mapping[str, str] | None = None) -> dict[str, str] | None:
    """The column for each field that is there; None where a time or an indicator is not.

    With a mapping only what it names counts, and all of it must be there.
    """
    spelled = {name.lower(): name for name in reversed(list(names))}
    if mapping:
        if any(column.lower() not in spelled for column in mapping.values()):
            return None
        return {field: spelled[column.lower()] for field, column in mapping.items()}
    found = {
        field: spelled[usual]
        for field, names in _USUAL.items()
        if (usual := next((one for one in names if one in spelled), None))
    }
    return found if all(field in found for field in NEEDED) else None


def mapping_of(text: str) -> dict[str, str]:
    """`time=when,client=who,indicator=what,action=did` as a mapping of fields to columns. Raises BadInput."""
    pairs = [part.partition("=") for part in text.split(",")]
    found = {field.strip(): column.strip() for field, _, column in pairs}
    if not set(found) <= set(FIELDS) or not set(NEEDED) <= set(found) or not all(found.values()):
        raise BadInput(
            f"not a mapping of columns: {text}",
            hint="say --map time=COLUMN,indicator=COLUMN and, where there are such, client=, action=",
        )
    return found
