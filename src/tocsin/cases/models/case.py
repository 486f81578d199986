"""A case, and the keys that it is found by."""

from django.db import models

from tocsin.access.models import Person, Unit


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
    enquiry = models.CharField(
        max_length=64, blank=True, help_text="where a line of enquiry points: a unit's id, or abroad"
    )
    is_threat_to_life = models.BooleanField(default=False, help_text="as a person said")
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
    is_automatic = models.BooleanField(
        default=False, help_text="what its status says was decided by a machine, so nobody has followed it up"
    )
    report_count = models.PositiveIntegerField(default=0)
    member_count = models.PositiveIntegerField(default=0)
    # What the queue is ordered by, kept by `cases.triage` whenever a case changes.
    due_at = models.DateTimeField(null=True, blank=True, help_text="when the first running duty falls due")
    score = models.PositiveSmallIntegerField(default=0, help_text="0 to 100, by the unit's weights")
    severity_part = models.PositiveSmallIntegerField(default=0, help_text="0 to 100, as the next three")
    solvability_part = models.PositiveSmallIntegerField(default=0)
    harm_part = models.PositiveSmallIntegerField(default=0)
    volume_part = models.PositiveSmallIntegerField(default=0)
    evidence_until = models.DateTimeField(null=True, blank=True, help_text="when the first log is destroyed")
    held_until = models.DateTimeField(null=True, blank=True, help_text="when the last log is destroyed")
    names_origin = models.BooleanField(default=False, help_text="a member can say whose the origin is")
    is_group = models.BooleanField(
        default=False, help_text="a group below the threshold: no clock, one decision"
    )
    victim_count = models.PositiveIntegerField(default=0, help_text="known victims, pushed in by who counts")

    class Meta:
        indexes = [
            models.Index(
                fields=["investigating_unit", "opened_at"],
                condition=models.Q(closed_at__isnull=True),
                name="cases_open_at",
            ),
            models.Index(
                fields=["due_at"], condition=models.Q(closed_at__isnull=True), name="cases_due_first"
            ),
            models.Index(
                fields=["investigating_unit", "due_at"],
                condition=models.Q(due_at__isnull=False),
                name="cases_owing",
            ),
            models.Index(  # few cases are a machine's
                fields=["is_automatic"],
                condition=models.Q(is_automatic=True),
                name="cases_case_automatic",
            ),
            models.Index(
                "investigating_unit",
                models.F("score").desc(),
                "due_at",
                "owned_at",
                condition=models.Q(closed_at__isnull=True, is_group=False),
                name="cases_queue",
            ),
            models.Index(
                "investigating_unit",
                models.F("score").desc(),
                condition=models.Q(closed_at__isnull=True, is_group=True),
                name="cases_groups",
            ),
            models.Index(fields=["id"], condition=models.Q(is_automatic=True), name="cases_automatic"),
        ]

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
