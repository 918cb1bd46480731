"""Operations of a class of their own, written with what they were made with where Django would write less.

Django's writer asks an operation how it was made, and leaves out every answer that its ``__init__`` does not name. A
subclass of ``RunPython`` with another ``__init__`` answers as its base does: all that it was given would be lost.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from migsync.worker.compose.gathering import CannotCarryError


@contextmanager
def as_given(operations: Sequence[Any]) -> Iterator[None]:
    """Have such operations say what they were given. Raises CannotCarryError where that cannot be written either."""
    changed = [operation for operation in _all(operations) if not _complete(operation, *operation.deconstruct())]
    for operation in changed:
        name = type(operation).__name__
        given, named = operation._constructor_args
        if not _complete(operation, name, given, named):
            raise CannotCarryError(
                "",
                0,
                f"Django would write {name} without all that it was made with",
                "Its deconstruct() and its __init__() do not fit together.",
                f"Have {name}.__init__() take plain arguments, and deconstruct() give them back.",
            )
        operation.deconstruct = lambda name=name, given=given, named=named: (name, list(given), named)
    try:
        yield
    finally:
        for operation in changed:
            del operation.deconstruct


def _all(operations: Iterable[Any]) -> Iterator[Any]:
    """The operations, and those inside of them."""
    for operation in operations:
        yield operation
        for inner in ("database_operations", "state_operations"):
            yield from _all(getattr(operation, inner, None) or ())


def _complete(operation: Any, _: str, given: Sequence[Any], named: dict[str, Any]) -> bool:  # noqa: ANN401
    """Whether Django's writer can write these arguments, and the class be made with them."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = [it for it in inspect.signature(operation.__init__).parameters.values() if it.kind in kinds]
    names = [each.name for each in parameters if each.kind is kinds[0]]
    if len(given) > len(names) or not set(named) <= {each.name for each in parameters} - {*names[: len(given)]}:
        return False
    written = {*names[: len(given)], *named}
    return all(each.name in written or each.default is not inspect.Parameter.empty for each in parameters)
