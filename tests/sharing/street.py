"""Members on one street who report, and a trusted person among them."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from tests.exchange import a_key, a_member, a_report, spelled

from tocsin.access import services as access
from tocsin.access.models import Member
from tocsin.access.policy import Actor
from tocsin.intake import services as intake
from tocsin.intake.models import Report
from tocsin.sharing import services
from tocsin.sharing.models import Indicator

NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
ATTACKER = "80.94.92.17"  # public, and on no warning list
PHISH = "secure-login.bad-site.top"


@dataclass
class Street:
    """Verbs to report, to decide and to look up."""

    keys: dict[str, Actor] = field(default_factory=dict)

    def key(self, member: str) -> Actor:
        """The key of a member, who joins when first named."""
        if member not in self.keys:
            self.keys[member] = a_key(a_member(member))
        return self.keys[member]

    def member(self, name: str) -> Member:
        """The member of that name."""
        return self.key(name).members[0]

    def report(self, member: str, origin: str = ATTACKER, at: dt.datetime = NOON, **changes: Any) -> Report:
        """One report taken in and asserted at that instant."""
        return self.reports(member, [{"origins": (origin,), **changes}], at)[0]

    def phish(self, member: str, *names: str, at: dt.datetime = NOON, **changes: Any) -> Report:
        """A phishing report about names."""
        fields = {"kind": "fraud/phishing", "origins": ("198.51.100.1",), "targets": ("bank",)}
        return self.reports(member, [{**fields, "names": names or (PHISH,), **changes}], at)[0]

    def reports(self, member: str, several: list[dict[str, Any]], at: dt.datetime = NOON) -> list[Report]:
        """Several reports of one member."""
        sent = [spelled(a_report(**changes)) for changes in several]
        accepted = intake.submit(self.key(member), sent)
        ids = [receipt.report_id for receipt in accepted.receipts]
        found = {row.report_id: row for row in Report.objects.filter(report_id__in=ids)}
        services.assert_reports([row.pk for row in found.values()], at)
        return [found[report_id] for report_id in ids]

    def trusted(self) -> Actor:
        """Somebody who may share alone."""
        person = access.add_person(f"tess{len(self.keys)}@example.org", "Tess", "secret")
        access.give_role(person, "trusted")
        return Actor.of_person(person)

    def find(self, value: str) -> Indicator | None:
        """An indicator by its value, where there is one."""
        return Indicator.objects.filter(value=value).first()

    def indicator(self, value: str = ATTACKER) -> Indicator:
        """An indicator by its value."""
        return Indicator.objects.get(value=value)
