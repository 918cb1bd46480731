"""The layout that ``makemigrations`` writes (and black keeps), read without a syntax tree: thirty times faster.

What it reads is what :func:`migsync.history.parser.read_header` reads, or None for any file of another layout. Why
that is so: the expression below matches the whole file, and up to `operations` knows every statement. From
``operations = [`` on each line is empty or indented by eight spaces, up to ``    ]`` at the end of the file. Were the
list closed earlier, the rest of its logical line could still hold code, so a second statement (``;``), a second
target (``] =``) and an assignment inside an expression (``:=``) send the file to the syntax tree. Any further
logical line would be indented more than the class body before it, which Python refuses.

So the operations themselves are not looked at: whether they are Python is known when their digest is made.
"""

from __future__ import annotations

import re
from functools import lru_cache

from migsync.history.migration import SETTING, Key
from migsync.history.parser import Header

_PAIR = r"""\((?:'[^'"\\\n]+', '[^'"\\\n]+'|"[^'"\\\n]+", "[^'"\\\n]+")\)"""
_SETTING = r"migrations\.swappable_dependency\(settings\.[A-Z][A-Z0-9_]*\)"
_LIST = rf"\[(?:\]|{_PAIR}(?:, {_PAIR})*\]|\n(?: {{8}}(?:{_PAIR}|{_SETTING}),\n)*    \])\n"

_FLAG = "(?:True|False)\n"
# The possessive repeats (`*+`) give nothing back, so a file of another layout fails at once. A comment with `coding` in
# it may name another encoding than UTF-8.
_LAYOUT = re.compile(
    r"(?:\#(?!.*coding).*\n|\n)*+"
    r"(?P<imports>(?:import [\w.]+\n|from [\w.]+ import \w+(?:, \w+)*\n|\n)*+)"
    r"class Migration\(migrations\.Migration\):\n"
    rf"(?P<header>(?:    (?:(?:dependencies|run_before|replaces) = {_LIST}|(?:initial|atomic) = {_FLAG})|\n)*+)"
    r"    operations = \[(?:\]|\n(?P<operations>(?: {8}.*\n|\n)*+)    \])\n*\Z",
    re.ASCII,
)
_ATTRIBUTE = re.compile(rf"    (\w+) = (?:(True|False)\n|({_LIST}))", re.ASCII)
_ITEM = re.compile(r"""\((['"])(.+?)\1, \1(.+?)\1\)|settings\.(\w+)""", re.ASCII)
_MORE_CODE = re.compile(r";|:=|\][ \\\n]*=")
_DJANGO = re.compile(r"^from django\.db import migrations(?:, models)?$", re.MULTILINE)
_SETTINGS = re.compile(r"^from django\.conf import settings$", re.MULTILINE)
_BINDING = re.compile(r"\bimport (?:.*, )?(?:settings|migrations|Migration)\b")


def read_generated(source: bytes) -> Header | None:
    """The header of a file in the generated layout; None for every other, also for one with an error in its header."""
    # Python ends a line at \r too, and forgets the indentation at \f; the expression knows \n alone.
    if b"\r" in source or b"\f" in source or b"\0" in source:
        return None
    try:
        found = _LAYOUT.match(source.decode())
    except UnicodeDecodeError:
        return None
    if found is None or not _plain_imports(found["imports"], settings="settings." in found["header"]):
        return None
    operations = found["operations"] or ""
    if operations:
        first = operations.lstrip()
        # Behind a comment the list may be empty, which only the syntax tree can tell.
        if not first or first.startswith("#") or _MORE_CODE.search(operations):
            return None
    return _header(found["header"], bool(operations))


@lru_cache(maxsize=1024)  # there are few different ones
def _plain_imports(imports: str, *, settings: bool) -> bool:
    """Whether `migrations`, and `settings` where it is used, are Django's and imported by one line each."""
    is_imported = _SETTINGS.search(imports) is not None
    if _DJANGO.search(imports) is None or (settings and not is_imported):
        return False
    # A second import under one of these names could give it another meaning.
    return len(_BINDING.findall(imports)) == 1 + is_imported


def _header(text: str, operations: bool) -> Header | None:
    keys: dict[str, tuple[Key, ...]] = {}
    flags: dict[str, bool] = {}
    for name, flag, items in _ATTRIBUTE.findall(text):
        if flag:
            flags[name] = flag == "True"
        else:
            keys[name] = tuple(
                Key(SETTING, setting) if setting else Key(app, migration)
                for _, app, migration, setting in _ITEM.findall(items)
            )
    return Header(
        keys.get("dependencies", ()),
        keys.get("run_before", ()),
        keys.get("replaces", ()),
        flags.get("initial"),
        flags.get("atomic", True),
        operations,
    )
