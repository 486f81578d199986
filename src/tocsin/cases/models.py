"""Cases: linked reports that one unit owns, their clocks, decisions and outcomes."""

from django.db import models

from tocsin.access.models import Member, Person, Unit
from tocsin.intake.models import Report


class Case(models.Model):
    """One or more linked reports, routed to an investigating and a support unit."""

    case_id = models.CharField(max_length=32, unique=True)
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=80)
    severity = models.CharField(max_length=8)
    lane = models.CharField(max_length=10, default="ordinary")
    status = models.CharField(max_length=8, default="X-ACK", help_text="X-… of the pack's status codes")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    investigating_unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="investigating")
    support_unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="supporting")
    route_rule = models.CharField(max_length=40, help_text="id of the routing rule that decided")
    route_reason = models.TextField(help_text="one sentence, shown with the decision")
    route_told = models.TextField(help_text="the same for reporters: nothing of other members")
    owner = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="owned_cases"
    )
    owner_name = models.CharField(
        max_length=160, blank=True, help_text="name as given, for officers without account"
    )
    owned_at = models.DateTimeField(null=True, blank=True)
    coordinator = models.ForeignKey(
        Person,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="coordinated_cases",
        help_text="named while the investigating unit has not joined",
    )
    outcome_code = models.CharField(max_length=4, blank=True, help_text="of the outcome that closed it")
    report_count = models.PositiveIntegerField(default=0)
    member_count = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["investigating_unit", "closed_at", "opened_at"])]

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class CaseOrigin(models.Model):
    """A key that open cases are found by: mostly an origin, as `cases.keys` spells it."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="origins")
    origin = models.CharField(max_length=400)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "origin"], name="cases_origin_once")]
        indexes = [models.Index(fields=["origin"])]


class Hint(models.Model):
    """What a case has in common with others that is too weak to act upon, as `cases.hints` spells it."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="hints")
    text = models.CharField(max_length=400)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["text", "case"], name="cases_hint_once")]


class Suggestion(models.Model):
    """That two cases may be one, why, and how strongly: a person decides. `case` is the older one."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="suggestions")
    other = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="suggested_to")
    reason = models.TextField()
    strength = models.PositiveSmallIntegerField(
        help_text="0 to 100; what is strong acts and is no suggestion"
    )
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "other"], name="cases_suggestion_once")]


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

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="links")
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
        indexes = [  # few links are made by hand
            models.Index(fields=["move"], condition=models.Q(move__isnull=False), name="cases_link_moved")
        ]


class Share(models.Model):
    """How many reports one member has in one case: sums, so that no case is counted again for each report."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="shares", db_index=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", db_index=False)
    reports = models.PositiveIntegerField()
    first_report = models.BigIntegerField(help_text="row of the member's first report in it: who came first")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "member"], name="cases_share_once")]


class Clock(models.Model):
    """An obligation with a start, a due time, an owner and an end."""

    clock_id = models.CharField(max_length=8, help_text="row of the pack's clocks, such as P02")
    case = models.ForeignKey(
        Case,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="clocks",
        db_index=False,
        help_text="empty where a report opens no case",
    )
    report = models.ForeignKey(Report, null=True, blank=True, on_delete=models.CASCADE, related_name="clocks")
    subject = models.CharField(
        max_length=160, blank=True, help_text="what exactly, where one case has several"
    )
    started_at = models.DateTimeField()
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=16, blank=True, help_text="person or automatic")
    breached_at = models.DateTimeField(null=True, blank=True)
    step = models.PositiveSmallIntegerField(
        default=0, help_text="0 owner, 1 supervisor, 2 regional, 3 national"
    )
    next_step_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clock_id", "case", "report", "subject", "started_at"],
                name="cases_clock_once",
                nulls_distinct=False,
            )
        ]
        indexes = [
            models.Index(fields=["case", "ended_at", "due_at"]),
            models.Index(fields=["case", "report", "clock_id"], name="cases_clock_of_case"),
            models.Index(fields=["ended_at", "next_step_at"]),
        ]


class Decision(models.Model):
    """A person's recorded decision on a case, with its reason: what counts as followed up."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="decisions")
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=160)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=8)
    reason = models.TextField()
    at = models.DateTimeField()


class Outcome(models.Model):
    """How a case ended, by code and in plain words, with what would have helped."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="outcomes")
    outcome_code = models.CharField(max_length=4)
    words = models.TextField(help_text="what the reporters read")
    would_have_helped = models.JSONField(default=list, help_text="codes of the pack's help list")
    receiving_body = models.CharField(max_length=200, blank=True)
    status_before = models.CharField(max_length=8, help_text="where a withdrawal takes the case back to")
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    person_name = models.CharField(max_length=160)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)


class OneTimeLink(models.Model):
    """Lets an officer of a unit that has not joined accept and answer one case without an account."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="one_time_links")
    digest = models.BinaryField(max_length=32, unique=True, help_text="SHA-256 of the token in the link")
    made_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    officer_name = models.CharField(max_length=160, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
