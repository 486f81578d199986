"""How right linking is: the simulated nation's reports, linked and judged by the hidden truth, pair by pair.

    python -m bench.linking_truth [--seeds 201 202 203] [--providers 40] [--days 10]

Two reports belong together when one campaign made both; what no campaign made belongs to nothing. Precision
is the share of pairs in one case that belong together, recall the share of pairs belonging together that are
in one case. Beside it: one case for each address, and for each address and day. A model, not evidence.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SHORT = os.environ.get("TOCSIN_BENCH_SHORT") == "1"
SEEDS = (201, 202, 203)  # nobody has tuned anything on these
BATCH = 500


def run() -> list[dict[str, Any]]:
    """A row for each seed, each in a process and a home of its own."""
    return [apart(seed, 8, 3) for seed in SEEDS[:1]] if SHORT else [apart(seed, 40, 10) for seed in SEEDS]


def apart(seed: int, providers: int, days: int) -> dict[str, Any]:
    """One seed in a process of its own."""
    inside = [sys.executable, "-m", "bench.linking_truth", "--inside", "--seeds", str(seed)]
    inside += ["--providers", str(providers), "--days", str(days)]
    with tempfile.TemporaryDirectory(prefix="tocsin-truth-") as home:
        environment = {**os.environ, "TOCSIN_HOME": home, "DJANGO_SETTINGS_MODULE": "tocsin.site.settings"}
        environment.pop("DATABASE_URL", None)
        done = subprocess.run(
            inside, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
        )
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def measure(seed: int, providers: int, days: int) -> dict[str, Any]:
    """In the measured process: make the nation, sift, take in, link, judge."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from bench.nation import sift
    from tocsin.cases.models import Link, Suggestion
    from tocsin.nation import making, truth
    from tocsin.nation.shape import Shape

    folder = Path(os.environ["TOCSIN_HOME"]) / "nation"
    making.simulate(Shape(seed, providers, 43, days), folder)
    members = json.loads((folder / "members.json").read_bytes())
    take_in(members, sift(folder, members).reports)
    # No two campaigns share an origin, so the origin names the campaign.
    campaign_of = {origin: one.campaign for one in truth.read(folder).campaigns for origin in one.origins}
    rows = list(
        Link.objects.filter(detached_at__isnull=True)
        .order_by("report")
        .values_list("case_id", "report__origin", "report__first_seen_at")
    )
    true = [campaign_of.get(origin, number) for number, (_, origin, _) in enumerate(rows)]
    precision, recall = pairwise([case for case, _, _ in rows], true)
    by_address = pairwise([origin for _, origin, _ in rows], true)
    by_day = pairwise([(origin, seen.date()) for _, origin, seen in rows], true)
    return {
        "what": "linking, judged by the truth",
        "seed": seed,
        "reports": len(rows),
        "campaigns": len(set(true)),
        "cases": len({case for case, _, _ in rows}),
        "precision": precision,
        "recall": recall,
        "same_address": by_address,
        "same_address_and_day": by_day,
        "suggestions": Suggestion.objects.count(),
    }


def take_in(members: Sequence[dict[str, Any]], reports: dict[str, list[Any]]) -> None:
    """Every member's reports in batches, the late ones last, each batch linked as it comes."""
    import msgspec

    from tocsin.access import keys, services
    from tocsin.cases.linking import link_reports
    from tocsin.intake import services as intake
    from tocsin.intake.models import Report

    order = sorted((one for one in members if one["reports"] != "never"), key=lambda one: one["delay_days"])
    for member in order:
        row = services.add_member(member["name"], force_id=member["force"])
        actor = keys.actor_of_key(keys.make_key(row, "edge", ["reports:write"])[1])
        mine = [msgspec.json.encode(report) for report in reports[member["key"]]]
        for start in range(0, len(mine), BATCH):
            answer = intake.submit(actor, mine[start : start + BATCH])
            report_ids = [receipt.report_id for receipt in answer.receipts]
            link_reports(Report.objects.filter(report_id__in=report_ids).values_list("pk", flat=True))


def pairwise(found: Sequence[Hashable], true: Sequence[Hashable]) -> tuple[float, float]:
    """Precision and recall over all pairs, from how many share a group, a truth, and both."""
    both = pairs(Counter(zip(found, true, strict=True)))
    together, belonging = pairs(Counter(found)), pairs(Counter(true))
    return round(both / max(together, 1), 4), round(both / max(belonging, 1), 4)


def pairs(groups: Counter[Any]) -> int:
    """How many pairs there are within groups of these sizes."""
    return sum(size * (size - 1) // 2 for size in groups.values())


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--providers", type=int, default=40)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    for seed in given.seeds:
        made = measure if given.inside else apart
        print(json.dumps(made(seed, given.providers, given.days)), flush=True)


if __name__ == "__main__":
    main()
