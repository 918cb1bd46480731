"""The tasks that a worker can do, and why it could not do one."""

from collections.abc import Mapping
from typing import Any, Final, Generic, NamedTuple, TypeVar

from migsync.key import Key
from migsync.worker import headers, made_tables, migration_traces, protocol

Q = TypeVar("Q")
R = TypeVar("R")


class Task(NamedTuple, Generic[Q, R]):
    """One thing that a worker can do: the function ``module:name`` in it, and what goes in and comes out.

    `timeout` is in seconds; whoever takes longer is killed. `called` is what people see while it goes on.
    """

    function: str
    request: type[Q]
    result: type[R]
    timeout: int = 1800
    called: str = "Asking Django"


EXAMINATION: Final = Task(
    "migsync.worker.examination:answer", protocol.ExaminationRequest, protocol.ExaminationResult, called="Proof"
)
REHEARSAL: Final = Task(
    "migsync.worker.rehearsal:answer", protocol.RehearsalRequest, protocol.RehearsalResult, called="Transition"
)
TRACE: Final = Task("migsync.worker.trace:answer", protocol.TraceRequest, protocol.TraceResult, called="Schema")
BUILD: Final = Task(
    "migsync.worker.build:answer",
    migration_traces.BuildRequest,
    migration_traces.BuildResult,
    called="Building a reference database",
)
SQUASH: Final = Task(
    "migsync.worker.compose.squash:answer", protocol.SquashRequest, protocol.SquashResult, called="Squash"
)
REMAKE: Final = Task(
    "migsync.worker.remake.remake:answer", protocol.RemakeRequest, protocol.RemakeResult, called="Remake"
)
TABLES: Final = Task(
    "migsync.worker.tables:answer",
    made_tables.TablesRequest,
    made_tables.TablesResult,
    timeout=120,
    called="Running old migrations in memory",
)
REGISTRY: Final = Task(
    "migsync.worker.registry:installed_apps",
    protocol.RegistryRequest,
    protocol.RegistryResult,
    timeout=120,
    called="Asking Django for the installed apps",
)
MODEL_SETTINGS: Final = Task(
    "migsync.worker.registry:model_settings",
    protocol.ModelSettingsRequest,
    protocol.ModelSettingsResult,
    timeout=120,
    called="Asking Django for settings",
)
HEADERS: Final = Task(
    "migsync.worker.registry:migration_headers",
    headers.HeadersRequest,
    headers.HeadersResult,
    timeout=120,
    called="Asking Django for dependencies",
)
TASKS: Final[Mapping[str, Task[Any, Any]]] = {
    task.function: task
    for task in (EXAMINATION, REHEARSAL, TRACE, BUILD, SQUASH, REMAKE, TABLES, REGISTRY, MODEL_SETTINGS, HEADERS)
}

STAGES: Final[Mapping[str, str]] = {
    "settings": "The settings do not import",
    "setup": "Django does not start",
    "load": "Django does not load the migrations",
    "state": "The migrations do not make a state",
    "changes": "`makemigrations --check` fails",
    "initial": "`makemigrations` fails without the old migrations",
    "compose": "The operations cannot be written into a new file",
    "connection": "The scratch database cannot be used",
    "setup-sql": "The SQL of [tool.migsync.verify] fails on the scratch database",
    "migrate": "`migrate` fails on the scratch database",
    "lock": "`migrate` waits on the scratch database for a lock that it holds itself, over another connection",
    "process": "The process of the proof failed",
    "time": "The process of the proof was stopped",
}
"""The stages of a worker's work, and what it means that one failed."""

WORK: Final[Mapping[str, str]] = {
    "settings": "importing settings",
    "setup": "starting Django",
    "load": "loading migrations",
    "state": "building the state",
    "records": "following the records",
    "changes": "comparing with the models",
    "plans": "planning databases",
    "compose": "writing migrations",
    "connection": "connecting",
    "migrate": "migrating",
}
"""The stages that take time, in words, while a worker is in one of them."""


class WorkerFailure(NamedTuple):
    """Why a worker could not do its task: the `stage`, what the project raised, and the place of it.

    `at` is the migration that ran, if one did, and `operation` the number of its operation, from 1, where that is
    known. `about` is the migration that Django complains of, if it is known. `more` are other failures of the same
    task. Where the process ended without an answer, `status` is its exit status, and `stderr` the last line that it
    wrote to standard error.
    """

    stage: str
    error: str
    file: str = ""
    line: int = 0
    at: Key | None = None
    operation: int = 0
    about: Key | None = None
    more: "tuple[WorkerFailure, ...]" = ()
    status: int = 0
    stderr: str = ""

    @property
    def sentence(self) -> str:
        """What did not work, and the exception; its place is in `file` and `line`."""
        number = f" (operation {self.operation})" if self.operation else ""
        return f"{STAGES[self.stage]}{f', in {self.at}{number}' if self.at else ''}: {self.error}"

    @property
    def key(self) -> tuple[str, str]:
        """The app and the name of the migration that a finding about this is about; empty where that is not known."""
        return self.at or self.about or ("", "")
