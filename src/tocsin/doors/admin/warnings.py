"""The demo's second half: a warning protects another network, its reporter learns what it did, and the public
sees the figures; then a small simulated nation does the same.
"""

import csv
import io
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.doors.admin.pages import Visitor
from tocsin.doors.admin.story import EVIDENCE, GUESSER, MEMBERS, PHISH, SCOPES, TRUSTED
from tocsin.kernel.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from tocsin.doors.admin.demo import Stage
    from tocsin.doors.admin.scenes import Story


@dataclass
class Warnings:
    """The scenes after the answers; `nation` holds the simulated members' keys by folder name."""

    story: "Story"
    nation: dict[str, str] = field(default_factory=dict)

    @property
    def stage(self) -> "Stage":
        """Where it plays."""
        return self.story.stage

    def play(self) -> None:
        """From a warning to a public figure."""
        step = self.stage.step
        step("a warning reaches every member", self._share)
        step("a trusted person shares a name", self._approve)
        step("Moorview writes its lists", self._write_lists)
        step("its resolver's log is tallied", self._tally)
        step("the reporter learns what it did", self._effect)
        step("a small nation is simulated", self._simulate)
        step("its providers report", self._nation_reports)
        step("its resolvers refuse, and count", self._nation_blocks)
        step("the public figures", self._figures)

    def _share(self) -> str:
        from tocsin.sharing import queries

        def is_shared() -> bool:
            found = queries.find("address", GUESSER)
            return found is not None and found.state == "shared"

        wait_until(is_shared, "the guesser's address is not shared")
        return f"{GUESSER}, reported by 3 members independently, is on the list"

    def _approve(self) -> str:
        from tocsin.sharing.models import Indicator

        held_rows = Indicator.objects.filter(kind="name", value=PHISH)
        wait_until(held_rows.exists, "the phishing name is not known")
        held = held_rows.get()
        trusted = Visitor(self.stage.address).sign_in(TRUSTED.email, self.stage.passwords.of(TRUSTED.email))
        reason = "The page was looked at: it asks the provider's customers for card numbers."
        trusted.press(f"/indicators/{held.indicator_id}/approve", reason=reason)
        return f"{PHISH}, reported by one member, on {TRUSTED.name}'s word"

    def _write_lists(self) -> str:
        folder = self.stage.folder / "lists"
        folder.mkdir()
        names, addresses = folder / "tocsin.rpz", folder / "tocsin.nft"
        self.stage.edge(
            MEMBERS[2].key,
            *("zone", "--from", self.stage.address, "--names", str(names), "--addresses", str(addresses)),
            TOCSIN_KEY=self.story.keys[MEMBERS[2].key],
        )
        if PHISH not in names.read_text() or GUESSER not in addresses.read_text():
            raise Problem("the lists that were written lack what was shared")
        return f"{names.name} and {addresses.name}, each checked against the exchange's pinned key"

    def _tally(self) -> str:
        done = self._edge_tally(MEMBERS[2].key, self.story.keys[MEMBERS[2].key], EVIDENCE / "moorview-blocks")
        self.stage.facts["stopped"] = done
        return f"{done} connections stopped, told by the hour, no client named"

    def _edge_tally(self, member: str, key: str, *logs: Path) -> int:
        arguments = ("tally", *map(str, logs), "--to", self.stage.address, "--json")
        result = json.loads(self.stage.edge(member, *arguments, TOCSIN_KEY=key).stdout)
        return int(result["connections"])

    def _effect(self) -> str:
        from tocsin.blocking.queries import effect_of_reports
        from tocsin.intake.models import Report

        report = Report.objects.get(member__name=MEMBERS[1].name, kind="fraud/phishing")
        words = effect_of_reports([report.pk])[report.pk].words
        reporter = Visitor(self.stage.address).sign_in(
            MEMBERS[1].email, self.stage.passwords.of(MEMBERS[1].email)
        )
        if words not in reporter.open(f"/reports/{report.report_id}"):
            raise Problem("the reporter's page does not say what the report stopped")
        self.stage.facts["effect"] = words
        return f"{MEMBERS[1].name} reads: your report {words}"

    def _simulate(self) -> str:
        made = self.stage.edge("nation", "simulate", "--out", str(self.stage.folder / "nation"), "--json")
        told = json.loads(made.stdout)
        self.stage.facts["nation"] = told
        return f"{told['providers']} providers, {told['lines']:,} log lines (a model, not evidence)"

    def _nation_reports(self) -> str:
        from django.db import connections

        from tocsin.access import keys, services

        folder, sent = self.stage.folder / "nation", 0
        for member in json.loads((folder / "members.json").read_text()):
            if member["reports"] == "never":
                continue
            joined = services.add_member(member["name"], force_id=member["force"])
            self.nation[member["key"]] = keys.make_key(joined, "abuse desk", list(SCOPES))[1]
            networks = [word for network in member["networks"] for word in ("--network", network)]
            done = self.stage.edge(
                member["key"],
                *("report", str(folder / "evidence" / member["key"]), "--to", self.stage.address, *networks),
                *("--kept", str(member["kept_days"]), "--tz", member["time_zone"], "--json"),
                TOCSIN_KEY=self.nation[member["key"]],
            )
            sent += json.loads(done.stdout)["sent"]
        connections.close_all()
        self.stage.facts["nation_reports"] = sent
        return f"{sent} reports of {len(self.nation)} providers; some of them never report"

    def _nation_blocks(self) -> str:
        from tocsin.nation import blocklogs, traffic
        from tocsin.sharing import queries

        wait_until(self._is_quiet, "the nation's reports were not worked off")
        listed = dict.fromkeys(queries.shared("name"), blocklogs.ALWAYS)
        folder, stopped = self.stage.folder / "nation", 0
        for number, (member, key) in enumerate(self.nation.items()):
            form: blocklogs.Form = "bind" if number % 2 else "unbound"
            log = folder / f"{member}-rpz.log"
            lines = blocklogs.hits(traffic.read(folder / "traffic" / f"{member}.csv"), listed, form)
            log.write_text("".join(f"{line}\n" for line in lines))
            if log.stat().st_size:
                self.stage.edge(
                    member,
                    *("zone", "--from", self.stage.address, "--names", str(folder / f"{member}.rpz")),
                    TOCSIN_KEY=key,
                )
                stopped += self._edge_tally(member, key, log)
        self.stage.facts["nation_stopped"] = stopped
        return (
            f"{len(listed)} names on the list, {stopped:,} connections stopped at {len(self.nation)} networks"
        )

    def _is_quiet(self) -> bool:
        from tocsin.cases.models import Link

        expected = self.stage.facts["reports"] + self.stage.facts["nation_reports"]
        linked: int = Link.objects.filter(detached_at__isnull=True).count()
        return linked >= int(expected) * 9 // 10

    def _figures(self) -> str:
        from tocsin.figures import queries

        queries.publish()  # the worker would count what happened meanwhile within a minute
        anybody = Visitor(self.stage.address)

        def figures() -> int:
            return len(list(csv.reader(io.StringIO(anybody.open("/figures.csv"))))) - 1

        wait_until(lambda: figures() > 0, "the figures were not counted")
        self.stage.facts["figures"] = figures()
        return f"{self.stage.facts['figures']} figures with their definitions at {self.stage.address}/figures"


def wait_until(holds: "Callable[[], bool]", complaint: str, seconds: float = 60) -> None:
    """Return as soon as it holds. Raises Problem with the complaint when it does not in time."""
    ends = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends:
            raise Problem(f"{complaint} within {seconds:.0f} s")
        time.sleep(0.1)
