"""What orders and finds cases: weights of units, filters that people keep, words to search, acts on many."""

from django.db import models

from tocsin.access.models import Person, Unit
from tocsin.cases.models.case import Case


class UnitWeights(models.Model):
    """What a unit's supervisor decided that the parts of a score count; the newest that stands holds."""

    unit = models.ForeignKey(Unit, on_delete=models.CASCADE, related_name="weights")
    severity = models.PositiveSmallIntegerField()
    solvability = models.PositiveSmallIntegerField()
    harm = models.PositiveSmallIntegerField()
    volume = models.PositiveSmallIntegerField()
    reason = models.TextField()
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=160)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)


class SavedFilter(models.Model):
    """A filter of the queue that somebody keeps by name; the default one holds where nothing was chosen."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="saved_filters", db_index=False)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, help_text="as it stands in the page's address")
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "name"], name="cases_filter_once")]


class Term(models.Model):
    """A word, name or address that a case is found by, as `cases.terms` spells it.

    Bytes, because both engines compare them alike, whatever the language of the database: what begins with
    something is a range of the index.
    """

    text = models.BinaryField(max_length=64)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="terms", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["text", "case"], name="cases_term_once")]
        indexes = [models.Index(fields=["case", "text"], name="cases_term_of_case")]


class Bulk(models.Model):
    """One press that did something to many cases, so that one press takes it back."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="bulks")
    act = models.CharField(max_length=12)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)


class Doing(models.Model):
    """What one act found and left, so that it can be taken back for a minute."""

    bulk = models.ForeignKey(Bulk, on_delete=models.CASCADE, related_name="doings")
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="doings")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+", db_index=False)
    act = models.CharField(max_length=12)
    before = models.JSONField(help_text="the fields that the act changed, as they were")
    after = models.JSONField(help_text="the same, as the act left them")
    clocks_before = models.JSONField(default=list, help_text="rows of the clocks that were running")
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)
