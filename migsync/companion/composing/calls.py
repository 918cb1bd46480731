"""Operations whose class does not tell how it was called: a subclass of RunPython or RunSQL with arguments of its own.

``RunPython.deconstruct`` gives the code, whatever a subclass wants instead, so what Django would write down could not
be called. What the operation was made with is known all the same: ``Operation.__new__`` keeps it.
"""

from __future__ import annotations

import inspect
from typing import Any

INNER = ("database_operations", "state_operations")


def keep_call(operation: Any) -> None:  # noqa: ANN401 -- Django has no types
    """Have `operation`, and those inside of it, tell what they were made with, where what they tell does not fit."""
    for name in INNER:
        for inner in getattr(operation, name, None) or ():
            keep_call(inner)
    name, args, kwargs = operation.deconstruct()
    try:
        inspect.signature(type(operation)).bind(*args, **kwargs)
    except TypeError:
        given, named = operation._constructor_args
        operation.deconstruct = lambda: (name, [*given], dict(named))
    except ValueError:  # no signature to look at: an extension type
        return
