"""Other keys in one migration file: which entry becomes what, how that is written, and proof by reading it again."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from migsync.edits.entries import Entries, Entry, Holder, NameUses, Through, find_entries
from migsync.edits.layout import rename_generated
from migsync.edits.literals import Literals, literal
from migsync.edits.outcomes import Outcome, is_parent, own_first, renamed, with_parents
from migsync.edits.replaces import without_replaces
from migsync.edits.sequences import with_elements
from migsync.edits.source import CannotEdit, Source, Splice
from migsync.history.bindings import Scope
from migsync.history.expressions import UnreadableError
from migsync.history.migration import SETTING, Key
from migsync.history.parser import Header, parse_migration, read_header

ATTRIBUTES = ("dependencies", "run_before", "replaces")


@dataclass(frozen=True)
class MigrationEdit:
    """What changes in the header of one migration of `app` (the label that it has in the file now).

    `keys`: what a key becomes wherever it is named: ``(new,)``, several, or ``()`` for nothing; `run_before` and
    `replaces` say it otherwise for these attributes. `parents`, unless None: the dependencies inside the app from now
    on, by their new keys; those on other apps, swappable ones, ``__first__`` and ``__latest__`` stay. `dropped`:
    dependencies, as they stand in the file, that are taken out. `settled`: the whole statement of `replaces` goes.
    `loaded`: what each attribute comes to when the file runs, where that is known and the file alone does not show it.
    """

    app: str
    keys: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)
    parents: tuple[Key, ...] | None = None
    dropped: frozenset[Key] = frozenset()
    run_before: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)
    replaces: Mapping[Key, tuple[Key, ...]] = field(default_factory=dict)
    settled: bool = False
    loaded: Mapping[str, tuple[Key, ...]] = field(default_factory=dict)

    def outcomes(self, attribute: str, keys: Sequence[Key]) -> tuple[Outcome, list[Outcome]]:
        """What must be put in front of an attribute's keys, and what becomes of each one."""
        if attribute == "replaces" and self.settled:
            return (), [()] * len(keys)
        if attribute != "dependencies":
            special = self.run_before if attribute == "run_before" else self.replaces
            return (), renamed(keys, {**self.keys, **special} if special else self.keys)
        outcomes = renamed(keys, {**self.keys, **dict.fromkeys(self.dropped, ())} if self.dropped else self.keys)
        return ((), outcomes) if self.parents is None else with_parents(keys, outcomes, self.app, self.parents)


def edit_migration(source: bytes, path: str, edit: MigrationEdit) -> bytes:
    """The file with the edit made; the very same bytes when nothing changes.

    `path` is what errors call the file. Raises HistoryError for a broken file, and CannotEdit, naming file and line,
    for what cannot be rewritten safely. What comes back was read again: it says what was asked for, and its operations
    are what they were.
    """
    # Nearly every file has the generated layout; the syntax tree is for the rest, and for entries that come or go.
    if not edit.settled and (fast := rename_generated(source, edit.outcomes)) is not None:
        return fast
    before = read_header(source, path)
    unreadable = [problem for problem in before.problems if not problem.flag]
    if unreadable and not _stays(before, edit):
        raise CannotEdit(path, unreadable[0].line, unreadable[0].what)
    expected = {attribute: _flat(*edit.outcomes(attribute, getattr(before, attribute))) for attribute in ATTRIBUTES}
    if not unreadable and all(expected[attribute] == list(getattr(before, attribute)) for attribute in ATTRIBUTES):
        return source
    editor = _Editor(Source(source, path), edit)
    after = editor.edited()
    _check_header(path, before, read_header(after, path), expected)
    if editor.goes_beyond_header:
        _check_operations(path, source, after)
    return after


