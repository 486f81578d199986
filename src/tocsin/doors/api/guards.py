"""Each route's guard: one action of the policy table, checked before the route runs."""

from django.http import HttpRequest
from ninja.security import HttpBearer

from tocsin.access.keys import actor_of_key, on_behalf_of
from tocsin.access.policy import NOBODY, POLICY, Actor, require
from tocsin.kernel.problems import NotAllowed
from tocsin.store import fence

READS = frozenset({"GET", "HEAD"})
ON_BEHALF_OF = "On-Behalf-Of"


class Guard(HttpBearer):
    """For a key's holder: finds the actor by the Bearer token, asks the policy, hands the actor on.

    `On-Behalf-Of` names the person of the key's unit whose decision a machine passes on; the exchange's own
    key names a coordinator whatever it asks.
    """

    def __init__(self, action: str) -> None:
        self.action = action
        super().__init__()

    def authenticate(self, request: HttpRequest, token: str) -> Actor:
        """The actor. Raises NotSignedIn or NotAllowed."""
        actor = actor_of_key(token, request.META.get("REMOTE_ADDR", ""))
        decider = request.headers.get(ON_BEHALF_OF)
        if decider is not None:
            actor = on_behalf_of(actor, decider)
        elif actor.key is not None and actor.key.place is None:
            raise NotAllowed(
                "the exchange's own key works in a coordinator's name",
                hint="name them: On-Behalf-Of: their address",
            )
        require(actor, self.action)
        if request.method in READS:
            fence.put_up(actor.asker)  # the middleware takes it down
        return actor


class Open:
    """For anyone, where the policy says so."""

    def __init__(self, action: str) -> None:
        self.action = action

    def __call__(self, request: HttpRequest) -> Actor:
        """Nobody in particular. Raises NotSignedIn where the policy changed its mind."""
        require(NOBODY, self.action)
        if request.method in READS:
            fence.put_up(NOBODY.asker)
        return NOBODY


def guard(action: str) -> Guard | Open:
    """The guard of an action. Raises KeyError for one that the policy does not know."""
    return Open(action) if POLICY[action].relation == "anyone" else Guard(action)


def actor_of(request: HttpRequest) -> Actor:
    """Who the guard let in."""
    actor: Actor = request.auth  # type: ignore[attr-defined]  # set by ninja from the guard's answer
    return actor
