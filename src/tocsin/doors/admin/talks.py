"""The demo's talks between officers and reporters: a question, a crime number, a rating, a review."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tocsin.doors.admin.story import CRIME_NUMBER, MEMBERS, TRUSTED, DemoMember
from tocsin.doors.admin.warnings import wait_until
from tocsin.kernel.problems import Problem

if TYPE_CHECKING:
    from tocsin.doors.admin.scenes import Story

QUESTION = "source-port"
REPORT = r"/reports/report_[0-9A-Z]+"


@dataclass
class Talks:
    """Scenes that need two people."""

    story: "Story"

    def ask(self) -> str:
        """An officer asks the providers of a case; each answers in one press."""
        officer, case = self.story.taken[0]
        officer.press(f"{case}/ask", question=QUESTION)
        answered = [member.name for member in MEMBERS if self._replies(member)]
        if not answered:
            raise Problem(f"nobody was asked about {case}")
        self.story.stage.facts["questions"] = len(answered)
        return f"“Does your log hold the source port?” Yes, in one press ({', '.join(answered)})"

    def _replies(self, member: DemoMember) -> bool:
        reporter = self.story.visitor(member.email)
        for report in reporter.links("/reports", REPORT):
            asked = re.search(rf'action="({report}/questions/[^"]+)"', reporter.open(report))
            if asked:
                reporter.press(asked[1], answer="yes")
                return True
        return False

    def note_crime_number(self) -> str:
        """The number of the official record comes back to the case as it was copied."""
        officer, case = self.story.taken[0]
        page = officer.press(f"{case}/crime-number", crime_number=f"Report Fraud {CRIME_NUMBER}")
        if CRIME_NUMBER not in page:
            raise Problem(f"the case does not show its crime number {CRIME_NUMBER}")
        return f"{CRIME_NUMBER}, pasted once; the reporters read it"

    def rate(self) -> str:
        """A reporter says how useful an answer was."""
        member = MEMBERS[1]
        reporter = self.story.visitor(member.email)
        for report in reporter.links("/reports", REPORT):
            if f'action="{report}/rate"' in reporter.open(report):
                reporter.press(f"{report}/rate", step="3", note="We can tell our customers.")
                self.story.stage.facts["ratings"] = 1
                return f"{member.name} finds its answer helpful, and the unit sees it"
        raise Problem(f"{member.name} has no answer to rate")

    def review(self) -> str:
        """What two cases share is too weak to join them; a person says that they are one."""
        officer = self.story.visitor(TRUSTED.email)

        def suggested() -> list[str]:
            return re.findall(r'action="/links/decide"(.*?)</form>', officer.open("/links"), re.S)

        wait_until(lambda: bool(suggested()), "no two cases were suggested as one")
        before = suggested()
        officer.press("/links/decide", pair=re.findall(r'name="pair" value="(\d+)"', before[0]), said="yes")
        self.story.stage.facts["reviewed"] = 1
        return f"{TRUSTED.name} joins the first of {len(before)} pairs by one press, and could part it by one"
