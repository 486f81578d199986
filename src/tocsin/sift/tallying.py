"""Counting blocks: what resolvers and firewalls stopped becomes hourly tallies, and these may be sent."""

import datetime as dt
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tocsin.kernel.problems import NotSignedIn, Unreachable
from tocsin.kernel.time import now, rfc3339
from tocsin.sift.blockstore import BlockStore, Count, opened_alone
from tocsin.sift.hits import sql
from tocsin.sift.hits.counting import Counting, How, See
from tocsin.sift.hits.names import Wanted
from tocsin.sift.hits.staging import quoted
from tocsin.sift.values import Balance
from tocsin.wire.tally import Tally, TallyAnswer, TallyBatch

if TYPE_CHECKING:
    import httpx

BATCH = 5_000
LEAST_CLIENTS = 5  # fewer are told to nobody (DESIGN section 7, rule 8)
KEEP_CLIENTS = 30  # days
TOP = 20

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What one run of `tocsin tally` was asked to do; without a `url` it tells nobody."""

    url: str = ""
    machine: str | None = None
    year: int | None = None
    tz: str | None = None
    mapping: dict[str, str] | None = None
    with_clients: bool = True
    keep_clients: int = KEEP_CLIENTS
    is_here: bool = False
    hours_file: Path | None = None
    see: See = field(default=lambda _: None)

    @property
    def how(self) -> How:
        """How the sources are read."""
        return How(self.machine, self.year, self.tz, self.mapping, self.with_clients, bool(self.url))


class Top(msgspec.Struct, frozen=True):
    """One indicator: its hits, in how many hours, and the most different clients in one of these.

    `clients` is None where it is not known, and where fewer than five are not to be shown.
    """

    indicator: str
    hits: int
    hours: int
    clients: int | None


class Result(msgspec.Struct, frozen=True):
    """What became of one run: connections counted in it, tallies taken and not, and what still waits.

    `elsewhere` are blocks by other policies than the exchange's lists: they stay here. `top` are the
    indicators with most hits of all that is kept here.
    """

    connections: int
    elsewhere: int
    sent: int
    unknown: int
    waiting: int
    rejected: int
    fault: str = ""
    read: int = 0
    observed: int = 0
    noise: int = 0
    duplicate: int = 0
    top: tuple[Top, ...] = ()

    @property
    def sentence(self) -> str:
        """The run in one line."""
        told = f"{self.sent} hourly tallies sent" if self.sent else "nothing new to tell"
        return f"{self.connections:,} connections stopped, {told}"


def preview(paths: Sequence[Path], plan: Plan, say: Say) -> Iterator[str]:
    """The exact bytes that would leave, one log a line; nothing is sent, fetched or remembered."""
    with opened_alone(plan.url) as store, tempfile.TemporaryDirectory(prefix="tocsin-") as folder:
        names, addresses = store.listed("name"), store.listed("address")
        if not (names or addresses):
            say("no list is known here, so that every policy is counted: run tocsin zone first")
        copy = store.shadow(Path(folder))
        run = Counting(plan.how, copy, _wanted(names, addresses, bool(names or addresses)), see=plan.see)
        run.read(paths)
        run.settle()
        while told := copy.pending(BATCH):
            for batch in batches(sorted(told)):
                yield msgspec.json.encode(batch).decode()
            copy.settle(told)


def tally(paths: Sequence[Path], plan: Plan, key: str, say: Say) -> Result:
    """Count what `paths` show, write it to the store, and send what waits there where there is an exchange.

    With an exchange only what its lists stopped is counted.
    """
    with opened_alone(plan.url) as store:
        store.pieces.sweep()
        fault = _refresh(store, plan, key, say) if plan.url else ""
        names, addresses = store.listed("name"), store.listed("address")
        knows = bool(names or addresses)
        if paths and plan.url and not knows:
            say("no value ever stood on a list of the exchange: nothing can be counted yet")
        wanted = _wanted(names, addresses, bool(plan.url))
        run = Counting(plan.how, store, wanted, store.folder / "tally-rejected", plan.see)
        run.read(paths if knows or not plan.url else ())
        run.settle()
        store.pieces.expire(now().toordinal() - dt.date(1970, 1, 1).toordinal() - plan.keep_clients)
        if paths:
            say(balance_words(run.balance))
        sent, unknown = 0, 0
        if plan.url and not fault:
            sent, unknown, fault = _send(store, plan, key)
        balance = run.balance
        return result_of(
            run,
            plan,
            sent=sent,
            unknown=unknown,
            waiting=store.waiting() if plan.url else 0,
            fault=fault,
            read=balance.read,
            observed=balance.observed,
            noise=balance.noise,
            duplicate=balance.duplicate,
            rejected=balance.rejected,
        )


def result_of(run: Counting, plan: Plan, **told: Any) -> Result:
    """The result of a run whose tallies are in the store, with the indicators that lead; writes `--hours`."""
    if plan.hours_file:
        _write_hours(run, plan.hours_file, is_here=plan.is_here)
    told = {"sent": 0, "unknown": 0, "waiting": 0} | told
    return Result(run.connections, run.elsewhere, **told, top=_top(run, is_here=plan.is_here))


def balance_words(balance: Balance) -> str:
    """`1,204 lines: 1,100 blocks, 104 noise, 0 duplicate, 0 rejected`."""
    return (
        f"{balance.read:,} lines: {balance.observed:,} blocks, {balance.noise:,} noise, "
        f"{balance.duplicate:,} duplicate, {balance.rejected:,} rejected"
    )


def batches(counts: Sequence[Count]) -> Iterator[TallyBatch]:
    """Sorted counts as they travel, log by log; fewer than five clients do not."""
    for name, of_log in groupby(counts, key=lambda count: count.source_id):
        told = []
        for count in of_log:
            start = rfc3339(dt.datetime.fromtimestamp(count.hour, dt.UTC))
            told.append(Tally(count.kind, count.value, start, count.hits, shown_clients(count.clients)))  # type: ignore[arg-type]
        yield TallyBatch(name, told)


def shown_clients(clients: int | None) -> int | None:
    """A number of clients as it may be shown to others."""
    return clients if clients is not None and clients >= LEAST_CLIENTS else None


def _wanted(names: dict[str, bool], addresses: dict[str, bool], is_listed: bool) -> Wanted:
    return Wanted(names, frozenset(addresses)) if is_listed else Wanted(None, None)


def _top(run: Counting, *, is_here: bool) -> tuple[Top, ...]:
    if not any(run.store.pieces.paths(("hours", "settled")).values()):
        return ()
    values = run.store.pieces.values()
    found = run.staging.db.execute(sql.top(run.staging.tallied(), TOP)).fetchall()
    return tuple(
        Top(values[indicator], hits, hours, clients if is_here else shown_clients(clients))
        for indicator, hits, hours, clients in found
    )


def _write_hours(run: Counting, file: Path, *, is_here: bool) -> None:
    """Every hourly tally as CSV, or as Parquet where the file's name says so."""
    database = run.staging.db
    values = run.store.pieces.values()
    database.execute("CREATE OR REPLACE TEMP TABLE said (indicator UINTEGER, value VARCHAR)")
    database.execute(
        "INSERT INTO said SELECT unnest(?::UINTEGER[]), unnest(?::VARCHAR[])",
        [list(values), list(values.values())],
    )
    clients = "clients" if is_here else f"CASE WHEN clients >= {LEAST_CLIENTS} THEN clients END"
    form = "FORMAT parquet, COMPRESSION zstd" if file.suffix == ".parquet" else "FORMAT csv, HEADER"
    database.execute(
        "COPY (SELECT value AS indicator, make_timestamp(hour::BIGINT * 1000000) AS hour, hits,"  # noqa: S608
        f" {clients} AS clients"
        f" FROM {run.staging.tallied()} JOIN said USING (indicator) ORDER BY value, hour)"
        f" TO '{quoted(file)}' ({form})"
    )


