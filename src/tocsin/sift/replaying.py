"""Reading rejected lines again: a rule or a reader was mended, and nothing was thrown away meanwhile."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tocsin.kernel.problems import BadInput
from tocsin.sift import engine, reporting, running, spool
from tocsin.sift.live.windows import Window
from tocsin.sift.rejects import Kept
from tocsin.sift.rulebook import ruleset
from tocsin.sift.sources import Source
from tocsin.sift.values import Attack


class Result(msgspec.Struct, frozen=True):
    """What became of rejected lines: `still` are rejected again, and kept."""

    lines: int
    observed: int
    noise: int
    still: int
    attacks: int


@dataclass(frozen=True)
class Line:
    """A line as it was rejected: where it stood, and its bytes."""

    path: str
    line: int
    raw: bytes


def read_file(path: Path) -> list[Line]:
    """What `tocsin sift` kept: path, line, reason and raw bytes, separated by tabs. Raises BadInput."""
    try:
        rows = path.read_bytes().splitlines()
    except OSError as error:
        raise BadInput(f"{path}: {(error.strerror or 'cannot be read').lower()}") from error
    lines = []
    for row in rows:
        parts = row.split(b"\t", 3)
        if len(parts) != 4 or not parts[1].isdigit():
            raise BadInput(
                f"{path}: not a file of rejected lines", hint="name what `tocsin sift` says it kept"
            )
        where = parts[0].replace(b"\\t", b"\t").replace(b"\\n", b"\n").decode(errors="surrogateescape")
        lines.append(Line(where, int(parts[1]), parts[3]))
    return lines


def replay(lines: Sequence[Line], options: engine.Options, rejects: Kept) -> tuple[Result, Sequence[Attack]]:
    """Sift rejected lines again; `rejects` hold what is still rejected.

    What was rejected as a whole (an unreadable file, a document) has no lines to read and stays rejected.
    """
    run = engine.Run(options, rejects=rejects)
    for path, first, content in _stretches(lines, rejects):
        changed = Source(path).changed_at() or time.time()
        run.read(Window(path=path, first_line=first, content=content, head=content, changed=changed))
    sifted = run.finish()
    still = sifted.balance.rejected
    result = Result(
        lines=len(lines),
        observed=sifted.balance.observed,
        noise=sifted.balance.noise,
        still=still,
        attacks=len(sifted.attacks),
    )
    return result, sifted.attacks


def replay_spool(plan: reporting.Plan) -> Result:
    """Read again what `report` and `watch` to this exchange rejected; what it shows is to be reported.

    Everything is written in one transaction: what was read leaves the rejected as its attacks are kept.
    """
    with spool.opened(plan.url) as kept:
        rows = kept.rejected()
        rejects = Kept()
        options = engine.Options(networks=plan.networks, year=plan.year, tz=plan.tz, mapping=plan.mapping)
        result, attacks = replay([Line(path, line, raw) for _, path, line, _, raw in rows], options, rejects)
        rules = ruleset(plan.mapping)
        merged = [running.merge(kept.attack(attack.attack_id), attack, rules) for attack in attacks]
        told = list(reporting.reports(merged, (), plan, kept)) if plan.url != spool.NOWHERE else []
        kept.replace_rejected([row[0] for row in rows], merged, told, rejects.take())
        return result


def _stretches(lines: Iterable[Line], rejects: Kept) -> Iterator[tuple[str, int, bytes]]:
    """Lines that follow one another in a source, as one piece each; the numbers stay those of the source."""
    by_path: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.line and line.raw:
            by_path[line.path].append(line)
        else:
            rejects.add(line.path, line.line, "nothing to read again: it was rejected as a whole", line.raw)
    for path, found in by_path.items():
        found.sort(key=lambda line: line.line)
        start = 0
        for end in range(1, len(found) + 1):
            if end == len(found) or found[end].line != found[end - 1].line + 1:
                piece = b"".join(line.raw + b"\n" for line in found[start:end])
                yield path, found[start].line, piece
                start = end
