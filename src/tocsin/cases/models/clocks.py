"""Obligations, with their times."""

from django.db import models

from tocsin.access.models import Member, Unit
from tocsin.cases.models.case import Case
from tocsin.intake.models import Report


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
    member = models.ForeignKey(
        Member,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="duties",
        db_index=False,
        help_text="who owes it, where it is a member; only that member sees it",
    )
    unit = models.ForeignKey(
        Unit,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="duties",
        db_index=False,
        help_text="who owes it, where that is another unit than the case's",
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
    paused_at = models.DateTimeField(
        null=True, blank=True, help_text="since when it stands still; `due_at` is then the latest it can be"
    )
    due_unpaused = models.DateTimeField(
        null=True, blank=True, help_text="when it was due before it stood still"
    )
    pause_used = models.PositiveIntegerField(
        null=True, blank=True, help_text="seconds of its cap that earlier pauses took"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clock_id", "case", "report", "subject", "started_at"],
                name="cases_clock_once",
                nulls_distinct=False,
            )
        ]
        indexes = [
            models.Index(  # of the running ones alone: they are few among all that ever ran
                fields=["case", "due_at"],
                condition=models.Q(ended_at__isnull=True),
                name="cases_clock_running",
            ),
            models.Index(fields=["case", "report", "clock_id"], name="cases_clock_of_case"),
            models.Index(
                fields=["next_step_at"],
                condition=models.Q(ended_at__isnull=True),
                name="cases_clock_next",
            ),
            models.Index(  # few duties are a member's
                fields=["member", "ended_at"],
                condition=models.Q(member__isnull=False),
                name="cases_clock_of_member",
            ),
            models.Index(  # what a case itself owes, beside what it owes for each of its reports
                fields=["case", "due_at"],
                condition=models.Q(report__isnull=True, ended_at__isnull=True),
                name="cases_clock_of_itself",
            ),
            models.Index(
                fields=["ended_at", "step", "case"],
                condition=models.Q(breached_at__isnull=False),
                name="cases_clock_missed",
            ),
        ]
