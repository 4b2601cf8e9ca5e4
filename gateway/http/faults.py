"""Which problem an exception of a service, or of the store behind it, is to a caller."""

from typing import Final

import asyncpg

from gateway.complaints import FieldError
from gateway.http.problems import Problem
from gateway.services.ports import Conflict, HubFailed, Invalid, NotFound
from gateway.services.ports.catalogue import Forgotten

_RETRY_AFTER: Final = {"Retry-After": "1"}

# Connection failures, exhausted resources, a server that starts or stops (SQLSTATE classes 08, 53, 57), and what the
# driver says of a connection that broke. Everything else that a database says is a mistake of ours.
_UNREACHABLE: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)

EXPECTED: Final = (Problem, NotFound, Conflict, Invalid, Forgotten, HubFailed, *_UNREACHABLE)
"""Exceptions that are answers; any other is a bug."""


def of_exception(error: Exception) -> Problem:
    """Gives the problem that an exception is to the caller."""
    problem = Problem("bug", "The gateway failed; whether the request took effect is not known")
    match error:
        case Problem():
            problem = error
        case NotFound():
            said = str(error.args[0])
            problem = Problem("not-found", said, [FieldError(field=error.field, detail=said)] if error.field else [])
        case Invalid():
            faults = [FieldError(field=field, detail=detail) for field, detail in error.problems]
            problem = Problem("invalid", str(error), faults)
        case Conflict():
            said = str(error)
            problem = Problem("conflict", said, [FieldError(field=error.field, detail=said)] if error.field else [])
        case Forgotten():
            problem = Problem("forgotten", str(error))
        case HubFailed():
            problem = Problem("hub-failed", str(error))
        case asyncpg.DataError():  # an InterfaceError by class, but about an argument that does not fit its column
            pass
        case _ if isinstance(error, _UNREACHABLE):
            problem = Problem("unavailable", "The store cannot be reached", headers=_RETRY_AFTER)
    return problem
