"""Text without passwords. What drivers, settings modules and other programs say is shown only as it comes from here."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote

MASK: Final = "***"
_WORDS: Final = "passw|pass(?![A-Za-z])|passphrase|pwd|secret|token|credential|api_?key|private_?key"
_NAME: Final = rf"[\w.-]*(?:{_WORDS})[\w.-]*"
PARAMETERS: Final = frozenset({"password", "passwd", "sslpassword", "ssl_key_password"})
"""The connection parameters of libpq and PyMySQL that hold a password."""

# A variable of the environment that holds a password, and not the place of one, nor the shell's PWD.
_VARIABLE = re.compile(rf"(?!(?:OLD)?PWD$|.*(?:FILE|DIR|PATH)$){_NAME}", re.IGNORECASE)
_QUOTED = r"""b?(?:'(?:[^'\\\n]|\\.)*'?|"(?:[^"\\\n]|\\.)*"?)[^\s,)}\]]*"""
_ANSWER = r"(?!(?:YES|NO|None|True|False)\b)"  # MySQL says "using password: YES"
_PAIR = re.compile(rf"""({_NAME}["']?[ \t]*(?:=>|[:=])[ \t]*){_ANSWER}(?:{_QUOTED}|\S+)""", re.IGNORECASE)
# A URL that can be taken apart in one way only, and any other up to the end of its line: whoever forgets to
# percent-encode a password may have a space or a slash in it.
_URL = re.compile(
    r"(?P<start>\w:/{1,3})"
    r"(?:(?P<user>[^\s:/@?#]*:)[^\s:/@?#'\"]*(?P<place>@[\w.-]+(?::\d+)?(?:/[\w.-]*)?)(?=$|[\s'\"),;])(?![^\n]*@)"
    r"|(?P<rest>[^\n]*))"
)
_SECRET_INSIDE = re.compile(rf"@|{_NAME}=", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(\w:/{1,3}[^\s:/@]*:)\S*@")
_DELIMITERS = re.compile(r"[@:/?#]")
QUOTED_ONLY: Final = 4
"""A shorter secret is masked only where it stands in quotes: it may be part of any word."""
WORD_ONLY: Final = 12
"""A shorter secret is masked only where it is a word of its own: ``postgres`` is also the beginning of a scheme."""


def redact(text: str, secrets: Iterable[str] = (), public: Iterable[str] = ()) -> str:
    """The text with ``***`` for each password in it: in a URL, behind its name, and wherever one of `secrets` stands.

    The passwords of this process's environment count as secrets too. A secret that is also `public` (a user called
    as his password) stays: to mask it would tell it.
    """
    known = {form for secret in (*secrets, *_of_environment(os.environ)) for form in _forms(secret)} - set(public)
    # What is known goes first: a mask in its middle would hide it from being found.
    # The longest first: with the secrets `abcd@ef` and `abcd`, masking the short one first would leave `***@ef`.
    for form in sorted(known, key=len, reverse=True):
        text = _masked(text, form)
    return _PAIR.sub(rf"\1{MASK}", _URL.sub(_without_password, text))


def redact_urls(text: str) -> str:
    """The text with ``***`` for the password of each URL in it, and otherwise as it is: for migsync's own sentences."""
    return _URL_PASSWORD.sub(rf"\1{MASK}@", text) if ":/" in text else text


def secrets_in(parameters: Mapping[str, Any]) -> list[str]:
    """The passwords among connection parameters."""
    return [str(value) for name, value in parameters.items() if name in PARAMETERS and value]


def _without_password(url: re.Match[str]) -> str:
    if url["place"]:
        return f"{url['start']}{url['user']}{MASK}{url['place']}"
    return f"{url['start']}{MASK}" if _SECRET_INSIDE.search(url["rest"]) else url[0]


def _of_environment(environ: Mapping[str, str]) -> Iterator[str]:
    """Values of variables such as ``PGPASSWORD``, and the parts of what stands before the ``@`` in URLs."""
    for name, value in environ.items():
        if "://" in value and "@" in value:
            user_info = value.partition("://")[2].rpartition("@")[0]
            # An error may quote a part only: in `postgres://u:a/b@host` urlsplit() takes `a` for the port, and says so.
            password = user_info.partition(":")[2]
            yield from (password, *_DELIMITERS.split(password))
        if _VARIABLE.fullmatch(name) and len(value) >= QUOTED_ONLY and value.lower() not in ("true", "false", "none"):
            yield value


def _forms(secret: str) -> set[str]:
    """The secret, and how it looks percent-encoded, percent-decoded, and within the quotes of Python and of JSON."""
    spelled = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), unquote(secret)}
    spelled |= {repr(secret)[1:-1], json.dumps(secret)[1:-1]}
    return spelled - {""}


def _masked(text: str, secret: str) -> str:
    if len(secret) >= WORD_ONLY:
        return text.replace(secret, MASK)
    around = r"""["']""" if len(secret) < QUOTED_ONLY else ""
    before, after = (f"(?<={around})", f"(?={around})") if around else (r"(?<!\w)", r"(?!\w)")
    return re.sub(f"{before}{re.escape(secret)}{after}", MASK, text)
