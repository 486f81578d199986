"""What happens to reports after they came in."""

import datetime as dt
from collections.abc import Iterable

from tocsin.intake.models import Report


def set_status(report_pks: Iterable[int], status: str, at: dt.datetime) -> None:
    """Push an exchange status down to reports; readers by `updated_since` see it. Only inside an act."""
    Report.objects.filter(pk__in=list(report_pks)).update(status=status, updated_at=at)
