"""The interface describes itself: OpenAPI 3.1 for programs, and a page made of that for people."""

from functools import cache
from typing import Any

import msgspec
from django.template import engines
from ninja import NinjaAPI

from tocsin.access.policy import NOBODY, POLICY
from tocsin.doors.api import access_values, case_values, communities, lists_of_cases, own
from tocsin.doors.api.values import schemas

PREFIX = "/api/v1/"
INTRODUCTION = """Reports to an exchange, how they stand, the cases they become, the proofs of its journal.

Everybody shows a key as `Authorization: Bearer tocsin_…`. A member's key reports and follows its own reports;
a unit's key does what a person of the unit does by a page; the exchange's own does what its coordinators do.
What a unit's key does by itself is recorded as `key LABEL` and counts as automatic, never as follow-up; with
`On-Behalf-Of: olive@kent.example` it passes on what that person has decided, who must be an officer or
supervisor of the unit. The exchange's own key always names a coordinator.

Errors are problem documents (RFC 9457): tell them apart by the word behind `#` in `type`, and read `errors`
for what is wrong where. Lists go on by `cursor`, and say `Link: <…>; rel="next"` while there is more. An act
with an `Idempotency-Key` is done once within 24 hours, however often it is sent. `If-Match` with a case's
`ETag` refuses (412) to act on a case that somebody has changed since. A key may ask 1,200 times a minute;
behind that come 429 and `Retry-After`."""

TAGS = {
    "reports": "What a member tells, how each of its reports stands, and what it is asked about them.",
    "notices": "What a member was told.",
    "tallies": "What members' networks stopped.",
    "indicators": "Why something is blocked or is not, a member's objection to it, and that it was met.",
    "readers": "Which of a member's machines have the lists, and how far behind they are.",
    "source": "How a member's own words are hidden.",
    "cases": "A unit's queue, its clocks, a search, and one case as its page shows it.",
    "acts": "What a unit does about cases.",
    "access": "Who else reads a case: its seal, the glass before it, and the guests of its room.",
    "filters": "What somebody's queue is filtered by.",
    "coordination": "Where silence is, and one-time links for units that have not joined.",
    "links": "Which reports belong to which case.",
    "weights": "What the parts of a score count at a unit.",
    "imports": "A unit's old list of cases.",
    "exports": "Copies that are kept up to date, line by line.",
    "communities": "Smaller circles of members.",
    "journal": "Tree heads and proofs, for anybody.",
    "channels": "What is shared, entry by entry from a number on.",
    "lists": "What is shared, as resolvers and firewalls read it.",
    "exchange": "Who answers here.",
}
PARAMETERS = {
    "OnBehalfOf": ("On-Behalf-Of", "The address of the person of the key's unit who decided this.", 254),
    "IdempotencyKey": ("Idempotency-Key", "A name of your own: the same act is done once in 24 hours.", 64),
    "IfMatch": (
        "If-Match",
        "The entity tag of the case as it was read: 412 where it is another one now.",
        200,
    ),
}
REFUSALS = {
    400: "The request is not what is asked for; `errors` says what is wrong where.",
    401: "No key, or none that is current.",
    403: "This key, or the person named, may not do that.",
    404: "There is no such thing, or it is not yours to know of.",
}
CONFLICTS = {
    409: "It does not fit with what happened before, such as the state of the case.",
    412: "The case is another one than `If-Match` says.",
    422: "This Idempotency-Key was used for another request.",
}
COMPARED = ("acts", "links")  # acts on a case that compare its tag
WITHOUT_NAME = ("submit_report", "submit_batch", "take_tallies", "import_cases")  # each knows what it has had


@cache
def description(api: NinjaAPI) -> bytes:
    """The OpenAPI document: ninja's routes and parameters, the shapes of what msgspec codes."""
    return msgspec.json.encode(document(api))


def document(api: NinjaAPI) -> dict[str, Any]:
    """The same as a value."""
    found: dict[str, Any] = msgspec.json.decode(
        msgspec.json.encode(api.get_openapi_schema(path_prefix=PREFIX))
    )
    components = found.setdefault("components", {})
    components["schemas"] = schemas(
        (
            *(*case_values.SHAPES, *access_values.SHAPES, *own.SHAPES),
            *(*lists_of_cases.SHAPES, *communities.SHAPES),
        )
    )
    components["securitySchemes"] = {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "A machine key of a member, a unit or the exchange.",
        }
    }
    components["parameters"] = {
        name: {
            "name": header,
            "in": "header",
            "description": words,
            "schema": {"type": "string", "minLength": 1, "maxLength": longest},
        }
        for name, (header, words, longest) in PARAMETERS.items()
    }
    found["tags"] = [{"name": name, "description": words} for name, words in TAGS.items()]
    actions = actions_of(api)
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            _finish(path, method, operation, actions[operation["operationId"]])
    return found


