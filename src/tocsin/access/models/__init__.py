"""Who may act: members, units, people, their roles, keys, and the links by which people join."""

from tocsin.access.models.alerts import Alert
from tocsin.access.models.answered import Answered
from tocsin.access.models.communities import Community, Membership
from tocsin.access.models.joining import Invitation
from tocsin.access.models.people import ApiKey, Member, Person, PersonManager, Role, Unit, new_member_id

__all__ = [
    "Alert",
    "Answered",
    "ApiKey",
    "Community",
    "Invitation",
    "Member",
    "Membership",
    "Person",
    "PersonManager",
    "Role",
    "Unit",
    "new_member_id",
]
