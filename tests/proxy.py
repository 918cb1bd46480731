"""Proxies between a client and its server: one loses a COMMIT, or the answer to it; one lets only reading pass."""

from __future__ import annotations

import asyncio
import re
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol

from tests.databases import Database, MySQLDatabase, PostgreSQLDatabase

COMMIT = re.compile(rb"\s*commit\s*;?\s*\0?\Z", re.IGNORECASE)


READS = re.compile(
    rb"\s*(?:SELECT(?!.*\b(?:setval|nextval|lo_\w+)\b)|SHOW|DESCRIBE|BEGIN|START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET"
    rb"|WITH(?!.*\)\s*(?:INSERT|UPDATE|DELETE|MERGE)\b))\b",
    re.IGNORECASE | re.DOTALL,
)
"""Statements that change nothing but the session."""


class When(Enum):
    """Where the connection is cut. For the client the two look the same."""

    BEFORE_COMMIT = "before the server gets COMMIT"
    AFTER_COMMIT = "after the server has answered COMMIT, before the client hears of it"


class Wire(Protocol):
    """How to read one engine's stream as whole messages."""

    def requests(
        self, client: asyncio.StreamReader, answer: asyncio.StreamWriter
    ) -> AsyncIterator[tuple[bytes, bytes]]:
        """The client's messages as they are, and the statement in each one; empty where there is none."""

    def answers(self, server: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bool]]:
        """The server's messages as they are, and whether each one, when it follows a COMMIT, is the answer to it."""


