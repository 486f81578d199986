"""One-time links by which somebody joins, takes a role, or gets back into an account."""

from django.db import models

from tocsin.access.models.people import Member, Person, Role, Unit


class Invitation(models.Model):
    """A link for one person to one role; with `person` and without role it is a way back into an account.

    Only the hash of its token is kept. Address and name are personal data: they stay in this row alone.
    """

    digest = models.BinaryField(max_length=32, unique=True, help_text="SHA-256 of the token in the link")
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Role.Name.choices, blank=True)
    member = models.ForeignKey(Member, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    unit = models.ForeignKey(Unit, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    made_by = models.ForeignKey(
        Person,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="empty: from the exchange's own machine",
    )
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    person = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.CASCADE, related_name="invitations"
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=models.Q(used_at__isnull=True, revoked_at__isnull=True),
                name="access_invitation_open",
            )
        ]
