"""Shared indicators for tests, as the sharing room leaves them, with the reports that stand behind them."""

import itertools
import uuid

from tests.exchange import a_key, a_member, a_report, spelled

from tocsin.access.models import Member
from tocsin.intake import services as intake
from tocsin.intake.models import Report
from tocsin.kernel.time import now
from tocsin.sharing.models import Assertion, Indicator

_number = itertools.count(1)


def an_indicator(value: str = "198.51.100.7", kind: str = "address", *, was_shared: bool = True) -> Indicator:
    """An address or a name that was shared, or never was."""
    at, number = now(), next(_number)
    return Indicator.objects.create(
        indicator_id=f"indicator_{number}",
        stix_id=uuid.uuid4(),
        kind=kind,
        value=value,
        attack_kind="intrusion-attempts/login-attempts",
        state=Indicator.State.SHARED if was_shared else Indicator.State.HELD,
        reason="two members say so",
        asserted_at=at,
        changed_at=at,
    )


def asserted(indicator: Indicator, member: Member | None = None) -> Report:
    """A member's report that is one word for the indicator."""
    member = member or a_member()
    told = a_report(origins=(indicator.value,))
    assert not intake.submit(a_key(member), [spelled(told)]).refusals
    report = Report.objects.get(member=member, attack_id=told.attack_id)
    Assertion.objects.get_or_create(
        indicator=indicator, report=report, defaults={"member": member, "asserted_at": now()}
    )
    return report