class PostgreSQLWire:
    # https://www.postgresql.org/docs/current/protocol-message-formats.html
    SSL_REQUEST, GSSENC_REQUEST = 80877103, 80877104

    async def requests(
        self, client: asyncio.StreamReader, answer: asyncio.StreamWriter
    ) -> AsyncIterator[tuple[bytes, bytes]]:
        while True:
            length = await client.readexactly(4)
            body = await client.readexactly(int.from_bytes(length) - 4)
            if int.from_bytes(body[:4]) not in (self.SSL_REQUEST, self.GSSENC_REQUEST):
                break
            answer.write(b"N")  # no encryption: the proxy has to read
        yield length + body, b""
        while True:
            kind, body = await self._message(client)
            # Simple protocol: Query(text). Extended protocol: Parse(statement's name, text, types of parameters).
            text = body[4:] if kind == b"Q" else body[4:].split(b"\0")[1] if kind == b"P" else b""
            yield kind + body, text

    async def answers(self, server: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bool]]:
        while True:
            kind, body = await self._message(server)
            yield kind + body, kind == b"C" and body[4:] == b"COMMIT\0"

    async def _message(self, reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
        kind, length = struct.unpack("!ci", await reader.readexactly(5))
        return kind, struct.pack("!i", length) + await reader.readexactly(length - 4)


class MySQLWire:
    # https://mariadb.com/kb/en/0-packet/ and https://mariadb.com/kb/en/com_query/
    COM_QUERY = b"\x03"

    async def requests(
        self, client: asyncio.StreamReader, answer: asyncio.StreamWriter
    ) -> AsyncIterator[tuple[bytes, bytes]]:
        while True:
            number, message = await self._packet(client)
            payload = message[4:]
            # Only a new command has number 0; what a client sends while it logs in has not.
            yield message, payload[1:] if number == 0 and payload[:1] == self.COM_QUERY else b""

    async def answers(self, server: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bool]]:
        while True:
            yield (await self._packet(server))[1], True

    async def _packet(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        head = await reader.readexactly(4)
        return head[3], head + await reader.readexactly(int.from_bytes(head[:3], "little"))


@dataclass
class Proxy:
    """A listening proxy. `database` is the upstream database at the proxy's address."""

    upstream: PostgreSQLDatabase | MySQLDatabase
    when: When | None = None
    only_after: bytes = b""
    dead_afterwards: bool = False
    host: str = "127.0.0.1"
    port: int = 0
    cuts: int = 0
    may: re.Pattern[bytes] | None = None
    passed: list[bytes] = field(default_factory=list)
    refused: list[bytes] = field(default_factory=list)
    _sessions: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def database(self) -> PostgreSQLDatabase | MySQLDatabase:
        return replace(self.upstream, server=replace(self.upstream.server, host=self.host, port=self.port))

    async def serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._accept, self.host)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    async def _accept(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        session = asyncio.current_task()
        assert session is not None
        self._sessions.add(session)
        try:
            if not (self.cuts and self.dead_afterwards):
                await self._relay(client, to_client)
        finally:
            to_client.transport.abort()
            self._sessions.discard(session)

    async def _relay(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        wire, server, to_server = await self._connect()
        try:
            connection = Connection(self, wire)
            ways = [
                asyncio.ensure_future(connection.pass_requests(client, to_server, to_client)),
                asyncio.ensure_future(connection.pass_answers(server, to_client)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                results = await asyncio.gather(*ways, return_exceptions=True)
        finally:
            to_server.transport.abort()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _connect(self) -> tuple[Wire, asyncio.StreamReader, asyncio.StreamWriter]:
        server = self.upstream.server
        if isinstance(self.upstream, MySQLDatabase):
            return MySQLWire(), *await asyncio.open_connection(server.host, server.port)
        if server.host.startswith("/"):
            socket = f"{server.host}/.s.PGSQL.{server.port}"
            return PostgreSQLWire(), *await asyncio.open_unix_connection(socket)
        return PostgreSQLWire(), *await asyncio.open_connection(server.host, server.port)


@dataclass
class Connection:
    """One client's way through the proxy. A direction ends when its peer hangs up, and when the connection is cut."""

    proxy: Proxy
    wire: Wire
    armed: bool = False
    committing: bool = False

    async def pass_requests(
        self, client: asyncio.StreamReader, to_server: asyncio.StreamWriter, to_client: asyncio.StreamWriter
    ) -> None:
        proxy = self.proxy
        self.armed = not proxy.only_after
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            async for message, statement in self.wire.requests(client, to_client):
                if statement and proxy.may and not proxy.may.match(statement):
                    proxy.refused.append(statement)
                    return
                proxy.passed += [statement] if statement else []
                self.armed = self.armed or proxy.only_after in message
                if COMMIT.match(statement) and proxy.when and self.armed and not proxy.cuts:
                    if proxy.when is When.BEFORE_COMMIT:
                        proxy.cuts += 1
                        return
                    self.committing = True
                to_server.write(message)
                await to_server.drain()

    async def pass_answers(self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            async for message, answers_commit in self.wire.answers(server):
                if self.committing and answers_commit:
                    self.proxy.cuts += 1
                    return
                to_client.write(message)
                await to_client.drain()


@contextmanager
def cutting_proxy(
    upstream: Database, when: When, *, only_after: bytes = b"", dead_afterwards: bool = False
) -> Iterator[Proxy]:
    """A proxy to `upstream` that cuts one connection, at its first COMMIT, and passes on everything else.

    With `only_after` that is the first COMMIT of a connection that has sent these bytes before. Connections made after
    the cut are passed on, or hung up on at once with `dead_afterwards`.
    """
    assert isinstance(upstream, PostgreSQLDatabase | MySQLDatabase)
    with _running(Proxy(upstream, when, only_after, dead_afterwards)) as proxy:
        yield proxy


@contextmanager
def reading_proxy(upstream: Database) -> Iterator[Proxy]:
    """A proxy to `upstream` that lets only statements pass which read, and cuts the connection at any other."""
    assert isinstance(upstream, PostgreSQLDatabase | MySQLDatabase)
    with _running(Proxy(upstream, may=READS)) as proxy:
        yield proxy


@contextmanager
def _running(proxy: Proxy) -> Iterator[Proxy]:
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(proxy.serve(ready, stop))

    thread = threading.Thread(target=run, name="cutting proxy")
    thread.start()
    ready.wait()
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
