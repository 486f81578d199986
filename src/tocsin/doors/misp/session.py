"""What MISP's clients ask before anything else: the version, who they are, which types there are."""

import uuid

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tocsin.access.policy import Actor, may
from tocsin.doors.misp.asked import CATEGORY
from tocsin.doors.misp.guard import answer, guarded
from tocsin.wire import stix
from tocsin.wire.misp_in import KINDS

SPOKEN = "2.5.0"  # of whose answers these have the shape; older clients and newer ones take them


@guarded("GET")
def read_version(request: HttpRequest, actor: Actor) -> HttpResponse:
    """`servers/getVersion`."""
    writes = may(actor, "channel.write")
    return answer(
        {
            "version": SPOKEN,
            "pymisp_recommended_version": SPOKEN,
            "perm_sync": False,
            "perm_sighting": writes,
            "perm_galaxy_editor": False,
            "request_encoding": [],
            "filter_sightings": False,
        }
    )


@guarded("GET")
def view_user(request: HttpRequest, actor: Actor, user: str) -> HttpResponse:
    """`users/view/me`: a key is nobody in particular, so only what it may do is told."""
    writes = may(actor, "channel.write")
    name = actor.key.prefix if actor.key is not None else "person"
    return answer(
        {
            "User": {
                "id": str(uuid.uuid5(stix.namespace_of(settings.ORIGIN), name)),
                "email": "",
                "org_id": "0",
                "role_id": "0",
                "disabled": False,
            },
            "Role": {
                "id": "0",
                "name": "reads and writes" if writes else "reads",
                "perm_add": writes,
                "perm_sighting": writes,
                "perm_sync": False,
                "perm_admin": False,
                "perm_auth": True,
            },
            "UserSetting": {},
        }
    )


@guarded("GET")
def describe_types(request: HttpRequest, actor: Actor) -> HttpResponse:
    """`attributes/describeTypes.json`: the types of which an attribute becomes a word."""
    sane = {name: {"default_category": CATEGORY, "to_ids": 1} for name in KINDS}
    return answer(
        {
            "result": {
                "sane_defaults": sane,
                "types": list(KINDS),
                "categories": [CATEGORY],
                "category_type_mappings": {CATEGORY: list(KINDS)},
            }
        }
    )