def _stays(before: Header, edit: MigrationEdit) -> bool:
    """Whether it is known what the computed entries come to, and the edit changes none of that."""
    if not edit.loaded:
        return False
    changed = {*edit.keys, *edit.dropped, *edit.run_before, *edit.replaces}
    for attribute, keys in edit.loaded.items():
        stated = getattr(before, attribute)
        computed = [key for key in keys if key not in stated]
        parents = attribute == "dependencies" and edit.parents is not None
        own = parents and any(is_parent(key, edit.app) for key in computed)
        # Django keeps what a setting comes to, and not which setting it was.
        plain = {key for key in stated if key.app != SETTING}
        if own or not changed.isdisjoint(computed) or not plain <= set(keys):
            return False
    return True


def _flat(front: Outcome, outcomes: Sequence[Outcome]) -> list[Key]:
    return [*front, *(key for outcome in outcomes for key in outcome)]


def _check_header(path: str, before: Header, after: Header, expected: Mapping[str, Sequence[Key]]) -> None:
    """What was written must read as it was meant: the last line of defence, whatever form a file has."""
    for attribute in ATTRIBUTES:
        # In any order: an entry that becomes several keeps its own key in front, and the order of these lists means
        # nothing to Django.
        if sorted(getattr(after, attribute)) != sorted(expected[attribute]):
            raise CannotEdit(path, 0, f"after the edit, {attribute} would not be as intended")
    same = before._replace(dependencies=(), run_before=(), replaces=(), problems=())
    if after._replace(dependencies=(), run_before=(), replaces=(), problems=()) != same or (
        len(after.problems) != len(before.problems)
    ):
        raise CannotEdit(path, 0, "the edit would change more than names")


def _check_operations(path: str, before: bytes, after: bytes) -> None:
    """A constant was changed, or the operations can see the header: they must do what they did."""
    # Any key will do: the digest is of what the migration does.
    old, new = (parse_migration(content, Key("app", "migration"), path) for content in (before, after))
    if old.digest != new.digest:
        raise CannotEdit(path, 0, "the operations use a constant that the edit would change")


