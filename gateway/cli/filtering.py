"""Options by which several commands choose what they are about, written down once."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

R = TypeVar("R")

Wanted: TypeAlias = Mapping[str, Any]
"""What was chosen, as parameters of a query."""


def filtered(filters: Callable[..., Wanted]) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Gives a command the options of `filters`, before its own; it takes what they come to as its first argument.

    Args:
        filters: Its parameters are options for typer, all with a default.
    """

    def decorate(command: Callable[..., R]) -> Callable[..., R]:
        own = list(inspect.signature(command).parameters.values())[1:]
        shared = list(inspect.signature(filters).parameters.values())

        @functools.wraps(command)
        def run(**given: Any) -> R:
            chosen = {one.name: given.pop(one.name) for one in shared}
            return command(filters(**chosen), **given)

        # What typer makes options of.
        parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*shared, *own)]
        signature = inspect.Signature(parameters, return_annotation=None)
        run.__signature__ = signature  # type: ignore[attr-defined]  # it is, on any function
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        return run

    return decorate
