"""Random headers in random forms, random edits: the reader reads what was wanted, and all else stays byte for byte."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import assume, given
from hypothesis import strategies as st

from migsync.edits import CannotEdit, MigrationEdit, edit_migration
from migsync.history import FIRST, Key, parse_migration

NAMES = ["0001_a", "0002_b", "0003_c", "0004_d", "0005_e"]
KEYS = [Key(app, name) for app in ("shop", "blog") for name in NAMES]
SPECIAL = [Key("shop", FIRST), Key("blog", "__latest__")]


@dataclass
class Text:
    """A file that is being written."""

    draw: st.DrawFn
    above: list[str] = field(default_factory=list)
    constants: int = 0

    def constant(self, value: str) -> str:
        self.constants += 1
        name = f"C{self.constants}"
        self.above.append(f"{name} = {value}")
        if self.draw(st.integers(0, 4)) == 0:
            self.above.append(f"print({name})")
        return name

    def string(self, value: str) -> str:
        match self.draw(st.sampled_from(["double"] * 3 + ["single"] * 3 + ["raw", "f", "parts", "constant"])):
            case "double":
                return f'"{value}"'
            case "single":
                return f"'{value}'"
            case "raw":
                return f"r'''{value}'''"
            case "f":
                return f'f"{value[:2]}{{{value[2:]!r}}}"'
            case "parts":
                return f"'{value[:2]}' \"{value[2:]}\""
            case _:
                return self.constant(repr(value))

    def key(self, key: Key) -> str:
        pair = f"{self.string(key.app)}, {self.string(key.name)}"
        match self.draw(st.sampled_from(["tuple"] * 5 + ["list", "constant"])):
            case "tuple":
                return f"({pair})"
            case "list":
                return f"[{pair}]"
            case _:
                return self.constant(f"({pair})")

    def comment(self) -> str:
        return self.draw(st.sampled_from(["", "", "  # ('shop', '0002_b')", "# \u00e9"]))

    def container(self, keys: list[Key]) -> str:
        form = self.draw(st.sampled_from(["list"] * 4 + ["tuple", "sum", "star", "constant", "call"]))
        if form == "sum":
            cut = self.draw(st.integers(0, len(keys)))
            return f"{self.brackets(keys[:cut], '[]')} + {self.brackets(keys[cut:], '[]')}"
        if form == "star":
            cut = self.draw(st.integers(0, len(keys)))
            inner = self.brackets(keys[cut:], self.draw(st.sampled_from(["[]", "()"])))
            return self.brackets(keys[:cut], "[]", [f"*{inner}"])
        if form == "constant":
            return self.constant(self.brackets(keys, "[]"))
        if form == "call":
            return f"list({self.brackets(keys, '()')})"
        return self.brackets(keys, "()" if form == "tuple" else "[]")

    def brackets(self, keys: list[Key], kind: str, more: list[str] | None = None) -> str:
        items = [*(self.key(key) for key in keys), *(more or [])]
        comma = self.draw(st.booleans()) or (kind == "()" and len(items) == 1)
        if self.draw(st.booleans()):
            last = "," if comma and items else ""
            return kind[0] + ", ".join(items) + last + kind[1]
        lines = [kind[0] + self.comment()]
        for place, item in enumerate(items):
            if comment := self.comment().strip():
                lines.append(f"    {comment}")
            lines.append(f"    {item}{',' if place < len(items) - 1 or comma else ''}{self.comment()}")
        return "\n".join([*lines, kind[1]])


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, dict[str, list[Key]]]:
    text, newline = Text(draw), draw(st.sampled_from(["\n", "\r\n"]))
    header: dict[str, list[Key]] = {}
    body = []
    for attribute in draw(st.permutations(["dependencies", "run_before", "replaces"])):
        if draw(st.integers(0, 3)):
            choice = st.sampled_from(KEYS + SPECIAL if attribute == "dependencies" else KEYS)
            header[attribute] = draw(st.lists(choice, max_size=4))
            annotation = draw(st.sampled_from(["", "", ": list"]))
            body.append(f"    {attribute}{annotation} = {text.container(header[attribute])}{text.comment()}")
    operations = "    operations = [migrations.RunSQL('0002_b')]"
    lines = [
        "from django.db import migrations",
        *text.above,
        "class Migration(migrations.Migration):",
        *body,
        operations,
    ]
    first, encoding = draw(st.sampled_from([("# \u00e9", "utf-8"), ("# coding: latin-1 \u00e9", "latin-1")]))
    return "\n".join([first, *lines]).replace("\n", newline).encode(encoding), header


@st.composite
def edits(draw: st.DrawFn) -> MigrationEdit:
    changed = draw(st.lists(st.sampled_from(KEYS), max_size=4, unique=True))
    keys = {}
    for old in changed:
        new = draw(st.lists(st.sampled_from([Key("shop", "0009_new"), Key("shop", "0008_new"), *KEYS]), max_size=2))
        keys[old] = tuple(dict.fromkeys(new))
    parents = draw(st.none() | st.lists(st.sampled_from([each for each in KEYS if each.app == "shop"]), max_size=2))
    dropped = frozenset(draw(st.sets(st.sampled_from([each for each in KEYS if each.app == "blog"]), max_size=1)))
    return MigrationEdit("shop", keys, None if parents is None else tuple(dict.fromkeys(parents)), dropped)


def wanted(edit: MigrationEdit, attribute: str, keys: list[Key]) -> Counter[Key]:
    """What must be read afterwards, told in sets: what stays, what comes, and the parents."""
    becomes = dict(edit.keys)
    if attribute == "dependencies":
        becomes |= dict.fromkeys(edit.dropped, ())
    stay = Counter(key for key in keys if becomes.get(key, (key,)) == (key,))
    come = {new for key in keys if becomes.get(key, (key,)) != (key,) for new in becomes[key]}
    result = stay + Counter(dict.fromkeys(come - stay.keys(), 1))
    if attribute == "dependencies" and edit.parents is not None:
        own = [key for key in keys if key.app == "shop" and key.name != FIRST]
        if own or edit.parents:
            # A key of another app that a key of this one becomes is what that entry says, and no parent.
            foreign = Counter({key: n for key, n in result.items() if key.app != "shop" or key.name == FIRST})
            result = foreign + Counter(edit.parents)
    return result


def own_lines(source: bytes) -> list[str]:
    """The comments on lines of their own."""
    text = source.decode("latin-1" if b"latin-1" in source else "utf-8")
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT and token.line.strip()[:1] == "#"]


@given(files(), edits())
def test_any_edit_of_any_file(file: tuple[bytes, dict[str, list[Key]]], edit: MigrationEdit) -> None:
    source, header = file
    stays_in_app = all(
        new.app == old.app for old, news in edit.keys.items() for new in news
    )  # with parents, what a key of another app becomes is a matter of its own
    if edit.parents is not None and not stays_in_app:
        edit = MigrationEdit("shop", {}, edit.parents, edit.dropped)
    try:
        after = edit_migration(source, "f.py", edit)
    except CannotEdit as refused:
        assert b"print(C" in source or "several lists share" in refused.found  # else there is no reason to refuse
        return
    before_read = parse_migration(source, Key("shop", "x"))
    read = parse_migration(after, Key("shop", "x"))
    for attribute in ("dependencies", "run_before", "replaces"):
        expected = wanted(edit, attribute, header.get(attribute, []))
        assert Counter(getattr(read, attribute)) == expected
    assert read.digest == before_read.digest
    assert own_lines(after) == own_lines(source)
    if all(Counter(getattr(read, name)) == Counter(header.get(name, [])) for name in header) and not (
        read.dependencies and "dependencies" not in header
    ):
        assert ast.dump(ast.parse(after)) == ast.dump(ast.parse(source))
    assert source.count(b"\r") == 0 or after.count(b"\r") == after.count(b"\n")
    plain = [line for line in source.splitlines() if line.startswith((b"#", b"from", b"class", b"print"))]
    assert [line for line in after.splitlines() if line in plain] == plain
    assert after.rpartition(b"    operations")[2] == source.rpartition(b"    operations")[2]


@given(files())
def test_names_alone(file: tuple[bytes, dict[str, list[Key]]]) -> None:
    """A rename changes lines that hold a string, and no other; taking it back gives the file again, for literals."""
    source, header = file
    there, back = Key("shop", "0002_b"), Key("shop", "0077_x")
    assume(all(keys.count(there) <= 1 for keys in header.values()) and b"print(C" not in source)
    after = edit_migration(source, "f.py", MigrationEdit("shop", {there: (back,)}))
    old, new = source.splitlines(keepends=True), after.splitlines(keepends=True)
    assert len(old) == len(new)
    assert all(one == other or b"0077_x" in other for one, other in zip(old, new, strict=True))
    again = edit_migration(after, "f.py", MigrationEdit("shop", {back: (there,)}))
    assert again == source or b'f"' in source or b"' \"" in source or b"C1" in source
