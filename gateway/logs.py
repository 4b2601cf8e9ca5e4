"""Logs: one JSON object a line on standard output, with the id of the request it belongs to and without secrets."""

import logging
import re
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, TextIO

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import WrappedLogger

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being served; set by the HTTP face, sent on to hubs that take one."""

HIDDEN = "•••"

_SECRET_NAMES = re.compile(r"token|secret|password|authori[sz]ation|api_?key|credential|cookie|private", re.IGNORECASE)
# What stands behind these words is a credential wherever it turns up, in an error's text for instance; so is what looks
# like one of our API keys (`gateway.services.keys`).
_SECRET_TEXTS = re.compile(
    r"(?i)\b(bearer|token|basic)\s+[A-Za-z0-9+/=_.~-]{8,}|(://[^/\s:@]*):[^/\s@]+@|\brg_[A-Za-z0-9_-]{20,}"
)

# An error of pydantic quotes the value that it will not have, one of PostgreSQL the row: a driver's card may be in it.
_QUOTED = re.compile(r"(input_value=).*?(?=, input_type=)|(Failing row contains |Key \([^)]*\)=)\([^\n]*\)", re.DOTALL)


def configure(level: str = "INFO", *, stream: TextIO | None = None) -> None:
    """Sends the logs of the gateway and of its libraries to a stream, standard output unless told.

    Args:
        level: Least level that is written, by name.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        _add_request_id,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Local variables would show keys and tokens.
        structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
        hide_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_add_request_id, structlog.stdlib.add_logger_name, *shared[1:]],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))


def hide_secrets(_logger: WrappedLogger, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hides values under telling names, and credentials inside texts, at any depth."""
    for name, value in event.items():
        event[name] = _hidden(name, value)
    return event


def _hidden(name: str, value: Any) -> Any:
    if value is not None and not isinstance(value, bool | int | float) and _SECRET_NAMES.search(name):
        return HIDDEN
    if isinstance(value, str):
        return _QUOTED.sub(lambda match: f"{match[1] or match[2]}{HIDDEN}", _SECRET_TEXTS.sub(_cover, value))
    if isinstance(value, dict):
        return {key: _hidden(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(name, inner) for inner in value]
    return value


def _cover(match: re.Match[str]) -> str:
    if match[1]:
        return f"{match[1]} {HIDDEN}"
    return f"{match[2]}:{HIDDEN}@" if match[2] else HIDDEN


def _add_request_id(_logger: WrappedLogger, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if (request_id := REQUEST_ID.get()) is not None:
        event.setdefault("request_id", request_id)
    return event
