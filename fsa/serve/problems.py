"""What can be wrong with a request, each with the HTTP status that says so."""

from __future__ import annotations

from typing import ClassVar

from fsa.errors import FsaError


class Problem(FsaError):
    """A request that cannot be answered as it was meant.

    Attributes:
        status: Of the HTTP response.
        kind: A word for programs.
        retry_after: Seconds after which it is worth asking again; None where it is not.
    """

    status: ClassVar[int] = 400
    kind: ClassVar[str] = "invalid_request"
    retry_after: ClassVar[int | None] = None


class Unauthorized(Problem):
    """No key, or none that is known."""

    status, kind = 401, "unauthorized"


class Forbidden(Problem):
    """The key may not do this."""

    status, kind = 403, "forbidden"


class NotFound(Problem):
    """There is no such person, choice or service; that another tenant has one makes no difference."""

    status, kind = 404, "not_found"


class TooSlow(Problem):
    """The request's body did not arrive in time."""

    status, kind = 408, "request_timeout"


class Conflict(Problem):
    """The idempotency key was used for something else."""

    status, kind = 409, "conflict"


class TooLarge(Problem):
    """The request is larger than the server reads."""

    status, kind = 413, "request_too_large"


class Unprocessable(Problem):
    """The request is well formed, but the model cannot read what it says."""

    status, kind = 422, "unprocessable"


class Busy(Problem):
    """More is waiting than the server is willing to keep."""

    status, kind, retry_after = 429, "busy", 1


class Unavailable(Problem):
    """The database cannot be reached, or the server is about to stop."""

    status, kind, retry_after = 503, "unavailable", 1
