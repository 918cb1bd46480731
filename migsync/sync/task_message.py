"""What a command and a Celery worker tell each other: the plan of one target, and what became of it.

A message goes through a broker that others may read and write. It names the target and holds its part of the plan, and
no address, credential, file or path: a worker finds the database by its own configuration. What comes in is decoded
strictly, and the worker compares the plan with its own (:mod:`migsync.sync.message_review`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final

from migsync.decoder import DecodeError, Fields, array, boolean, choice, exactly, optional, text
from migsync.errors import MigsyncError
from migsync.filesystem.boundary import hexadecimal_id, plain_text
from migsync.findings import Finding
from migsync.redaction import redact_urls
from migsync.sync.plan import Plan
from migsync.sync.plan_file import SavedOptions
from migsync.sync.plan_request import PlanRequest

FORMAT_VERSION: Final = 1
TASK: Final = "migsync.apply"
"""The name of the task that workers know."""
ANSWERS: Final = "migsync-answers-"
"""What the name of a queue for answers begins with; no worker writes into another one."""
LONGEST_WAIT: Final = 86_400.0
LONGEST_TEXT: Final = 10_000


@dataclass(frozen=True)
class TaskMessage:
    """The plan of one target, for a worker to carry out as the run with the id `run`.

    `asked` and `backwards` are what the plan was made with, `lock_timeout` is in seconds, and `reason` and `author` are
    for the journal. The plan is without its findings, which are texts for people; its id is the same.
    """

    run: str
    plan: Plan
    asked: SavedOptions
    backwards: bool
    lock_timeout: float
    reason: str
    author: str

    @classmethod
    def of(
        cls, run: str, plan: Plan, request: PlanRequest, *, lock_timeout: float, reason: str, author: str
    ) -> TaskMessage:
        """The message for a plan that was made with `request`."""
        alias = plan.target.alias
        repairs = {alias: found} if (found := request.repairs.get(alias)) else {}
        asked = replace(SavedOptions.of(request), databases=(alias,), repairs=repairs)
        return cls(
            run,
            replace(plan, findings=()),
            asked,
            request.backwards,
            min(lock_timeout, LONGEST_WAIT),
            redact_urls(reason),
            author,
        )

    @property
    def alias(self) -> str:
        """The alias of the target."""
        return self.plan.target.alias

    @property
    def request(self) -> PlanRequest:
        """What to ask of the plan that the message is compared with."""
        return PlanRequest(**{**asdict(self.asked), "databases": (self.alias,)}, backwards=self.backwards)

    def as_dict(self) -> dict[str, Any]:
        """The message as JSON values."""
        return {
            "format_version": FORMAT_VERSION,
            "kind": "task",
            "run": self.run,
            "plan": self.plan.as_dict(),
            "asked": asdict(self.asked),
            "backwards": self.backwards,
            "lock_timeout": self.lock_timeout,
            "reason": self.reason,
            "author": self.author,
        }

    @classmethod
    def from_dict(cls, document: object) -> TaskMessage:
        """The inverse of :meth:`as_dict`; raises DecodeError for another shape, and for a plan with a wrong id."""
        fields = Fields(
            document,
            ("format_version", "kind", "run", "plan", "asked", "backwards", "lock_timeout", "reason", "author"),
        )
        fields.get("format_version", exactly(FORMAT_VERSION))
        fields.get("kind", exactly("task"))
        return cls(
            run=fields.get("run", hexadecimal_id),
            plan=fields.get("plan", Plan.from_dict),
            asked=fields.get("asked", SavedOptions.from_dict),
            backwards=fields.get("backwards", boolean),
            lock_timeout=fields.get("lock_timeout", _seconds),
            reason=fields.get("reason", _short),
            author=fields.get("author", _author),
        )


class TaskState(StrEnum):
    """How far a worker has got."""

    BEGUN = "begun"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True)
class TaskAnswer:
    """What a worker says of the run with the id `run`: a hint where to look, for the target's journal is the result.

    `journaled` is the run in the journal that did what the plan does: this one, or an earlier one; empty where nothing
    was to do. A failure leaves nothing in the journal, so its `error` is here.
    """

    run: str
    state: TaskState
    worker: str
    journaled: str = ""
    findings: tuple[Finding, ...] = ()
    error: MigsyncError | None = None

    def as_dict(self) -> dict[str, Any]:
        """The answer as JSON values."""
        error = self.error
        return {
            "format_version": FORMAT_VERSION,
            "kind": "answer",
            "run": self.run,
            "state": str(self.state),
            "worker": self.worker,
            "journaled": self.journaled,
            "findings": [finding.as_dict() for finding in self.findings],
            "error": error
            and {
                "code": error.code,
                **{name: getattr(error, name)[:LONGEST_TEXT] for name in ("found", "meaning", "hint")},
            },
        }

    @classmethod
    def from_dict(cls, document: object) -> TaskAnswer:
        """The inverse of :meth:`as_dict`; raises DecodeError for another shape."""
        names = ("format_version", "kind", "run", "state", "worker", "journaled", "findings", "error")
        fields = Fields(document, names)
        fields.get("format_version", exactly(FORMAT_VERSION))
        fields.get("kind", exactly("answer"))
        answer = cls(
            run=fields.get("run", hexadecimal_id),
            state=fields.get("state", choice(TaskState)),
            worker=fields.get("worker", plain_text),
            journaled=fields.get("journaled", _perhaps_id),
            findings=fields.get("findings", array(Finding.from_dict)),
            error=fields.get("error", optional(_error)),
        )
        if (answer.state is TaskState.FAILED) is not (answer.error is not None):
            raise DecodeError("does not fit the state", "error")
        return answer


def _error(value: object) -> MigsyncError:
    """The error as the worker raised it; of a newer migsync's, which has no class here, the texts."""
    fields = Fields(value, ("code", "found", "meaning", "hint"))
    kinds = {kind.code: kind for kind in _kinds(MigsyncError)}
    kind = kinds.get(fields.get("code", text), MigsyncError)
    return kind(*(fields.get(name, _short) for name in ("found", "meaning", "hint")))


def _kinds(kind: type[MigsyncError]) -> Iterator[type[MigsyncError]]:
    # A class that has its code from another one may be made of other things than texts.
    if "code" in vars(kind):
        yield kind
    for special in kind.__subclasses__():
        yield from _kinds(special)


def _perhaps_id(value: object) -> str:
    return "" if value == "" else hexadecimal_id(value)


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_WAIT:
        raise DecodeError("is not a number of seconds up to a day")
    return float(value)


def _short(value: object) -> str:
    if len(text(value)) > LONGEST_TEXT:
        raise DecodeError(f"is longer than {LONGEST_TEXT} characters")
    return text(value)


def _author(value: object) -> str:
    if len(plain_text(value)) > 255:
        raise DecodeError("is longer than 255 characters")
    return plain_text(value)
