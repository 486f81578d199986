"""Communities: working groups of members that share among themselves, and who belongs to them since when."""

from django.db import models

from tocsin.access.models.people import Member, Person


class Community(models.Model):
    """A sector, a region, an operation: what is said to it reaches its members alone."""

    class Tlp(models.TextChoices):
        CLEAR = "clear", "TLP:CLEAR"
        GREEN = "green", "TLP:GREEN"
        AMBER = "amber", "TLP:AMBER"
        AMBER_STRICT = "amber+strict", "TLP:AMBER+STRICT"

    community_id = models.CharField(max_length=32, unique=True)
    slug = models.SlugField(max_length=40, unique=True, help_text="stands in the addresses of its lists")
    name = models.CharField(max_length=120)
    purpose = models.TextField(blank=True)
    tlp_ceiling = models.CharField(
        max_length=12, choices=Tlp.choices, default=Tlp.AMBER, help_text="stricter words are not taken"
    )
    sources_needed = models.PositiveSmallIntegerField(
        default=2, help_text="independent voices that share without a person"
    )
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "communities"

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """One member in one community; `until` is empty while it belongs to it."""

    community = models.ForeignKey(Community, on_delete=models.CASCADE, related_name="memberships")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="memberships")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    may_manage = models.BooleanField(default=False, help_text="may let others in and out")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["community", "member"],
                condition=models.Q(until__isnull=True),
                name="access_membership_once",
            )
        ]
