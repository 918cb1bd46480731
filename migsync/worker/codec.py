"""What the two processes write to each other: the classes of :mod:`migsync.worker.protocol` as lines of JSON.

A worker reads three lines from its standard input: a :class:`Start` at once; an :class:`Order` and the task's request
when it is known what to do. It writes two lines to standard output: `RESULT` and the task's result, or `FAILURE` and a
:class:`migsync.worker.task.WorkerFailure`.

How far it has got it writes elsewhere: see :mod:`migsync.worker.progress`.

A named tuple is written as a list of its values. Annotations say how each is read: named tuples, tuples, mappings with
text as names, enumerations of texts, findings, bytes (as base64), texts, numbers, booleans, and each of them or None.
What another program may have written is read by :mod:`migsync.decoder`, which checks everything; here both ends are
the same program, and a worker must start fast.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")
Reader = Callable[[Any], Any]

RESULT = "result"
FAILURE = "failure"
Files = Mapping[str, bytes | None]
"""Real paths of ``.py`` files, and what the worker is to find in them; None for a file that is not to be there."""


class Start(NamedTuple):
    """The ``sys.path`` of the process, the project's root, and how to get `ready` before the task is known.

    `ready`: ``django`` to import Django, ``files`` to load the migrations that are on disk, or empty. `progress` is
    the descriptor of the pipe for :mod:`migsync.worker.progress`, -1 for none.
    """

    path: tuple[str, ...]
    root: str
    ready: str = ""
    progress: int = -1


class Order(NamedTuple):
    """Which task it is (the `function` of a :class:`migsync.worker.task.Task`), and the files over those on disk."""

    task: str
    files: Files


def encode(value: object) -> str:
    """A value as one line of JSON, without the end of the line."""
    return json.dumps(value, default=_plain)


def decode(kind: Callable[..., T], line: str) -> T:
    """The value of this type that :func:`encode` made the line of."""
    read: Reader | None = _reader(kind)
    value: T = json.loads(line) if read is None else read(json.loads(line))
    return value


def _plain(value: Any) -> Any:  # noqa: ANN401 -- whatever json has no form for
    # Named tuples never get here: to json they are tuples, and so lists.
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return dict(value) if isinstance(value, Mapping) else value.as_dict()


@cache
def _reader(kind: Any) -> Reader | None:  # noqa: ANN401 -- a type, or what an annotation says
    """What makes a value of the type out of what `json` reads; None where that is one already.

    Most of a large result is text: what needs no work is not even visited.
    """
    origin, parts = get_origin(kind), get_args(kind)
    if origin is UnionType:
        # The only unions are of one type and None.
        (inner,) = (_reader(part) for part in parts if part is not NoneType)
        return None if inner is None else lambda value: None if value is None else inner(value)
    if origin is tuple:
        return _tuple(parts)
    if origin is not None:
        # A Mapping: its names are texts, so only its values can need work.
        item = _reader(parts[1])
        return None if item is None else lambda value: {name: item(each) for name, each in value.items()}
    if issubclass(kind, tuple):
        return partial(_named_tuple, kind)
    if issubclass(kind, Enum):
        return partial(kind)
    return base64.b64decode if kind is bytes else getattr(kind, "from_dict", None)


def _tuple(parts: tuple[Any, ...]) -> Reader:
    if parts[1:] == (...,):
        read = _reader(parts[0])
        return tuple if read is None else lambda value: tuple(map(read, value))
    readers = tuple(_reader(part) for part in parts)
    return lambda value: tuple(_read(readers, value))


def _named_tuple(kind: Any, value: Sequence[Any]) -> Any:  # noqa: ANN401 -- a value of this class
    return kind(*_read(_fields(kind), value))


@cache  # when the first is read: a class may have fields of its own type
def _fields(kind: Any) -> tuple[Reader | None, ...]:  # noqa: ANN401
    try:
        hints = get_type_hints(kind)
    except NameError:
        # A result with findings: a worker, which reads requests alone, never imports their class.
        from migsync.findings import Finding

        hints = get_type_hints(kind, localns={"Finding": Finding})
    return tuple(map(_reader, hints.values()))


def _read(readers: Sequence[Reader | None], values: Sequence[Any]) -> Iterator[Any]:
    return (read(value) if read else value for read, value in zip(readers, values, strict=True))
