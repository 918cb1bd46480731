"""Database URLs in the forms that people write them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from migsync.engines import ENGINES, Engine
from migsync.engines.address import Address
from migsync.errors import TargetError, UnknownEngine

_SCHEMES: Final = {scheme: engine for engine in ENGINES for scheme in engine.schemes}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_END_OF_AUTHORITY = re.compile(r"[/?#]")


def engine_of_scheme(text: str) -> Engine:
    """The engine that a URL's scheme means; a driver in it (``postgresql+psycopg2``) is ignored."""
    scheme, separator, _ = text.partition("://")
    engine = _SCHEMES.get(scheme.partition("+")[0].lower())
    if not separator or not _SCHEME.fullmatch(scheme):
        raise TargetError(
            "Its URL does not start with an engine.",
            hint="Write it as engine://user:password@host:port/database or sqlite:///path.",
        )
    if not engine:
        raise UnknownEngine(f"Its URL starts with {scheme}://, an engine that migsync does not support.")
    return engine


def url_address(text: str, base: Path) -> Address:
    """The address for a URL; a relative path of a file is relative to `base`.

    The URL is in no error: it holds secrets.
    """
    text = text.strip()
    engine = engine_of_scheme(text)
    rest = text.partition("://")[2]
    try:
        # The path of a file may have an `@` in it.
        if not engine.file_suffix and _ambiguous(rest):
            raise ValueError
        # By the engine's name: migsync has one driver for each, whatever driver the URL names.
        url = make_url(f"{engine.name}://{rest}")
    except (ArgumentError, ValueError):
        # The cause quotes parts of the URL.
        raise TargetError(
            "Its URL cannot be read.",
            hint="Percent-encode characters such as @, : and / in the user and the password (%40, %3A, %2F).",
        ) from None
    if not engine.file_suffix and url.host and "%" in url.host:
        # The directory of a socket stands there as `%2Frun%2Fpostgresql`; SQLAlchemy decodes the user, not the host.
        url = url.set(host=unquote(url.host))
    return engine.url_address(url, base)


def _ambiguous(rest: str) -> bool:
    """Whether a part of the password could be taken for the host, the database or a parameter, and be shown as such.

    Of a URL without its scheme; an ``@`` that is not encoded stands only between the user's part and the host.
    """
    # `u:a@secret@host/db` has two `@` before the path; `u:a/secret@host/db`, with a `/` in the password, has one after
    # it.
    authority, *after = _END_OF_AUTHORITY.split(rest, maxsplit=1)
    user_info = authority.rpartition("@")[0]
    return "@" in user_info.partition(":")[2] or any("@" in part for part in after)
