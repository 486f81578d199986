"""Sealed cases, who may read them all the same, and who broke a seal in need."""

from django.db import models

from tocsin.access.models import Person
from tocsin.cases.models.case import Case


class Seal(models.Model):
    """That only named people read a case; others see its number and its clock."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="seals")
    sealed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(help_text="read by those who are named, and never by others")
    sealed_at = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    people = models.ManyToManyField(Person, related_name="seals")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=models.Q(lifted_at__isnull=True), name="cases_seal_one"
            )
        ]


class BrokenGlass(models.Model):
    """That a supervisor reads a sealed case in need, why, and until when."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="broken_glass", db_index=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.TextField()
    at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["person", "expires_at", "case"], name="cases_glass_of")]
