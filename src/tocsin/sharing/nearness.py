"""A private look-up: does anyone here know this address? Asked by a few digits of its digest alone.

The asker names so few digits that hundreds of values begin with them, and finds the own one in the answer.
The exchange learns only that it was one of those. Nothing is told that the asker may not read otherwise.
"""

import re
import secrets

from tocsin.access.policy import Actor, require
from tocsin.kernel.problems import BadInput
from tocsin.sharing.models import Indicator
from tocsin.sharing.queries import visible_to
from tocsin.wire.indicators import LOOKUP, Near

LEAST, MOST = 2, 6  # digits of a prefix: 256 to 16 million parts
PADDED_TO = 100
_prefix = re.compile(rf"[0-9a-f]{{{LEAST},{MOST}}}")


def near(actor: Actor, prefix: str) -> Near:
    """All that the actor may see under a prefix, and made-up ones beside it; never nothing.

    Raises NotSignedIn, NotAllowed, BadInput.
    """
    require(actor, "indicator.read")
    if not _prefix.fullmatch(prefix):
        raise BadInput(f"a prefix has {LEAST} to {MOST} hex digits, in lower case")
    ends_before = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    rows = visible_to(actor).filter(lookup__gte=prefix, lookup__lt=ends_before)
    found = {lookup[len(prefix) :]: state for lookup, state in rows.values_list("lookup", "state")}
    wanted = PADDED_TO * (len(found) // PADDED_TO + 1) + secrets.randbelow(PADDED_TO)
    states = [state for state in Indicator.State.values if state != Indicator.State.HELD]
    while len(found) < wanted:
        found.setdefault(secrets.token_hex(LOOKUP // 2)[len(prefix) :], secrets.choice(states))
    return Near(prefix, dict(sorted(found.items())))
