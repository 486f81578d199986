"""Mail: what people wish to hear, what waits to be told, and the mails that told it."""

from django.db import models

from tocsin.access.models import Person


class Wish(models.Model):
    """How one person wishes to hear of one kind of news; without a row the kind's default holds."""

    class Channel(models.TextChoices):
        AT_ONCE = "at once", "A mail at once"
        DIGEST = "digest", "In the digest"
        NONE = "none", "No mail"

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="wishes")
    kind = models.CharField(max_length=20, help_text="of notices.kinds")
    channel = models.CharField(max_length=8, choices=Channel.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "kind"], name="notices_wish_once")]


class Address(models.Model):
    """When a person's digest is sent, when no mail is, and whether the address still takes mail."""

    person = models.OneToOneField(
        Person, primary_key=True, on_delete=models.CASCADE, related_name="mail_address"
    )
    zone = models.CharField(max_length=40, blank=True, help_text="IANA name; empty: the exchange's home zone")
    digest_hour = models.PositiveSmallIntegerField(default=8)
    digest_days = models.CharField(max_length=7, default="12345", help_text="ISO weekdays, 1 is Monday")
    quiet_from = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="hour; nothing is sent from then"
    )
    quiet_to = models.PositiveSmallIntegerField(null=True, blank=True)
    dead_at = models.DateTimeField(
        null=True, blank=True, help_text="when a server said that it takes no mail"
    )
    dead_reason = models.CharField(max_length=200, blank=True)


class Mail(models.Model):
    """One mail to one person. Never sent twice: where a crash leaves that unknown, it stays in doubt."""

    class State(models.TextChoices):
        CLAIMED = "claimed", "Made, and not yet handed over"
        SENDING = "sending", "Being handed over; after a crash nobody knows"
        SENT = "sent", "Taken by the mail server"
        FAILED = "failed", "Refused for good"
        DOUBT = "doubt", "Perhaps sent: a crash came between"

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="mails")
    message_id = models.CharField(max_length=120, unique=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.CLAIMED)
    made_at = models.DateTimeField()
    next_at = models.DateTimeField(help_text="when it is tried (again)")
    attempts = models.PositiveSmallIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "next_at"])]


class Item(models.Model):
    """One piece of news for one person, until a mail takes it along; never two for one entry."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="news")
    kind = models.CharField(max_length=20)
    entry_seq = models.BigIntegerField()
    about = models.CharField(
        max_length=40, help_text="id of the report or case; the first of several reports"
    )
    count = models.PositiveIntegerField(default=1, help_text="how many of the person's reports it is about")
    words = models.TextField()
    at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="when a mail should take it along")
    mail = models.ForeignKey(Mail, null=True, blank=True, on_delete=models.SET_NULL, related_name="items")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "entry_seq"], name="notices_item_once")]
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(mail__isnull=True), name="notices_item_waiting"
            )
        ]