def actions_of(api: NinjaAPI) -> dict[str, str]:
    """The line of the policy table of each operation, by its id."""
    return {
        operation.view_func.__name__: str(getattr(operation.auth_callbacks[0], "action", ""))
        for _, router in api._routers
        for view in router.path_operations.values()
        for operation in view.operations
    }


def _finish(path: str, method: str, operation: dict[str, Any], action: str) -> None:
    """Say of an operation what ninja does not know: its sentence, its scope, its headers, its refusals."""
    text = str(operation.get("description", ""))
    operation["summary"] = text.split(". ")[0].split("\n")[0].split(": ")[0].rstrip(".")[:100]
    scope = POLICY[action].scope
    refusals = dict(REFUSALS)
    if scope is None:
        operation.pop("security", None)
        del refusals[401], refusals[403]
    else:
        operation["security"] = [{"key": []}]
        operation["description"] = f"{text}\n\nScope: `{scope}`."
    headers = []
    if scope is not None and scope.startswith(("cases:", "exchange:")):
        headers.append("OnBehalfOf")
    if method == "post":
        is_compared = path.startswith(f"{PREFIX}cases/") and operation["tags"][0] in COMPARED
        if operation["operationId"] not in WITHOUT_NAME:
            headers.append("IdempotencyKey")
            refusals |= CONFLICTS
            if not is_compared:
                del refusals[412]
        if is_compared:
            headers.append("IfMatch")
    if headers:
        given = operation.setdefault("parameters", [])
        given += [{"$ref": f"#/components/parameters/{name}"} for name in headers]
    problem = operation["responses"].get("default")
    if problem is not None:
        for status, words in refusals.items():
            operation["responses"][str(status)] = {**problem, "description": words}


@cache
def page(api: NinjaAPI) -> str:
    """The description as a page: every operation by its tag, with its scope, fields and an example."""
    found = document(api)
    groups: dict[str, list[dict[str, Any]]] = {name: [] for name in TAGS}
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            answer = operation["responses"].get("200", {}).get("content", {})
            groups[operation["tags"][0]].append(
                {
                    "id": operation["operationId"],
                    "method": method.upper(),
                    "path": path,
                    "summary": operation["summary"],
                    "paragraphs": operation.get("description", "").split("\n\n"),
                    "parameters": [_parameter(found, one) for one in operation.get("parameters", ())],
                    "body": _shape(found, body.get("schema", {})),
                    "answer": _shape(found, next((one["schema"] for one in answer.values()), {})),
                }
            )
    context = {
        "actor": NOBODY,
        "nav": [],
        "banners": [],
        "introduction": INTRODUCTION.split("\n\n"),
        "version": found["info"]["version"],
        "groups": [(name, TAGS[name], some) for name, some in groups.items() if some],
    }
    return str(engines.all()[0].get_template("api_docs.html").render(context))


def _parameter(found: dict[str, Any], one: dict[str, Any]) -> dict[str, str]:
    if "$ref" in one:
        one = found["components"]["parameters"][one["$ref"].rsplit("/", 1)[1]]
    return {
        "name": one["name"],
        "place": one["in"],
        "type": _type(one.get("schema", {})),
        "words": one.get("description", "") or ("needed" if one.get("required") else ""),
    }


def _shape(found: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any] | None:
    """A named shape with its fields, for the page."""
    schema = schema.get("x-line", schema)
    if "$ref" not in schema:
        return None
    name = schema["$ref"].rsplit("/", 1)[1]
    whole = found["components"]["schemas"][name]
    needed = set(whole.get("required", ()))
    return {
        "name": name,
        "words": whole.get("description", ""),
        "fields": [
            {"name": field, "type": _type(one), "needed": field in needed}
            for field, one in whole.get("properties", {}).items()
        ],
    }


def _type(schema: dict[str, Any]) -> str:
    """`string`, `list of QuestionView`, `integer or nothing`."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " or ".join(dict.fromkeys(_type(one) for one in schema[several]))
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_type(schema.get('items') or {})}"
    return "nothing" if kind == "null" else str(kind)