def _refresh(store: BlockStore, plan: Plan, key: str, say: Say) -> str:
    """Ask what is listed now; gives the fault where the exchange is out of reach."""
    from tocsin.sift import calling, zones
    from tocsin.sift.listed import ADDRESSES, NAMES

    try:
        with calling.client(plan.url, key) as client:
            origin, public = calling.introduced(client, say)
            for name in (NAMES, ADDRESSES):
                zones.refresh(store, client, origin, public, name)
    except Unreachable as problem:
        return problem.detail
    except NotSignedIn as problem:
        # A key may tally without reading lists: `tocsin zone` with another key knows them.
        say(f"the lists were not read: {problem.detail}")
    return ""


def _send(store: BlockStore, plan: Plan, key: str) -> tuple[int, int, str]:
    """Tell what waits, batch by batch; gives how many were taken, how many unknown, and the fault."""
    from tocsin.sift import calling

    taken = unknown = 0
    with calling.client(plan.url, key) as client:
        while told := store.pending(BATCH):
            try:
                answer = _post(client, msgspec.json.encode(next(batches(sorted(told)))))
            except Unreachable as problem:
                return taken, unknown, problem.detail
            store.settle(told)
            taken, unknown = taken + answer.taken, unknown + answer.unknown
    return taken, unknown, ""


def _post(client: "httpx.Client", body: bytes) -> TallyAnswer:
    from tocsin.sift import calling

    headers = {"Content-Type": "application/json"}
    answer = calling.ask(lambda: client.post("/tallies", content=body, headers=headers))
    try:
        return msgspec.json.decode(answer.content, type=TallyAnswer)
    except msgspec.DecodeError as error:
        raise Unreachable(f"the exchange's answer cannot be read: {error}") from None
