"""What units ask the members of a case, and how useful members found an answer."""

from django.db import models

from tocsin.access.models import Member, Person, Unit
from tocsin.cases.models.case import Case
from tocsin.intake.models import Report
from tocsin.kernel.ids import new_id


def new_question_id() -> str:
    return new_id("question")


class Question(models.Model):
    """A question of the pack's list, asked about one report; its member alone sees it and may answer."""

    class How(models.TextChoices):
        ANSWERED = "answered", "Answered"
        WITHDRAWN = "withdrawn", "Taken back by the unit"
        PASSED = "passed", "Taken back because the case went on"
        LAPSED = "lapsed", "Not answered in time"

    question_id = models.CharField(max_length=32, unique=True, default=new_question_id)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="questions", db_index=False)
    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="questions", db_index=False)
    code = models.CharField(max_length=40, help_text="row of the pack's questions")
    asked_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    asked_by_name = models.CharField(max_length=160)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    lapses_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    how = models.CharField(max_length=10, choices=How.choices, blank=True)
    answer = models.CharField(
        max_length=200, blank=True, help_text="one of its options, an instant, a number"
    )
    note = models.CharField(max_length=280, blank=True, help_text="never about a person")
    answered_by_name = models.CharField(max_length=160, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["report", "code"],
                condition=models.Q(closed_at__isnull=True),
                name="cases_question_once",
            )
        ]
        indexes = [
            models.Index(fields=["case", "closed_at"], name="cases_question_of_case"),
            models.Index(fields=["report"], name="cases_question_of_report"),
            models.Index(
                fields=["lapses_at"],
                condition=models.Q(closed_at__isnull=True),
                name="cases_question_lapses",
            ),
        ]


class Rating(models.Model):
    """How useful one member found how its case ended; it may change its mind."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="ratings", db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(help_text="when the case was closed: which answer it is about")
    step = models.PositiveSmallIntegerField(help_text="1 of no use, 2 of some use, 3 useful")
    note = models.CharField(max_length=280, blank=True)
    rated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "member", "ended_at"], name="cases_rating_once")
        ]
