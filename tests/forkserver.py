"""Python processes that start in milliseconds: forked from a server that has imported migsync and Django already.

Most of the time of ``python -m migsync plan`` goes into starting Python and importing. After :func:`install`,
``subprocess.Popen`` (and so ``subprocess.run``) asks the server for a process wherever the command is this Python with
``-m MODULE``, ``-c CODE`` or a script, behind ``-P`` or not. Such a process has its own working directory, environment,
arguments and standard streams; signals reach it, and its exit status is its own. What it does not show is the start
itself: which modules are imported, and from where. Tests of that are marked ``fresh``, and
MIGSYNC_TEST_PROFILE=thorough starts every process fresh. tests/test_forkserver.py compares both, for every command when
thorough.

Run as a script, this file is the server. It imports nothing from the tests: a project may have a package `tests`.
"""

from __future__ import annotations

import atexit
import codecs
import gc
import importlib
import importlib.util
import inspect
import io
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, ClassVar

FRESH = subprocess.Popen
NO_BYTECODE = sys.dont_write_bytecode
SAFE_PATH = "-P"
LISTENS = b"."
NUMBER = struct.Struct("!q")
OF_THE_START = ("PYTHON", "LC_", "LANG")
"""Variables that Python reads when it starts. A process that wants others than the server's is a fresh one."""
ENCODING = "PYTHONIOENCODING"
FREE = ("PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", ENCODING)
"""But for these. All processes of one server have the same hash seed, which is what migsync asks for."""

LIBRARIES = (
    "alembic.autogenerate",
    "alembic.migration",
    "alembic.operations",
    "django.contrib.contenttypes.management",
    "django.core.cache.backends.locmem",
    "django.core.files.uploadhandler",
    "django.core.mail",
    "django.core.management.commands.check",
    "django.core.management.commands.makemigrations",
    "django.core.management.commands.migrate",
    "django.db.backends.mysql.client",
    "django.db.backends.mysql.compiler",
    "django.db.backends.mysql.creation",
    "django.db.backends.mysql.features",
    "django.db.backends.mysql.operations",
    "django.db.backends.mysql.schema",
    "django.db.backends.mysql.validation",
    "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base",
    "django.db.migrations.autodetector",
    "django.db.migrations.loader",
    "django.db.migrations.recorder",
    "django.db.migrations.writer",
    "django.middleware.csrf",
    "django.utils.log",
    "django.utils.translation.reloader",
    "django.views.csrf",
    "django.views.debug",
    "django.views.generic",
    "logging.handlers",
    "psycopg",
    "pymysql",
    "rich.console",
    "rich.table",
    "sqlalchemy.dialects.mysql.pymysql",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "_strptime",
)

OF_REAL_PROJECTS = (
    "PIL.Image",
    "bs4",
    "charset_normalizer",
    "pydantic",
    "phonenumbers",
    "pillow_heif",
    "requests",
    "unittest.mock",
    "willow",
    "yaml",
    "jsonschema.validators",
)
"""What wagtail and oscar import, half a second of it, and the tests; none where they are not installed."""

INSTALLED = (
    *(f"migsync.companion.{name}" for name in ("apps", "checks", "guard", "management")),
    "migsync.worker.library_settings",
)
"""What only some projects import: the companion registers checks, a library's settings read the environment."""


recorder: dict[str, Any] = {}
"""In the server and its children: what tests/recorder.py defines."""