class _Editor:
    """Gathers the splices of one file."""

    def __init__(self, source: Source, edit: MigrationEdit) -> None:
        self.source = source
        self.edit = edit
        self.module = Scope(source.tree.body)
        # The last one counts, as in Python.
        definition = self.module["Migration"][-1].statement
        if not isinstance(definition, ast.ClassDef):
            raise CannotEdit(source.path, definition.lineno, "Migration is not a class written in this file")
        self.definition = definition
        self.names = NameUses(source.tree)
        self.literals = Literals(source, self.names)
        self.decided: dict[ast.expr, Outcome] = {}
        self.removed: dict[Holder, set[int]] = {}
        self.added: dict[Holder, dict[int, tuple[Key, ...]]] = {}
        self.front: dict[Holder, tuple[Key, ...]] = {}
        self.splices: list[Splice] = []

    @property
    def goes_beyond_header(self) -> bool:
        """Whether something else than the class's own statements of these attributes was changed, or may see them."""
        statements = [
            self.source.span(binding.statement)
            for attribute in ATTRIBUTES
            for binding in Scope(self.definition.body)[attribute]
        ]
        inside = (any(start <= each.start and each.end <= end for start, end in statements) for each in self.splices)
        # More mentions than statements: a method, the operations or a comment may read an attribute by its name.
        return not all(inside) or len(self.source.words(ATTRIBUTES)) > len(statements)

    def edited(self) -> bytes:
        definition = self.definition
        found = {
            attribute: find_entries(
                self.source.path, self.module, definition, attribute, self.names, computed=bool(self.edit.loaded)
            )
            for attribute in ATTRIBUTES
        }
        for entries in found.values():
            self._check_computed(entries.computed if entries else ())
        try:
            for attribute, entries in found.items():
                if attribute != "replaces" or not self.edit.settled:
                    self._attribute(definition, attribute, entries)
            self.splices += self.literals.splices()
        except UnreadableError as unreadable:
            raise CannotEdit(self.source.path, unreadable.problem.line, unreadable.problem.what) from None
        for holder in {**self.removed, **self.added, **self.front}:
            self.splices += self._restructured(holder)
        if self.edit.settled:
            self.splices += without_replaces(self.source, definition)
        return self.source.spliced(self.splices)

    def _attribute(self, definition: ast.ClassDef, attribute: str, entries: Entries | None) -> None:
        front, outcomes = self.edit.outcomes(attribute, entries.keys if entries else ())
        for entry, outcome in zip(entries.found if entries else (), outcomes, strict=True):
            self._entry(entry, own_first(entry.key, outcome))
        if front and entries is None:
            self._state(definition, attribute, front)
        elif front and entries is not None:
            self._put_in_front(definition, attribute, entries, front)

    def _entry(self, entry: Entry, outcome: Outcome) -> None:
        # One entry can be in two lists: DEPS = [...], and run_before = DEPS as well as dependencies = DEPS.
        if self.decided.setdefault(entry.node, outcome) != outcome:
            raise CannotEdit(self.source.path, entry.node.lineno, f"several lists share this entry, {entry.key}")
        if outcome == (entry.key,):
            return
        # BASE = [(...)], which stands behind `dependencies`, may be read elsewhere too: an edit of it would change
        # both.
        self._check_alone(entry.through, entry.node.lineno)
        if not outcome:
            self.removed.setdefault(entry.holder, set()).add(entry.place)
            return
        self.literals.want(entry.node, entry.scope, outcome[0])
        if outcome[1:]:
            self.added.setdefault(entry.holder, {})[entry.place] = outcome[1:]

    def _check_computed(self, computed: Sequence[tuple[ast.expr, UnreadableError]]) -> None:
        """What a condition leaves out today may be there tomorrow: it must name nothing that changes."""
        for node, unreadable in computed:
            texts = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
            if any(texts.issuperset(key) for key in self.edit.keys):
                raise CannotEdit(self.source.path, unreadable.problem.line, unreadable.problem.what)

    def _check_alone(self, through: Through, line: int) -> None:
        if name := self.names.elsewhere(through):
            raise CannotEdit(self.source.path, line, f"{name} is used elsewhere in the file too")

    def _put_in_front(self, definition: ast.ClassDef, attribute: str, entries: Entries, front: Outcome) -> None:
        for holder, through in entries.holders:
            if not self.names.elsewhere(through) and not self._is_shared(holder, entries):
                self.front[holder] = front
                return
        raise CannotEdit(
            self.source.path, definition.lineno, f"{attribute} has no list of its own to which {front[0]} can be added"
        )

    @staticmethod
    def _is_shared(holder: ast.expr, entries: Entries) -> bool:
        # `BASE + BASE`: one list, and what is put into it would be there twice.
        return sum(each is holder for each, _ in entries.holders) > 1

    def _state(self, definition: ast.ClassDef, attribute: str, keys: Outcome) -> None:
        """A new statement at the top of a class that says nothing about the attribute."""
        body = definition.body
        has_docstring = ast.get_docstring(definition, clean=False) is not None
        first = body[1] if has_docstring and len(body) > 1 else body[0]
        start = self.source.line_start(first)
        indent = self.source.text(start, self.source.span(first)[0])
        # On one line with the class, or after a docstring alone, there is no line to put a statement in front of.
        if indent.strip() or first.lineno == definition.lineno or (has_docstring and len(body) == 1):
            raise CannotEdit(self.source.path, definition.lineno, f"the class does not set {attribute}")
        keys_text = ", ".join(literal(key, self.source.quote) for key in keys)
        line = f"{indent}{attribute} = [{keys_text}]{self.source.newline(definition)}"
        self.splices.append(Splice(start, start, line))

    def _restructured(self, holder: Holder) -> list[Splice]:
        code = self.source.text(*self.source.span(holder))
        quote = next((character for character in code if character in "'\""), self.source.quote)
        added = {place: [literal(key, quote) for key in keys] for place, keys in self.added.get(holder, {}).items()}
        front = [literal(key, quote) for key in self.front.get(holder, ())]
        splices = with_elements(self.source, holder, self.removed.get(holder, set()), added, front)
        if splices is None:
            raise CannotEdit(self.source.path, holder.lineno, "migsync cannot keep the layout of this list")
        return splices
