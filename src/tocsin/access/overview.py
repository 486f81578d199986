"""What an administrator, a supervisor or the operator sees of people, keys, members and units."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Generic, TypeVar

from allauth.mfa.models import Authenticator
from django.db.models import Model, Q, QuerySet

from tocsin.access import accounts, granting, keys
from tocsin.access.accounts import RoleView
from tocsin.access.models import ApiKey, Member, Person, Role, Unit
from tocsin.access.policy import POLICY, Actor, require
from tocsin.kernel.time import now

T = TypeVar("T")
S = TypeVar("S")
M = TypeVar("M", bound=Model)
MOST = 200  # links that nobody has used yet
SIZE = 50  # rows of a page of each list


@dataclass(frozen=True)
class PersonView:
    """Somebody whom the reader looks after, with the roles that are the reader's to see."""

    pk: int
    name: str
    email: str
    is_active: bool
    has_second: bool
    roles: tuple[RoleView, ...]


@dataclass(frozen=True)
class InvitationView:
    """A link that still works; its token is nowhere."""

    pk: int
    email: str
    role_words: str
    place: str
    expires_at: dt.datetime


@dataclass(frozen=True)
class KeyView:
    """A machine key by its public beginning."""

    prefix: str
    member: str
    label: str
    scopes: str
    last_used_at: dt.datetime | None
    is_current: bool


@dataclass(frozen=True)
class Choice:
    """Something to choose from."""

    value: str
    text: str


@dataclass(frozen=True)
class Leaf(Generic[T]):
    """One page of a list: its rows, how many there are on all pages, which page it is and of how many."""

    rows: tuple[T, ...]
    total: int
    number: int
    pages: int

    def of(self, rows: Iterable[S]) -> "Leaf[S]":
        """The same page, with its rows in another form."""
        return Leaf(tuple(rows), self.total, self.number, self.pages)


@dataclass(frozen=True)
class Overview:
    """The page of whoever looks after others."""

    sentence: str
    people: Leaf[PersonView]
    invitations: tuple[InvitationView, ...]
    keys: Leaf[KeyView]
    key_members: tuple[Choice, ...]
    grants: tuple[Choice, ...]
    members: Leaf[Member]
    units: tuple[Unit, ...]
    is_operator: bool


@dataclass(frozen=True)
class MatrixRow:
    """One action of the policy, and who may do it."""

    action: str
    why: str
    relation: str
    scope: str
    cells: tuple[bool, ...]


def overview(
    actor: Actor, query: str = "", wanted: Mapping[str, int] | None = None, at: dt.datetime | None = None
) -> Overview:
    """Whom the actor looks after: people, keys and members that the words find, a page of each.

    `wanted` has the page's number of `people`, `keys` and `members`; an impossible one means the nearest.
    Raises NotSignedIn, NotAllowed.
    """
    require(actor, "admin.read")
    at, wanted, operator = at or now(), wanted or {}, granting.is_operator(actor)
    found = granting.people_of(actor)
    if query:
        found = found.filter(Q(name__icontains=query) | Q(email__icontains=query))
    people = leaf(found.order_by("name", "pk"), wanted.get("people", 1))
    members = Member.objects.filter(name__icontains=query) if operator else Member.objects.none()
    units = Unit.objects.filter(valid_to__isnull=True) if operator else Unit.objects.none()
    links = granting.invitations_of(actor, at).select_related("member", "unit").order_by("-pk")
    return Overview(
        sentence=_sentence(people.total, bare(found)),
        people=people.of(person_views(actor, people.rows)),
        invitations=tuple(
            InvitationView(
                i.pk, i.email, i.get_role_display() if i.role else "Way back in", _place(i), i.expires_at
            )
            for i in links[:MOST]
        ),
        keys=key_views(actor, query, wanted.get("keys", 1), at),
        key_members=key_places(actor),
        grants=grants(actor),
        members=leaf(members.order_by("name", "pk"), wanted.get("members", 1)),
        units=tuple(units.order_by("joined_at", "name")[:MOST]),
        is_operator=operator,
    )


