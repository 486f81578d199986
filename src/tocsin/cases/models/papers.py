"""What came back from other systems."""

from django.db import models

from tocsin.access.models import Person, Unit
from tocsin.cases.models.case import Case


class CrimeNumber(models.Model):
    """A number that the recording service gave for a case; a corrected one stays, and says since when."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="crime_numbers")
    number = models.CharField(max_length=60, db_index=True)
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=160)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    replaced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=models.Q(replaced_at__isnull=True), name="cases_crime_number_once"
            )
        ]
