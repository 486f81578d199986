"""Who may act: members, units, people, their roles, and keys."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from tocsin.kernel.ids import new_id
from tocsin.kernel.time import now


def new_member_id() -> str:
    return new_id("member")


class Member(models.Model):
    """An organisation on the exchange that reports, shares or helps."""

    class Kind(models.TextChoices):
        PROVIDER = "provider", "Internet provider"
        SUPPORT = "support", "Victim support"
        OPERATOR = "operator", "Operator"

    member_id = models.CharField(max_length=32, unique=True, default=new_member_id)
    name = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.PROVIDER)
    country = models.CharField(max_length=2, default="GB", help_text="ISO 3166-1 code of the registered seat")
    force_id = models.CharField(
        max_length=40, help_text="the force of the registered seat, by its id in the country pack"
    )
    networks = models.JSONField(default=list, blank=True, help_text="its own ranges (CIDR); never on a list")
    joined_at = models.DateTimeField(default=now)
    suspended_at = models.DateTimeField(null=True, blank=True)
    is_small_source = models.BooleanField(
        default=False, help_text="its words wait for a batch, so that their instant tells nobody who it was"
    )

    def __str__(self) -> str:
        return self.name


class Unit(models.Model):
    """A force, regional unit, national agency or hotline that can own a case, joined or not."""

    class Kind(models.TextChoices):
        FORCE = "force", "Police force"
        REGIONAL = "regional", "Regional unit"
        NATIONAL = "national", "National agency"
        HOTLINE = "hotline", "Hotline"

    unit_id = models.CharField(max_length=40, unique=True, help_text="id in the country pack")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    country = models.CharField(max_length=3, default="ENG", help_text="nation, which sets the working days")
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="children"
    )
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    successors = models.ManyToManyField("self", symmetrical=False, blank=True, related_name="predecessors")
    joined_at = models.DateTimeField(
        null=True, blank=True, help_text="empty: the unit has not joined, which is normal"
    )
    confidence = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def has_joined(self) -> bool:
        return self.joined_at is not None


class PersonManager(BaseUserManager["Person"]):
    def create_user(self, email: str, password: str | None = None, **fields: object) -> "Person":
        person = self.model(email=self.normalize_email(email).lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person


class Person(AbstractBaseUser):
    """Somebody who acts for a member, a unit or the operator."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=now)

    objects = PersonManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """What a person may be: a role at a member, at a unit, or on the exchange itself (neither)."""

    class Name(models.TextChoices):
        REPORTER = "reporter", "Reporter"
        ADMINISTRATOR = "administrator", "Administrator of a member"
        OFFICER = "officer", "Officer"
        SUPERVISOR = "supervisor", "Supervisor"
        COORDINATOR = "coordinator", "Coordinator of the exchange"
        OPERATOR = "operator", "Operator of the exchange"
        TRUSTED = "trusted", "Trusted to share alone"

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="roles")
    name = models.CharField(max_length=16, choices=Name.choices)
    member = models.ForeignKey(Member, null=True, blank=True, on_delete=models.CASCADE, related_name="roles")
    unit = models.ForeignKey(Unit, null=True, blank=True, on_delete=models.CASCADE, related_name="roles")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "name", "member", "unit"], name="access_role_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="access_role_place",
                condition=(
                    models.Q(name__in=["reporter", "administrator"], member__isnull=False, unit__isnull=True)
                    | models.Q(name__in=["officer", "supervisor"], member__isnull=True, unit__isnull=False)
                    | models.Q(
                        name__in=["coordinator", "operator", "trusted"],
                        member__isnull=True,
                        unit__isnull=True,
                    )
                ),
            ),
        ]


class ApiKey(models.Model):
    """A machine key of a member, a unit or the exchange: `tocsin_<prefix>_<secret>`; the SHA-256 is kept."""

    member = models.ForeignKey(Member, null=True, blank=True, on_delete=models.CASCADE, related_name="keys")
    unit = models.ForeignKey(Unit, null=True, blank=True, on_delete=models.CASCADE, related_name="keys")
    label = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.BinaryField(max_length=32)
    scopes = models.JSONField(default=list, help_text="reports:write, cases:read, …: of the policy table")
    created_at = models.DateTimeField(default=now)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="access_key_place",
                condition=models.Q(member__isnull=True) | models.Q(unit__isnull=True),
            )
        ]

    @property
    def place(self) -> Member | Unit | None:
        """The member or unit whose key it is; None where it is the exchange's own."""
        return self.member or self.unit

    @property
    def place_name(self) -> str:
        """What its place is called."""
        return self.place.name if self.place is not None else "the exchange"
