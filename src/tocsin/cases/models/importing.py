"""Cases that came from a unit's own list, by the numbers that they have there."""

from django.db import models

from tocsin.access.models import Unit
from tocsin.cases.models.case import Case


class ForeignNumber(models.Model):
    """The number of an imported case in its unit's own system: found by it, and never imported twice."""

    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="foreign_number")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+", db_index=False)
    number = models.CharField(max_length=80)
    status = models.CharField(max_length=80, blank=True, help_text="as the unit's own list says it")
    imported_at = models.DateTimeField()
    imported_by = models.CharField(max_length=160)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["unit", "number"], name="cases_foreign_number_once")]
