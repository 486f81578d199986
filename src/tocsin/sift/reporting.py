"""The edge's main verb: what a log shows becomes reports with receipts."""

import secrets
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from tocsin.kernel.problems import BadInput
from tocsin.kernel.time import now, rfc3339
from tocsin.sift import engine, holdings, minimise, running, sending, spool
from tocsin.sift.home import edge_home
from tocsin.sift.rejects import Kept, Rejects
from tocsin.sift.rulebook import Rulebook, ruleset
from tocsin.sift.values import Attack, Sifted, Source
from tocsin.wire.report import Report

RANK = {"info": 0, "low": 1, "medium": 2, "high": 3, "critical": 4}


@dataclass(frozen=True)
class Plan:
    """What one run of `tocsin report` was asked to do."""

    url: str
    networks: tuple[str, ...] = ()
    least: str = "low"
    kept_days: int | None = None
    clock_error_ms: int | None = None
    year: int | None = None
    tz: str | None = None
    interactive: bool = False
    mapping: Rulebook | None = None


class Result(msgspec.Struct, frozen=True):
    """What became of one run, in counts; `waiting` reports are still in the spool, `fault` says why."""

    attacks: int
    sent: int
    known: int
    refused: int
    waiting: int
    receipts: str
    fault: str = ""

    @property
    def sentence(self) -> str:
        """The run in one line."""
        if not (self.sent or self.known or self.refused or self.waiting):
            return "nothing new to report"
        parts = [f"{self.sent} reports sent", f"{self.known} known already"]
        parts += [f"{self.refused} refused"] if self.refused else []
        return ", ".join(parts) + f"; receipts in {self.receipts}"


def preview(paths: Sequence[Path], plan: Plan) -> Iterator[str]:
    """The exact bytes that would leave, one report a line; nothing is sent or remembered."""
    with ExitStack() as stack:
        if spool.spool_folder(plan.url).exists():
            kept = stack.enter_context(spool.opened(plan.url))
        else:
            kept = spool.Spool(Path(stack.enter_context(tempfile.TemporaryDirectory())))
            stack.callback(kept.db.close)
        found = _sift(paths, plan, kept)
        for report in reports(found.attacks, found.sources, plan, kept):
            yield msgspec.json.encode(report).decode()


def report(paths: Sequence[Path], plan: Plan, key: str, say: Callable[[str], None]) -> Result:
    """Sift `paths`, write the result to the spool, send what waits there."""
    with spool.opened(plan.url) as kept:
        count = 0
        if paths:
            rejects = Kept()
            found = _sift(paths, plan, kept, rejects)
            _confirm(found.sources, plan, kept)
            rules = ruleset(plan.mapping)
            merged = [running.merge(kept.attack(one.attack_id), one, rules) for one in found.attacks]
            told = list(reports(merged, found.sources, plan, kept))
            kept.keep(found.regions, merged, told, rejects.take())
            count = len(told)
            balance = found.balance
            say(
                f"{balance.read} lines: {balance.observed} observed, {balance.noise} noise, "
                f"{balance.duplicate} duplicate, {balance.rejected} rejected"
            )
            say(f"→ {len(found.attacks)} attacks, {count} to report")
        answer = sending.send(kept, plan.url, key, say)
        return Result(
            attacks=count,
            sent=answer.sent,
            known=answer.known,
            refused=answer.refused,
            waiting=kept.counts()["pending"],
            receipts=str(kept.receipts),
            fault=answer.fault,
        )


def _sift(paths: Sequence[Path], plan: Plan, kept: spool.Spool, rejects: Rejects | None = None) -> Sifted:
    try:
        minimise.networks(plan.networks)
    except ValueError as error:
        raise BadInput(f"--network: {error}") from None
    options = engine.Options(
        networks=plan.networks,
        year=plan.year,
        tz=plan.tz,
        known=kept.regions(),
        unrecognised=edge_home() / "unrecognised",
        mapping=plan.mapping,
    )
    return engine.sift([str(path) for path in paths], options, rejects)


def reports(
    found: Iterable[Attack], sources: Sequence[Source], plan: Plan, kept: spool.Spool
) -> Iterator[Report]:
    """The reports on those attacks that are severe enough, as they will leave."""
    own = minimise.networks(plan.networks)
    key = token_key(kept)
    held = {source.source_id: holdings.holding(source, _said(source, plan, kept)) for source in sources}
    names = {source.path: source.source_id for source in sources}
    for attack in found:
        if RANK[attack.severity] >= RANK[plan.least]:
            yield minimise.minimise(attack, own=own, key=key, source_ids=names, holdings=held)


def token_key(kept: spool.Spool) -> bytes:
    """The member's own key under which its customers' addresses become tokens."""
    return bytes.fromhex(kept.setting("token-key", secrets.token_hex(32)) or "")


def _said(source: Source, plan: Plan, kept: spool.Spool) -> spool.Confirmation | None:
    if plan.kept_days is not None or plan.clock_error_ms is not None:
        before = kept.confirmation(source.source_id) or spool.Confirmation(None, None)
        return spool.Confirmation(
            before.kept_days if plan.kept_days is None else plan.kept_days,
            before.clock_error_ms if plan.clock_error_ms is None else plan.clock_error_ms,
        )
    return kept.confirmation(source.source_id)


def _confirm(sources: Sequence[Source], plan: Plan, kept: spool.Spool) -> None:
    """Remember what the options say of each source; where a person sits, ask once for what nobody said."""
    for source in sources:
        said = _said(source, plan, kept)
        if said is None and plan.interactive:
            said = _ask(source)
        if said is not None:
            kept.confirm(source.source_id, said, rfc3339(now()))


def _ask(source: Source) -> spool.Confirmation:
    rotated = holdings.rotation_days(Path(source.path).absolute())
    click.echo(
        f"{source.path}: held from {rfc3339(source.period_from)} to {rfc3339(source.period_to)}", err=True
    )
    days = click.prompt("for how many days is this log kept", default=rotated or 28, type=int, err=True)
    measured = (
        source.clock_error_ms if source.clock_error_ms is not None else holdings.measured_clock_error_ms()
    )
    answer = click.prompt(
        "how wrong may its clock be, in ms (empty: unknown)", default=measured or "", err=True
    )
    return spool.Confirmation(days, int(answer) if str(answer).isdigit() else None)
