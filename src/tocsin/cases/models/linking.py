"""Why reports are in a case, what suggests that cases are one, and who moved what."""

from django.db import models

from tocsin.access.models import Member, Person, Unit
from tocsin.cases.models.case import Case
from tocsin.intake.models import Report
from tocsin.inventory.models import Holding


class Hint(models.Model):
    """What a case has in common with others that is too weak to act upon, as `cases.hints` spells it."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="hints")
    text = models.CharField(max_length=400)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["text", "case"], name="cases_hint_once")]


class Suggestion(models.Model):
    """That two cases may be one, why, and how strongly: a person decides. `case` is the older one.

    What a person said stands: the same pair is not suggested again.
    """

    class State(models.TextChoices):
        OPEN = "open", "Nobody has looked"
        UNSURE = "unsure", "Somebody looked and was not sure"
        NO = "no", "They do not belong together"
        YES = "yes", "They are one, and were joined"

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="suggestions")
    other = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="suggested_to")
    reason = models.TextField()
    strength = models.PositiveSmallIntegerField(
        help_text="0 to 100; what is strong acts and is no suggestion"
    )
    made_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    person = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    person_name = models.CharField(max_length=160, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "other"], name="cases_suggestion_once")]
        indexes = [models.Index("state", models.F("strength").desc(), "id", name="cases_suggestion_open")]


class Move(models.Model):
    """Reports that somebody moved from one case to another, so that it can be undone."""

    class Kind(models.TextChoices):
        DETACH = "detach", "A report taken out, into a case of its own"
        SPLIT = "split", "Some reports, into a case of their own"
        ATTACH = "attach", "A report moved into another case"
        MERGE = "merge", "All reports of a case, into another"
        UNDO = "undo", "Back, as though nothing had happened"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    source = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="moves_out")
    target = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="moves_in")
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=160)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    status_before = models.CharField(max_length=8, help_text="of the source: where undoing takes it back to")
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)


class Link(models.Model):
    """Why a report belongs to a case. Detaching is ordinary: the row stays, with who and when."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="links", db_index=False)
    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="links")
    reason = models.TextField()
    strength = models.PositiveSmallIntegerField(help_text="0 to 100")
    linked_at = models.DateTimeField()
    linked_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    detached_at = models.DateTimeField(null=True, blank=True)
    detached_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    move = models.ForeignKey(
        Move,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="links",
        db_index=False,
        help_text="the move that made this link; empty where the exchange did",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["report"], condition=models.Q(detached_at__isnull=True), name="cases_link_one_case"
            )
        ]
        indexes = [
            models.Index(fields=["case", "linked_at", "id"], name="cases_link_of_case"),
            models.Index(  # few links are made by hand
                fields=["move"], condition=models.Q(move__isnull=False), name="cases_link_moved"
            ),
            models.Index(  # and few reports are taken out
                fields=["case"], condition=models.Q(detached_at__isnull=False), name="cases_link_detached"
            ),
        ]


class Share(models.Model):
    """How many reports one member has in one case: sums, so that no case is counted again for each report.

    How the case stands is kept beside it (`cases.shares`), so that a member's page is made of sums and of the
    first fifty rows of an index, whatever it has reported.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="shares", db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", db_index=False)
    reports = models.PositiveIntegerField()
    first_report = models.BigIntegerField(help_text="row of the member's first report in it: who came first")
    status = models.CharField(max_length=8, default="", db_default="", help_text="as the case has it")
    outcome_code = models.CharField(max_length=4, default="", db_default="")
    closed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "member"], name="cases_share_once")]
        indexes = [
            models.Index(fields=["member", "closed_at", "due_at", "reports"], name="cases_share_owed"),
            models.Index(fields=["member", "status", "outcome_code", "reports"], name="cases_share_sums"),
        ]


class CaseHolding(models.Model):
    """Which logs stand behind a case, each once: kept by `cases.holdings`; no report is asked again."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="held", db_index=False)
    holding = models.ForeignKey(Holding, on_delete=models.CASCADE, related_name="cases")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "holding"], name="cases_holding_once")]
