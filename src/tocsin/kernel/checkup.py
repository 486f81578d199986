"""One line of a check-up: what `tocsin doctor` finds."""

from typing import Literal

import msgspec

State = Literal["good", "missing", "wrong"]


class Finding(msgspec.Struct, frozen=True):
    """What was looked at, how it stands, and what to do where it is not good.

    `missing` is an option not used or not installed, `wrong` is a fault.
    """

    what: str
    state: State
    detail: str
    advice: str = ""
