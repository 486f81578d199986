"""Who may do what: one table, from which come the routes' checks, the pages' buttons and the matrix test.

An action is `noun.verb`. A rule names the roles that may act, the scope a key needs (None: no key may; those
that begin with `cases:` are of units' keys, with `exchange:` of the exchange's own, others of members'), and
how the actor must be related to the thing: `own member` (theirs), `own unit` (investigates or supports it),
`coordinated` (the exchange's coordinator), `own people` (a member's administrator, a unit's supervisor, the
operator), `exchange` (of the whole of it), `anyone` or `signed in`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property

from tocsin.access.models import ApiKey, Member, Person, Role, Unit
from tocsin.kernel.problems import NotAllowed, NotSignedIn
from tocsin.store.fence import Asker


@dataclass(frozen=True)
class Rule:
    """One row of the table."""

    roles: frozenset[str] = frozenset()
    scope: str | None = None
    relation: str = "signed in"
    why: str = ""


def _rule(roles: str = "", *, scope: str | None = None, relation: str = "signed in", why: str = "") -> Rule:
    return Rule(frozenset(roles.split()), scope, relation, why)


POLICY: dict[str, Rule] = {
    "start.read": _rule(relation="anyone", why="the public front page"),
    "session.open": _rule(relation="anyone", why="signing in"),
    "session.close": _rule(why="signing out"),
    "journal.read": _rule(relation="anyone", why="tree heads and proofs are public; contents are not"),
    "exchange.read": _rule(relation="anyone", why="the exchange's name and public key"),
    "figures.read": _rule(relation="anyone", why="public figures, small numbers suppressed"),
    "network.read": _rule("reporter trusted coordinator", why="what is shared, and how to block it"),
    "report.submit": _rule(scope="reports:write", relation="own member", why="a member reports"),
    "report.list": _rule(
        "reporter", scope="reports:read", relation="own member", why="a member sees its own"
    ),
    "report.read": _rule(
        "reporter", scope="reports:read", relation="own member", why="a member sees its own"
    ),
    "receipt.read": _rule(
        "reporter", scope="reports:read", relation="own member", why="proof of one's own report"
    ),
    "notices.choose": _rule(why="what one is told by mail is one's own choice"),
    "webhook.manage": _rule(
        "administrator supervisor", relation="own people", why="one's own machine is told"
    ),
    "notices.stop": _rule(relation="anyone", why="the token in a mail stops mail and does nothing else"),
    "tally.write": _rule(scope="tallies:write", relation="own member", why="a member tells what it blocked"),
    "queue.read": _rule("officer supervisor", scope="cases:read", relation="own unit", why="a unit's work"),
    "case.read": _rule(
        "officer supervisor coordinator",
        scope="cases:read",
        relation="own unit or coordinated",
        why="a unit's case",
    ),
    "case.accept": _rule(
        "officer supervisor", scope="cases:write", relation="own unit", why="a named person takes the case"
    ),
    "case.redirect": _rule(
        "officer supervisor coordinator",
        scope="cases:write",
        relation="own unit or coordinated",
        why="wrong desk",
    ),
    "case.assess": _rule(
        "officer supervisor", scope="cases:write", relation="own unit", why="a person's decision"
    ),
    "case.answer": _rule(
        "officer supervisor",
        scope="cases:write",
        relation="own unit",
        why="the outcome told to the reporters",
    ),
    "case.detach": _rule(
        "officer supervisor", scope="cases:write", relation="own unit", why="a report linked by mistake"
    ),
    "case.ask": _rule(
        "officer supervisor", scope="cases:write", relation="own unit", why="a question to the reporters"
    ),
    "case.update": _rule(
        "officer supervisor", scope="cases:write", relation="own unit", why="how it stands, with nothing new"
    ),
    "case.duty": _rule(
        "officer supervisor",
        scope="cases:write",
        relation="own unit",
        why="a duty that the unit says is done",
    ),
    "case.enquire": _rule(
        "officer supervisor coordinator",
        scope="cases:write",
        relation="own unit or coordinated",
        why="where a line of enquiry points, or a life in danger",
    ),
    "report.reply": _rule(
        "reporter", scope="reports:write", relation="own member", why="a member answers what it is asked"
    ),
    "report.rate": _rule(
        "reporter", scope="reports:write", relation="own member", why="how useful the answer was"
    ),
    "report.aware": _rule(
        "reporter", scope="reports:write", relation="own member", why="a member's own duties to regulators"
    ),
    "case.record": _rule(
        "officer supervisor", scope="cases:write", relation="own unit", why="the crime number that came back"
    ),
    "form.read": _rule(
        "officer supervisor coordinator",
        scope="cases:read",
        relation="own unit or coordinated",
        why="the case on another form",
    ),
    "case.merge": _rule(
        "officer supervisor",
        scope="cases:write",
        relation="own unit",
        why="two cases that are one, or one that is two",
    ),
    "case.many": _rule(
        "officer supervisor", scope="cases:write", relation="own unit", why="one decision on many cases"
    ),
    "case.import": _rule(
        scope="cases:import", relation="own unit", why="the list of cases that a unit kept before"
    ),
    "case.export": _rule(scope="cases:read", relation="own unit", why="a unit's own copy of its cases"),
    "filter.read": _rule("officer supervisor", scope="cases:read", why="the filters of one's own queue"),
    "filter.save": _rule("officer supervisor", scope="cases:write", why="a filter of one's own queue"),
    "suggestion.read": _rule(
        "officer supervisor", scope="cases:read", relation="own unit", why="do two cases belong together?"
    ),
    "suggestion.decide": _rule(
        "officer supervisor", scope="cases:write", relation="own unit", why="yes, no, not sure, and undo"
    ),
    "weights.read": _rule(
        "officer supervisor", scope="cases:read", relation="own unit", why="how a score comes about"
    ),
    "weights.set": _rule(
        "supervisor",
        scope="cases:write",
        relation="own unit",
        why="what the parts of a score count at a unit",
    ),
    "team.read": _rule(
        "supervisor", scope="cases:read", relation="own unit", why="who is drowning, and what is late"
    ),
    "case.reassign": _rule(
        "supervisor", scope="cases:write", relation="own unit", why="nobody keeps a case waiting"
    ),
    "coordination.read": _rule(
        "coordinator", scope="exchange:read", relation="coordinated", why="where silence is"
    ),
    "packet.read": _rule(
        "coordinator",
        scope="exchange:read",
        relation="coordinated",
        why="the printable packet of a case",
    ),
    "link.make": _rule(
        "coordinator",
        scope="exchange:write",
        relation="coordinated",
        why="a one-time link for a unit that has not joined, and its end",
    ),
    "list.read": _rule(scope="lists:read", why="a member's network reads what is shared"),
    "reader.read": _rule(
        "reporter coordinator operator",
        scope="lists:read",
        why="which machines have the lists: one's own, or all for who looks after the exchange",
    ),
    "reader.forget": _rule(
        "reporter",
        scope="indicators:write",
        relation="own member",
        why="a machine that is gone is not waited for",
    ),
    "sighting.make": _rule(
        "reporter",
        scope="indicators:write",
        relation="own member",
        why="a member met what is shared, or takes that back",
    ),
    "community.read": _rule(
        "reporter", scope="lists:read", relation="own member", why="the circles that one's member is in"
    ),
    "community.manage": _rule(
        "reporter",
        scope="communities:write",
        relation="own member",
        why="members make, join and leave circles",
    ),
    "channel.read": _rule(
        "reporter trusted", scope="lists:read", why="a feed of what one's own circles share"
    ),
    "channel.write": _rule(
        scope="indicators:write", relation="own member", why="a member's own machine says"
    ),
    "source.read": _rule(
        "reporter", scope="lists:read", relation="own member", why="how one's own member is hidden"
    ),
    "source.batch": _rule(
        "reporter", scope="indicators:write", relation="own member", why="a small source hides its hours"
    ),
    "source.review": _rule(
        "coordinator operator trusted", relation="exchange", why="whose name was asked for, and by whom"
    ),
    "source.ask": _rule("coordinator", relation="exchange", why="asking who stands behind one pseudonym"),
    "source.open": _rule("operator trusted", relation="exchange", why="the second person of two decides"),
    "indicator.read": _rule(
        "reporter trusted coordinator officer supervisor",
        scope="lists:read",
        why="what is shared, and why, never by whom",
    ),
    "indicator.approve": _rule("trusted", why="a trusted person's word shares alone"),
    "indicator.object": _rule(
        scope="indicators:write", relation="own member", why="a member objects to what is shared"
    ),
    "appeal.make": _rule(relation="anyone", why="whoever is blocked has no account"),
    "appeal.read": _rule(relation="anyone", why="the token in the address is the permission"),
    "appeal.decide": _rule("trusted", why="a person answers whoever is blocked"),
    "indicator.withdraw": _rule("trusted", why="a withdrawal needs nobody else"),
    "link.use": _rule(relation="anyone", why="the token in the address is the permission"),
    "account.read": _rule(why="one's own account: roles, second factors, sessions"),
    "account.change": _rule(why="one's own name, password, second factors, and leaving"),
    "policy.read": _rule(why="who may do what is no secret among those who do it"),
    "invitation.use": _rule(relation="anyone", why="the token in the address is the permission"),
    "admin.read": _rule(
        "administrator supervisor operator", relation="own people", why="whom one looks after"
    ),
    "person.invite": _rule(
        "administrator supervisor operator", relation="own people", why="letting somebody join"
    ),
    "role.take": _rule(
        "administrator supervisor operator", relation="own people", why="somebody changes desks"
    ),
    "person.off": _rule("operator", relation="exchange", why="an account that must stop at once"),
    "person.let_in": _rule("operator", relation="exchange", why="somebody lost password or second factor"),
    "member.suspend": _rule("operator", relation="exchange", why="a member stops acting; its reports stay"),
    "unit.join": _rule("operator", relation="exchange", why="a unit begins to answer by itself"),
    "key.manage": _rule(
        "administrator supervisor operator", relation="own people", why="a member's or unit's machine keys"
    ),
    "case.seal": _rule(
        "supervisor",
        scope="cases:seal",
        relation="own unit",
        why="a case that only named people may read",
    ),
    "case.break_glass": _rule(
        "supervisor",
        scope="cases:seal",
        relation="own unit",
        why="reading a sealed case in need: told, recorded, for hours",
    ),
    "room.manage": _rule(
        "officer supervisor",
        scope="cases:rooms",
        relation="own unit",
        why="named outsiders read parts of a case",
    ),
    "room.read": _rule(relation="anyone", why="the token in the address is the permission"),
}


@dataclass(frozen=True)
class Actor:
    """Somebody who acts: a person with roles, a key of a member or a unit, or nobody.

    With both, a unit's machine passes on what a person there decided: the person acts, as far as the key may.
    """

    person: Person | None = None
    key: ApiKey | None = None
    roles: tuple[Role, ...] = field(default=())
    withheld: tuple[Role, ...] = field(default=())

    @classmethod
    def of_person(cls, person: Person, *, without: Collection[str] = ()) -> "Actor":
        """The actor behind a signed-in person; a person whose account is off has no roles.

        Roles named in `without` are withheld: they wait for a second factor.
        """
        roles: Iterable[Role] = person.roles.select_related("member", "unit") if person.is_active else ()
        current = [r for r in roles if r.member is None or r.member.suspended_at is None]
        return cls(
            person=person,
            roles=tuple(r for r in current if r.name not in without),
            withheld=tuple(r for r in current if r.name in without),
        )

    @property
    def is_nobody(self) -> bool:
        """Neither person nor key."""
        return self.person is None and self.key is None

    @cached_property
    def role_names(self) -> frozenset[str]:
        """The names of the roles held anywhere."""
        return frozenset(role.name for role in self.roles)

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """The members acted for; an administrator does not: its reports are not theirs to read."""
        if self.key is not None:
            return (self.key.member,) if self.key.member is not None else ()
        return tuple(r.member for r in self.roles if r.member is not None and r.name == Role.Name.REPORTER)

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """The units acted for."""
        if self.key is not None:
            return (self.key.unit,) if self.key.unit is not None else ()
        return tuple({role.unit_id: role.unit for role in self.roles if role.unit is not None}.values())

    @property
    def label(self) -> str:
        """How the journal and a timeline name the actor."""
        if self.person is not None:
            return self.person.name
        return f"key {self.key.label}" if self.key is not None else "nobody"

    @property
    def asker(self) -> Asker:
        """How the database knows the actor, where it keeps a fence of its own."""
        return Asker(
            members=tuple(member.pk for member in self.members),
            units=tuple(unit.pk for unit in self.units),
            above=tuple(unit.pk for unit in self.units if unit.kind != Unit.Kind.FORCE),
            person=self.person.pk if self.person is not None and self.key is None else 0,
            is_coordinator=Role.Name.COORDINATOR in self.role_names,
        )


NOBODY = Actor()


def may(actor: Actor, action: str) -> bool:
    """May this actor try the action at all? Which things it reaches, `visible_to` decides."""
    rule = POLICY[action]
    if rule.relation == "anyone":
        return True
    if actor.key is not None:
        within = rule.scope is not None and rule.scope in actor.key.scopes
        return within and (actor.person is None or not rule.roles or bool(rule.roles & actor.role_names))
    if actor.person is None:
        return False
    return (not rule.roles and rule.scope is None) or bool(rule.roles & actor.role_names)


def require(actor: Actor, action: str) -> None:
    """Raises NotSignedIn or NotAllowed where `may` says no."""
    if may(actor, action):
        return
    if actor.is_nobody:
        raise NotSignedIn()
    raise NotAllowed()