class Process(FRESH):
    """A ``Popen`` whose process the server forks where it can, and that is a fresh one otherwise."""

    address: ClassVar[str] = ""
    """The server's socket; empty until it runs."""
    connection: socket.socket | None = None

    def _execute_child(self, *arguments: Any) -> None:
        given = inspect.signature(FRESH._execute_child).bind(self, *arguments).arguments
        if not _can_fork(given):
            super()._execute_child(*arguments)
            return
        sys.audit("subprocess.Popen", sys.executable, given["args"], given["cwd"], given["env"])
        streams = [given[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        command, directory = [os.fspath(part) for part in given["args"]], os.fspath(given["cwd"] or Path.cwd())
        document = {"command": command[1:], "directory": directory, "environment": _environment(given["env"])}
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.connect(_server())
        _send(self.connection, document, [number if fd == -1 else fd for number, fd in enumerate(streams)])
        self.pid = _receive_number(self.connection)
        self._child_created = True
        self._close_pipe_fds(
            *(given[name] for name in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite"))
        )

    def _internal_poll(self, *arguments: Any, **named: Any) -> int | None:
        if self.connection is None:
            return super()._internal_poll(*arguments, **named)
        if self.returncode is None and self._waitpid_lock.acquire(False):
            try:
                pid, status = self._try_wait(os.WNOHANG)
                if pid:
                    self._handle_exitstatus(status)
            finally:
                self._waitpid_lock.release()
        return self.returncode

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self.connection is None:
            return super()._try_wait(wait_flags)
        with selectors.DefaultSelector() as selector:
            selector.register(self.connection, selectors.EVENT_READ)
            if not selector.select(0 if wait_flags & os.WNOHANG else None):
                return 0, 0
        status = _receive_number(self.connection)
        self.connection.close()
        return self.pid, status


def _can_fork(given: Mapping[str, Any]) -> bool:
    command, start = given["args"], os.environ if given["env"] is None else given["env"]
    special = ("executable", "preexec_fn", "pass_fds", "shell", "start_new_session", "gid", "gids", "uid")
    if isinstance(command, str | bytes | os.PathLike) or any(given[name] not in (None, False, ()) for name in special):
        return False
    first, *rest = (os.fspath(part) for part in command)
    rest = rest[rest[:1] == [SAFE_PATH] :]
    if first != sys.executable or not rest or (rest[0].startswith("-") and rest[0] not in ("-c", "-m")):
        return False
    return _of_the_start(start) == _of_the_start(os.environ) and Path(given["cwd"] or ".").is_dir()


def _of_the_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(OF_THE_START) and name not in FREE}


def _environment(given: Mapping[str, Any] | None) -> dict[str, str]:
    return {os.fsdecode(name): os.fsdecode(value) for name, value in (os.environ if given is None else given).items()}


def _send(connection: socket.socket, document: Mapping[str, Any], streams: list[int]) -> None:
    content = json.dumps(document).encode()
    socket.send_fds(connection, [NUMBER.pack(len(content))], streams)
    connection.sendall(content)


def _receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    head, streams, *_ = socket.recv_fds(connection, NUMBER.size, 3)
    return json.loads(_receive_bytes(connection, NUMBER.unpack(head)[0])), streams


def _receive_number(connection: socket.socket) -> int:
    return NUMBER.unpack(_receive_bytes(connection, NUMBER.size))[0]


def _receive_bytes(connection: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = connection.recv(size - len(found))
        if not piece:
            raise RuntimeError("the fork server of the tests has ended")
        found += piece
    return found


def install() -> None:
    """From now on ask a server for processes; it starts when it is needed, and ends with this process."""
    subprocess.Popen = Process


def _server() -> str:
    """The address of this process' server, which is started now if there is none."""
    if not Process.address:
        directory = tempfile.TemporaryDirectory(prefix="migsync-forkserver-")
        address = str(Path(directory.name) / "socket")
        # Tests have their processes write no bytecode; what the server imports lasts, and is compiled once.
        kept = {name: value for name, value in os.environ.items() if name != FREE[0] or NO_BYTECODE}
        server = FRESH([sys.executable, __file__, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=kept)
        if server.stdout.read(1) != LISTENS:
            raise RuntimeError("the fork server of the tests did not start")
        Process.address = address
        atexit.register(directory.cleanup)
        atexit.register(server.communicate)  # its standard input ends, and so does it
    return Process.address


@contextmanager
def fresh() -> Iterator[None]:
    """Meanwhile every process of this one is fresh, and so are those that it starts."""
    with _popen(FRESH):
        yield


@contextmanager
def forked() -> Iterator[None]:
    """Meanwhile the server forks processes."""
    with _popen(Process):
        yield


@contextmanager
def _popen(kind: type[subprocess.Popen]) -> Iterator[None]:
    subprocess.Popen, before = kind, subprocess.Popen
    try:
        yield
    finally:
        subprocess.Popen = before


class Server:
    """The loop that forks: it has one thread and no connection to anything, as long as it lives."""

    def __init__(self, address: str) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(address)
        self.listener.listen(64)
        self.woken, self.wakeup = os.pipe()
        os.set_blocking(self.wakeup, False)
        os.set_blocking(self.woken, False)
        self.children: dict[int, socket.socket] = {}
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches whole process groups
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wakeup)

    def serve(self) -> tuple[dict[str, Any], list[int]] | None:
        """In a child: what it is to do. In the server: None, once the tests have ended."""
        with selectors.DefaultSelector() as selector:
            for readable in (0, self.woken, self.listener):
                selector.register(readable, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self.woken in ready:
                    self.reap()
                if self.listener in ready and (request := self.fork()):
                    return request
                if 0 in ready:
                    return None

    def fork(self) -> tuple[dict[str, Any], list[int]] | None:
        """Take one request; it is returned in the child only."""
        connection, _ = self.listener.accept()
        try:
            request = _receive(connection)
        except (RuntimeError, struct.error):  # whoever asked was killed
            connection.close()
            return None
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            return request
        for stream in request[1]:
            os.close(stream)
        self.children[pid] = connection
        with suppress(OSError):
            connection.sendall(NUMBER.pack(pid))
        return None

    def reap(self) -> None:
        """Tell how children ended."""
        with suppress(BlockingIOError):
            while os.read(self.woken, 4096):
                pass
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            with self.children.pop(pid) as connection, suppress(OSError):
                connection.sendall(NUMBER.pack(status))


def become(document: Mapping[str, Any], streams: list[int]) -> None:
    """Be the process that was asked for; never returns."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 1024)
    os.chdir(document["directory"])
    os.environ.clear()
    os.environ.update(document["environment"])
    time.tzset()
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))
    sys.stdin, sys.stdout, sys.stderr = (
        _stream(name, number) for number, name in enumerate(("stdin", "stdout", "stderr"))
    )
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    status = _run(document["command"])
    recorder["command_ended"](document["command"], status)
    _end(status)


def _stream(name: str, number: int) -> io.TextIOWrapper:
    """A standard stream as Python makes it, on the descriptor of this number."""
    given = getattr(sys, name)
    through = given.write_through  # PYTHONUNBUFFERED
    raw = io.open(number, "rb" if name == "stdin" else "wb", 0 if through else -1, closefd=False)  # noqa: UP020, SIM115
    lines = name == "stderr" or raw.isatty()
    encoding, _, errors = os.environ.get(ENCODING, "").partition(":")
    errors = given.errors if name == "stderr" else errors or ("strict" if encoding else given.errors)
    encoding = codecs.lookup(encoding).name if encoding else given.encoding
    return io.TextIOWrapper(raw, encoding, errors, line_buffering=lines, write_through=through)


def _run(command: list[str]) -> int:
    """Run it as the main module; the exit status, as Python makes it."""
    try:
        code, main, sys.argv = _main(command)
        sys.modules["__main__"] = main
        exec(code, vars(main))
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return (error.code or 0) & 0xFF
        print(error.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        sys.excepthook(*sys.exc_info())
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def _main(command: list[str]) -> tuple[CodeType, ModuleType, list[str]]:
    """The code of the main module, the module, and its arguments."""
    safe = command[0] == SAFE_PATH
    kind, *rest = command[safe:]
    main = ModuleType("__main__")
    if kind == "-c":
        _import_from("", safe)
        return compile(rest[0], "<string>", "exec", dont_inherit=True), main, [kind, *rest[1:]]
    if kind == "-m":
        _import_from(str(Path.cwd()), safe)
        sys.argv = [kind, *rest[1:]]  # as packages see it that are imported on the way
        spec = importlib.util.find_spec(rest[0])
        if spec and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{rest[0]}.__main__")
        if spec is None or spec.loader is None:
            raise SystemExit(f"{sys.executable}: No module named {rest[0]}")
        main.__spec__, main.__file__, main.__package__ = spec, spec.origin, spec.parent
        return spec.loader.get_code(spec.name), main, [spec.origin, *rest[1:]]
    _import_from(str(Path(kind).resolve().parent), safe)
    main.__file__ = str(Path(kind).absolute())
    return compile(Path(kind).read_bytes(), main.__file__, "exec", dont_inherit=True), main, [kind, *rest]


def _import_from(place: str, safe: bool) -> None:
    if not safe:
        sys.path.insert(0, place)


def _end(status: int) -> None:
    """End as Python does, but without taking every module to pieces."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            status = 120  # as Python does
    os._exit(status)


def preload() -> None:
    """Import what commands and their workers import, but for what needs settings or tells Django about itself."""
    for name in LIBRARIES:
        importlib.import_module(name)
    for name in OF_REAL_PROJECTS:
        with suppress(Exception):
            importlib.import_module(name)
    import migsync

    for found in pkgutil.walk_packages(migsync.__path__, "migsync."):
        if not found.name.startswith(INSTALLED) and not found.name.endswith("__main__"):
            with suppress(Exception):  # it needs a running Django
                importlib.import_module(found.name)
    recorder.update(runpy.run_path(str(Path(__file__).with_name("recorder.py"))))
    recorder["install"]()


def main() -> None:
    """Serve until standard input ends."""
    del sys.path[0]  # this directory
    variable = os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    preload()
    assert variable is None or "django.conf" in sys.modules
    server = Server(sys.argv[1])
    subprocess.Popen, Process.address = Process, sys.argv[1]
    gc.collect()
    gc.freeze()  # the collector of a child touches none of this
    os.write(1, LISTENS)
    if request := server.serve():
        become(*request)


if __name__ == "__main__":
    main()
