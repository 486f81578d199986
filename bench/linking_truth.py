"""How right linking is: the simulated nation's reports, linked and judged by the hidden truth, pair by pair.

    python -m bench.linking_truth [--seeds 301 302 303] [--noise 1 4 16] [--providers 130] [--days 10]

Two reports belong together when one campaign made both; what no campaign made belongs to nothing. Precision
is the share of pairs in one case that belong together, recall the share of pairs belonging together that are
in one case. Beside it: one case for each address, and for each address and day. The exchange looks for
campaigns twice, as its worker would: when the prompt members have reported, and when the late ones have. Each
seed has a noise of its own. A model, not evidence.
"""

import argparse
import datetime as dt
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SHORT = os.environ.get("TOCSIN_BENCH_SHORT") == "1"
SEEDS = (301, 302, 303)  # nobody has tuned anything on these
NOISE = (1, 4, 16)
FORCES = 43
BATCH = 500


def run() -> list[dict[str, Any]]:
    """A row for each seed and its noise, each in a process and a home of its own."""
    if SHORT:
        return [apart(SEEDS[0], 8, 3)]
    return [apart(seed, 130, 10, noise) for seed, noise in zip(SEEDS, NOISE, strict=True)]


def apart(seed: int, providers: int, days: int, noise: int = 1) -> dict[str, Any]:
    """One seed in a process of its own."""
    inside = [sys.executable, "-m", "bench.linking_truth", "--inside", "--seeds", str(seed)]
    inside += ["--providers", str(providers), "--days", str(days), "--noise", str(noise)]
    with tempfile.TemporaryDirectory(prefix="tocsin-truth-") as home:
        environment = {**os.environ, "TOCSIN_HOME": home, "DJANGO_SETTINGS_MODULE": "tocsin.site.settings"}
        environment.pop("DATABASE_URL", None)
        done = subprocess.run(
            inside, env=environment, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
        )
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def measure(seed: int, providers: int, days: int, noise: int) -> dict[str, Any]:
    """In the measured process: make the nation, sift, take in, link, judge."""
    from bench.nation import sift
    from tocsin.nation import making, truth
    from tocsin.nation.shape import Shape

    folder = Path(os.environ["TOCSIN_HOME"]) / "nation"
    making.simulate(Shape(seed, providers, FORCES, days, noise=noise), folder)
    members = json.loads((folder / "members.json").read_bytes())
    # No two campaigns share an origin, so the origin names the campaign.
    campaign_of = {origin: one.campaign for one in truth.read(folder).campaigns for origin in one.origins}
    return {"seed": seed, "noise": noise} | judged(members, sift(folder, members).reports, campaign_of)


def judged(
    members: Sequence[dict[str, Any]], reports: dict[str, list[Any]], campaign_of: dict[str, str]
) -> dict[str, Any]:
    """Take the reports in, link them, and compare cases with the truth."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from tocsin.cases.audit import check_cases
    from tocsin.cases.models import Link, Move, Suggestion

    seconds = take_in(members, reports)
    rows = list(
        Link.objects.filter(detached_at__isnull=True)
        .order_by("report")
        .values_list("case_id", "report__origin", "report__first_seen_at")
    )
    true = [campaign_of.get(origin, number) for number, (_, origin, _) in enumerate(rows)]
    cases, origins = [case for case, _, _ in rows], [origin for _, origin, _ in rows]
    days = [seen.date() for _, _, seen in rows]
    precision, recall = pairwise(cases, true)
    busiest, attacks = Counter(days).most_common(1)[0]
    return {
        "what": "linking, judged by the truth",
        "reports": len(rows),
        "campaigns": len(set(true)),
        "cases": len(set(cases)),
        "precision": precision,
        "recall": recall,
        "same_address": pairwise(origins, true),
        "same_address_and_day": pairwise(list(zip(origins, days, strict=True)), true),
        "busiest_day": {
            "attacks": attacks,
            "cases": len({case for case, day in zip(cases, days, strict=True) if day == busiest}),
            "addresses": len({origin for origin, day in zip(origins, days, strict=True) if day == busiest}),
        },
        "joined_by_the_exchange": Move.objects.count(),
        "suggestions": Suggestion.objects.count(),
        "broken_promises": sum(1 for _ in check_cases()),
        **seconds,
    }


def take_in(members: Sequence[dict[str, Any]], reports: dict[str, list[Any]]) -> dict[str, float]:
    """Every member's reports in batches, the late ones last, each batch linked as it comes.

    Gives the CPU seconds of linking and of looking for campaigns.
    """
    import msgspec

    from tocsin.access import keys, services
    from tocsin.cases.gathering import gather_campaigns
    from tocsin.cases.linking import link_reports
    from tocsin.intake import services as intake
    from tocsin.intake.models import Report

    linking = gathering = 0.0
    everybody = [one for one in members if one["reports"] != "never"]
    for late in (False, True):
        for member in [one for one in everybody if (one["delay_days"] > 0) is late]:
            row = services.add_member(member["name"], force_id=member["force"])
            actor = keys.actor_of_key(keys.make_key(row, "edge", ["reports:write"])[1])
            mine = [msgspec.json.encode(report) for report in reports[member["key"]]]
            for start in range(0, len(mine), BATCH):
                answer = intake.submit(actor, mine[start : start + BATCH])
                report_ids = [receipt.report_id for receipt in answer.receipts]
                pks = list(Report.objects.filter(report_id__in=report_ids).values_list("pk", flat=True))
                began = time.process_time()
                link_reports(pks)
                linking += time.process_time() - began
        began = time.process_time()
        gather_campaigns(since=dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
        gathering += time.process_time() - began
    return {"linking_cpu_seconds": round(linking, 1), "campaigns_cpu_seconds": round(gathering, 1)}


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
    parser.add_argument("--noise", type=int, nargs="+", default=list(NOISE), help="of each seed in turn")
    parser.add_argument("--providers", type=int, default=130)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    for seed, noise in zip(given.seeds, itertools.cycle(given.noise)):
        made = measure if given.inside else apart
        print(json.dumps(made(seed, given.providers, given.days, noise)), flush=True)


if __name__ == "__main__":
    main()
