"""The one error type: raised inside, rendered only at doors."""

from typing import ClassVar


class Problem(Exception):  # noqa: N818 (the field calls them problems, RFC 9457)
    """Something went wrong that a person can understand and act on.

    A subclass's docstring is its default message. `slug` names it for programs, `status` is what HTTP
    answers (RFC 9110), `exit_code` what a terminal gets, `hint` what to do next.
    """

    slug: ClassVar[str] = "problem"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    hint: str = ""

    def __init__(self, detail: str | None = None, *, hint: str | None = None) -> None:
        self.title = (type(self).__doc__ or "Something went wrong.").strip().splitlines()[0]
        self.detail = detail or self.title
        if hint is not None:
            self.hint = hint
        super().__init__(self.detail)


class BadInput(Problem):
    """The input is not what was asked for."""

    slug = "bad-input"
    status = 400
    exit_code = 2


class NotSignedIn(Problem):
    """Nobody is signed in, or the key is not known."""

    slug = "not-signed-in"
    status = 401
    exit_code = 4
    hint = "sign in, or send a current API key"


class NotAllowed(Problem):
    """You may not do that."""

    slug = "not-allowed"
    status = 403
    exit_code = 4


class NotFound(Problem):
    """There is no such thing, or you may not know of it."""

    slug = "not-found"
    status = 404
    exit_code = 5


class Conflict(Problem):
    """That does not fit with what happened before."""

    slug = "conflict"
    status = 409
    exit_code = 6


class Unreachable(Problem):
    """The other side did not answer."""

    slug = "unreachable"
    status = 503
    exit_code = 7


class NotGenuine(Problem):
    """The proof does not hold: something was changed."""

    slug = "not-genuine"
    status = 422
    exit_code = 8
