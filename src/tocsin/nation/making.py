"""`simulate`: a nation in a folder, as `docs/nation.md` describes it."""

import hashlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec

from tocsin.kernel.problems import BadInput
from tocsin.nation import people, places, traffic, truth
from tocsin.nation.campaigns import Planner, Strike, strikes
from tocsin.nation.evidence import Desk
from tocsin.nation.places import Provider
from tocsin.nation.shape import Shape


class Summary(msgspec.Struct, frozen=True):
    """A nation in figures."""

    seed: int
    providers: int
    forces: int
    officers: int
    days: int
    campaigns: int
    attacks: int
    lines: int
    connections: int

    @property
    def sentence(self) -> str:
        """The nation in one line."""
        return (
            f"{self.providers} providers, {self.forces} forces, {self.officers} people who answer, "
            f"{self.days} days: {self.campaigns:,} campaigns, {self.attacks:,} attacks, "
            f"{self.lines:,} log lines, {self.connections:,} connections to bad places"
        )


def simulate(shape: Shape, out: Path) -> Summary:
    """Write the nation into `out`, a folder that is empty or not there yet. Raises BadInput otherwise."""
    _check(out)
    units = people.units(shape)
    officers = people.officers(shape, units)
    members = places.make(shape, people.forces(units))
    campaigns = list(Planner(shape, members).plan())
    by_member: dict[int, list[Strike]] = defaultdict(list)
    for campaign in campaigns:
        for strike in strikes(campaign, shape, members):
            by_member[strike.provider].append(strike)
    _write_json(out / "nation.json", _nation(shape))
    _write_json(out / "members.json", [_public(member) for member in members])
    _write_json(out / "units.json", units)
    _write_json(out / "officers.json", officers)
    (out / "traffic").mkdir()
    attacks, innocents, lines, connections = [], [], 0, 0
    for member in members:
        desk = Desk(shape, member, out / "evidence" / member.key)
        desk.write(by_member.pop(member.number, []))
        attacks += desk.attacks
        innocents += desk.innocents
        lines += desk.lines
        flows = traffic.flows(shape, member, campaigns)
        connections += traffic.write(out / "traffic" / f"{member.key}.csv", flows)
    hidden = out / truth.FOLDER
    hidden.mkdir()
    (hidden / "campaigns.jsonl").write_bytes(b"".join(truth.lines(campaigns)))
    (hidden / "attacks.jsonl").write_bytes(b"".join(truth.lines(attacks)))
    (hidden / "innocents.jsonl").write_bytes(b"".join(truth.lines(innocents)))
    _write_json(hidden / "clocks.json", {member.key: member.clock_offset for member in members})
    return Summary(
        seed=shape.seed,
        providers=len(members),
        forces=len(people.forces(units)),
        officers=len(officers),
        days=shape.days,
        campaigns=len(campaigns),
        attacks=len(attacks),
        lines=lines,
        connections=connections,
    )


def digest(folder: Path) -> str:
    """SHA-256 over every file of a nation: path and bytes, and of evidence the time of change, which tells
    the year of its lines."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            place, known = path.relative_to(folder), path.stat()
            at = int(known.st_mtime) if place.parts[0] == "evidence" else 0
            whole.update(f"{place}\0{known.st_size}\0{at}\0".encode())
            whole.update(path.read_bytes())
    return whole.hexdigest()


def _check(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise BadInput(f"{out} is not empty", hint="name a folder that is empty or not there yet")
    except OSError as error:
        raise BadInput(f"{out}: {(error.strerror or 'cannot be written').lower()}") from error


def _nation(shape: Shape) -> dict[str, Any]:
    return {
        "schema": "tocsin-nation/1",
        "caption": "model, not evidence",
        "seed": shape.seed,
        "days": shape.days,
        "first_day": shape.first_day.isoformat(),
    }


def _public(member: Provider) -> dict[str, Any]:
    """What a provider knows about itself; how wrong its clocks are is not among it."""
    return {
        "key": member.key,
        "name": member.name,
        "force": member.force,
        "networks": list(member.networks),
        "time_zone": member.time_zone,
        "clock_error_ms": member.clock_error_ms,
        "kept_days": member.kept_days,
        "reports": member.habit,
        "delay_days": member.delay_days,
    }


def _write_json(path: Path, value: Any) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")