def leaf(found: QuerySet[M], wanted: int) -> Leaf[M]:
    """One page of what was found."""
    total = found.count()
    pages = max(1, -(-total // SIZE))
    number = min(max(1, wanted), pages)
    return Leaf(tuple(found[(number - 1) * SIZE : number * SIZE]), total, number, pages)


def person_views(actor: Actor, people: Sequence[Person]) -> tuple[PersonView, ...]:
    """These people, with what the actor may know of them."""
    roles = defaultdict(list)
    for role in granting.roles_of(actor).filter(person__in=people).order_by("pk"):
        roles[role.person_id].append(accounts.role_view(role))
    second = set(Authenticator.objects.filter(user__in=people).values_list("user_id", flat=True))
    return tuple(
        PersonView(p.pk, p.name, p.email, p.is_active, p.pk in second, tuple(roles[p.pk])) for p in people
    )


def bare(people: QuerySet[Person]) -> int:
    """How many of these have an account that is on, and no second factor."""
    return people.filter(is_active=True).exclude(pk__in=Authenticator.objects.values("user")).count()


def key_members(actor: Actor) -> list[Member]:
    """The members whose keys the actor may make."""
    if granting.is_operator(actor):
        return list(Member.objects.filter(suspended_at__isnull=True).order_by("name")[: MOST * 5])
    return granting.members_of(actor)


def key_places(actor: Actor) -> tuple[Choice, ...]:
    """The members and units whose keys the actor may make, and the exchange where they are the operator's."""
    units: Iterable[Unit] = granting.units_of(actor)
    if granting.is_operator(actor):
        units = Unit.objects.filter(joined_at__isnull=False, valid_to__isnull=True).order_by("name")
    exchange = (Choice("exchange", "The exchange itself"),) if granting.is_operator(actor) else ()
    return (
        *exchange,
        *(Choice(member.member_id, member.name) for member in key_members(actor)),
        *(Choice(unit.unit_id, unit.name) for unit in units),
    )


def key_views(actor: Actor, query: str, wanted: int, at: dt.datetime) -> Leaf[KeyView]:
    """The keys that are the actor's to end, current ones first."""
    found = ApiKey.objects.select_related("member", "unit")
    if query:
        said = (Q(**{f"{place}__icontains": query}) for place in ("label", "member__name", "unit__name"))
        found = found.filter(reduce(or_, said))
    if not granting.is_operator(actor):
        mine = Q(member__in=granting.members_of(actor)) | Q(unit__in=granting.units_of(actor))
        found = found.filter(mine)
    page = leaf(found.order_by("revoked_at", "member__name", "unit__name", "created_at", "pk"), wanted)
    return page.of(
        KeyView(k.prefix, k.place_name, k.label, " ".join(k.scopes), k.last_used_at, keys.is_current(k, at))
        for k in page.rows
    )


def grants(actor: Actor) -> tuple[Choice, ...]:
    """What the actor may invite somebody to: `role@place`, in words."""
    found = [
        Choice(f"{role}@{m.member_id}", f"{Role.Name(role).label}, {m.name}")
        for m in (key_members(actor))
        for role in ("reporter", "administrator")
    ]
    units = granting.units_of(actor)
    if granting.is_operator(actor):
        units = list(Unit.objects.filter(valid_to__isnull=True, joined_at__isnull=False).order_by("name"))
        found = [
            Choice(f"{role}@exchange", Role.Name(role).label) for role in sorted(granting.AT_EXCHANGE)
        ] + found
    found += [
        Choice(f"{role}@{u.unit_id}", f"{Role.Name(role).label}, {u.name}")
        for u in units
        for role in ("officer", "supervisor")
    ]
    return tuple(found)


def matrix() -> tuple[tuple[str, ...], tuple[MatrixRow, ...]]:
    """The policy as a table: the roles, and for each action who may try it."""
    names = tuple(Role.Name.values)
    rows = []
    for action, rule in sorted(POLICY.items()):
        anyone = rule.relation == "anyone"
        open_ = anyone or (not rule.roles and rule.scope is None)
        cells = tuple(open_ or name in rule.roles for name in names)
        rows.append(MatrixRow(action, rule.why, rule.relation, rule.scope or "", cells))
    return tuple(Role.Name(name).label for name in names), tuple(rows)


def _sentence(total: int, without: int) -> str:
    count = f"{total:,} people" if total != 1 else "1 person"
    return f"You look after {count}" + (f"; {without:,} of them without a second factor." if without else ".")


def _place(invitation: object) -> str:
    place = getattr(invitation, "member", None) or getattr(invitation, "unit", None)
    return place.name if place else "the exchange"
