"""Each operation runs exactly once: what the contents that were seen say against records and files."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from migsync.findings import Finding, Severity
from migsync.findings.contents import NOT_RUN
from migsync.history import App, Key, Migration, build_history
from migsync.history.columns import Column
from migsync.history.contents import COMPUTED, Action, Contents, Grade, Operation, OperationStep, PartKind
from migsync.history.graph import History
from migsync.rewrites.record import Record
from migsync.sync.drift import find_drift
from migsync.sync.edited_code import claims, pair_off
from migsync.sync.journal.contents import Event, SeenContents, as_document, document_digest
from migsync.sync.provenance import ContentSource, GitContents, Provenance, provenances
from migsync.sync.run_order import in_order
from tests.profiles import examples

Files = dict[str, tuple[str, ...]]


def operation(effect: str) -> Operation:
    """An operation by what it does; ``-x`` takes x away.

    ``!x`` is one that only running its file shows, ``(x)`` one of the state alone.
    """
    if effect.startswith("!"):
        return Operation(COMPUTED, effect, grade=Grade.COMPUTED)
    if effect.startswith("("):
        return Operation("AddField", effect, effect, state_only=True)
    name = effect.partition("/")[0]
    if effect.startswith("-"):
        step = OperationStep(Action.REMOVE, PartKind.FIELD, "item", name[1:])
        return Operation("RemoveField", effect, name, steps=(step,))
    if effect.startswith("run"):
        return Operation("RunSQL", effect, name, steps=(OperationStep(Action.RUN, PartKind.CODE, value=name),))
    field, _, value = name.partition("=")
    kind = "AlterField" if value else "AddField"
    column = str(Column(value or "plain", "null" if value == "null" else "not null"))
    return Operation(kind, effect, name, steps=(OperationStep(Action.SET, PartKind.FIELD, "item", field, column),))


def contents(*effects: str) -> Contents:
    return Contents(tuple(map(operation, effects)))


def files(**effects: str) -> Files:
    """``x="a b"``: a file x with two operations."""
    return {name: tuple(text.split()) for name, text in effects.items()}


def source(above: tuple[Key, ...], effects: tuple[str, ...]) -> str:
    """What is in the file, which also says what it depends on."""
    return " ".join((*map(str, above), *effects))


def history(found: Files) -> History:
    migrations = []
    above: tuple[Key, ...] = ()
    for name, effects in found.items():
        key = Key("shop", name)
        seen = contents(*effects)
        migrations.append(
            Migration(key, dependencies=above, digest=seen.digest, contents=seen, source=source(above, effects))
        )
        above = (key,)
    return build_history(migrations, [App("shop", "/project/shop")])


@dataclass
class Database:
    """One database: its rows by id, and what was seen when they were written."""

    rows: dict[int, str] = field(default_factory=dict)
    seen: list[SeenContents] = field(default_factory=list)
    ran: Counter[str] = field(default_factory=Counter)
    documents: dict[str, str] = field(default_factory=dict)

    def migrate(self, found: Files, upto: int | None = None) -> None:
        disk = history(found)
        for name, effects in list(found.items())[:upto]:
            if name not in self.rows.values():
                number = len(self.seen) + 1
                self.rows[number] = name
                self.see(number, name, effects, above=disk.parents(Key("shop", name)))
                self.ran.update(effects)

    def see(
        self,
        number: int,
        name: str,
        effects: tuple[str, ...],
        event: Event = Event.APPLIED,
        above: tuple[Key, ...] = (),
    ) -> None:
        document = as_document(contents(*effects))
        digest = document_digest(document)
        self.documents[digest] = document
        self.seen.append(
            SeenContents(number, Key("shop", name), event, source(above, effects), digest, lambda: self.documents)
        )

    def findings(self, found: Files, changed: tuple[int, ...] = ()) -> list[Finding]:
        records = [Record(number, "shop", name, "2026-01-01") for number, name in self.rows.items()]
        disk = history(found)
        return list(find_drift(disk, records, provenances(disk, records, seen=self.seen), changed))


def told(before: Files, after: Files, upto: int | None = None) -> list[Finding]:
    database = Database()
    database.migrate(before, upto)
    return database.findings(after)


def codes(found: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.code, finding.name) for finding in found]


class TestFilesThatAreGone:
    def test_what_they_did_is_not_done_again(self) -> None:
        before = files(one="a", two="b", three="c")
        assert codes(told(before, files(one="a", three="c", four="b"))) == [("runs-twice", "four")]

    def test_nothing_is_said_where_nothing_does_it_again(self) -> None:
        before = files(one="a", two="b", three="c")
        assert told(before, files(one="a", three="c", four="d")) == []
        assert told(before, files(one="a", three="c")) == []

    def test_code_may_have_been_written_to_run_again(self) -> None:
        (found,) = told(files(one="a", two="run1"), files(one="a", three="run1"))
        assert (found.code, found.severity) == ("runs-twice", Severity.WARNING)


class TestNames:
    def test_an_exchange_of_which_all_ran_is_no_news(self) -> None:
        assert told(files(a="A", x="B", y="C"), files(a="A", x="C", y="B")) == []

    def test_an_exchange_with_one_of_two_recorded(self) -> None:
        """The other name is not recorded: its operations would run under the name of what ran."""
        (found,) = told(files(a="A", x="B", y="C"), files(a="A", x="C", y="B"), upto=2)
        assert found.code == "ran-elsewhere"
        assert found.facts == {"app": "shop", "moved": {"x": "y"}, "taken": ["x"], "presumed": False}
        assert found.hint.startswith("Give y back the name under which it ran: y to x. First give x of today a name")

    def test_a_new_file_under_an_old_name(self) -> None:
        (found,) = told(files(a="A", x="B"), files(a="A", x="N", y="B"))
        assert found.facts == {"app": "shop", "moved": {"x": "y"}, "taken": ["x"], "presumed": False}

    def test_a_cycle(self) -> None:
        (found,) = told(files(x="A", y="B", z="C", n="D"), files(x="N", y="A", z="B", n="C"))
        assert found.facts == {
            "app": "shop",
            "moved": {"x": "y", "y": "z", "z": "n"},
            "taken": ["x"],
            "presumed": False,
        }

    def test_a_file_with_the_same_effects_that_ran_itself_is_no_heir(self) -> None:
        assert codes(told(files(x="A", y="B"), files(x="B C", y="B"))) == [("replaced-file", "x")]

    def test_two_heirs_are_none(self) -> None:
        assert codes(told(files(x="A"), files(x="N", y="A", z="A"))) == [
            ("runs-twice", "y"),
            ("replaced-file", "x"),
        ]


class TestOperations:
    def test_united_files(self) -> None:
        """B and C are in x now, and y is D, which did not run."""
        before, after = files(a="A", x="B", y="C", z="D"), files(a="A", x="B C", y="D")
        assert codes(told(before, after, upto=3)) == [("replaced-file", "y")]

    def test_united_before_all_of_it_ran(self) -> None:
        (found,) = told(files(a="A", x="B", y="C"), files(a="A", x="B C"), upto=2)
        assert (found.code, found.name, found.facts["parts"]) == ("never-ran", "x", ["item.C"])

    def test_another_migration_under_the_name_of_a_deleted_one(self) -> None:
        """Case 49: an error, whatever it makes; a file that was edited in part is not another one."""
        (found,) = told(files(x="A", y="B"), files(x="A", y="C"))
        assert (found.code, found.name, found.severity) == ("replaced-file", "y", Severity.ERROR)
        assert "migsync plan --remove shop.y --new shop.y" in found.hint
        (found,) = told(files(x="A", y="B"), files(x="A", y="B C"))
        assert found.code == "never-ran"

    def test_code_that_was_edited_in_place(self) -> None:
        """What it was for was done here, so that this is only worth a note."""
        (found,) = told(files(a="A", x="run1", y="B run2"), files(a="A", x="run3", y="run4 B"))
        assert (found.code, found.severity) == ("code-edited", Severity.INFO)
        assert found.facts == {"app": "shop", "names": ["x", "y"]}
        assert "2 migrations of shop ran other code than the files contain today: x and y." in found.found

    def test_code_that_was_added_beside_code_that_was_edited(self) -> None:
        never, edited = told(files(x="run1"), files(x="run2 run3"))
        assert (never.code, never.facts["parts"]) == ("never-ran", ["RunSQL"])
        assert edited.code == "code-edited"

    def test_code_in_the_place_of_code_that_is_elsewhere(self) -> None:
        """That is no edit: what ran is in another file, so the new code did not run in any form."""
        assert codes(told(files(x="run1", y="B"), files(x="run2", y="B run1"))) == [("never-ran", "x")]
        found = told(files(a="A", x="run1"), files(a="A", x="run2", y="B run1"))
        assert codes(found) == [("runs-twice", "y"), ("never-ran", "x")]

    def test_code_that_only_running_the_file_showed(self) -> None:
        before, after = contents("!run1", "A"), contents("run1", "A")
        assert not pair_off(before, after, Counter(), Counter())
        computed = replace(contents("run1").operations[0], grade=Grade.COMPUTED)
        missing = Counter(["run2"])
        assert pair_off(Contents((computed,)), contents("run2"), Counter(), missing)
        assert not +missing

    def test_a_split_file(self) -> None:
        (found,) = told(files(x="A B"), files(x="A", y="B"))
        assert (found.code, found.name, found.facts["operations"]) == ("runs-twice", "y", ["AddField item.B"])

    def test_a_second_alteration_is_harmless(self) -> None:
        assert told(files(x="A A=1"), files(x="A", y="A=1")) == []

    def test_code_may_be_written_to_be_run_again(self) -> None:
        (found,) = told(files(x="A run"), files(x="A", y="run"))
        assert (found.code, found.severity) == ("runs-twice", Severity.WARNING)
        (found,) = told(files(x="A run"), files(x="", y="run A"))
        assert found.severity is Severity.ERROR

    def test_operations_that_are_taken_out_are_no_news(self) -> None:
        assert told(files(x="A B"), files(x="A")) == []

    def test_an_operation_that_took_something_away_is_taken_out(self) -> None:
        """The database lacks what every new one has."""
        (found,) = told(files(x="A B", y="-A"), files(x="A B", y=""))
        assert (found.code, found.name, found.facts["parts"]) == ("removed-operation", "y", ["item.A"])
        assert found.hint.startswith("Put the operation back into the file.")

    def test_an_alteration_that_is_taken_out(self) -> None:
        (found,) = told(files(x="A", y="A=1"), files(x="A", y=""))
        assert (found.code, found.name, found.facts["changed"]) == ("removed-operation", "y", ["item.A"])
        assert told(files(x="A", y="A=1"), files(x="A", y="", z="A=2")) == [], "it is altered later anyway"

    def test_a_file_that_is_deleted(self) -> None:
        """What it only added is no news; what it changed or took away, new databases have otherwise."""
        assert told(files(x="A", y="B"), files(x="A")) == []
        (found,) = told(files(x="A", y="A=1"), files(x="A"))
        assert (found.code, found.name, found.severity) == ("removed-operation", "y", Severity.WARNING)
        assert found.found.startswith("shop.y ran here, and its file was deleted. Different here: item.A.")
        (found,) = told(files(x="A B", y="-A"), files(x="A B"))
        assert (found.code, found.name, found.severity) == ("removed-operation", "y", Severity.ERROR)
        assert told(files(x="A B", y="A=1", z="A=2"), files(x="A B", z="A=2")) == [], "another file made up for it"

    def test_a_removal_would_run_twice(self) -> None:
        (found,) = told(files(x="A B", y="-A C"), files(x="A B", y="C", z="-A"))
        assert (found.code, found.name, found.facts["operations"]) == ("runs-twice", "z", ["RemoveField item.A"])

    def test_what_is_missing_is_needed(self) -> None:
        """Nothing that is to run makes up for it: migrate fails there."""
        for later in ("A=1", "-A"):
            (found,) = told(files(x="B"), files(x="B A", y=later))
            assert (found.code, found.name, found.severity) == ("never-ran", "x", Severity.ERROR)
            assert found.facts["stops"] == "shop.y"
            assert "shop.y needs it and is still to run, so `migrate` would fail." in found.meaning
        (found,) = told(files(x="B"), files(x="B A", y="C"))
        assert "stops" not in found.facts

    def test_operations_that_move_between_recorded_files(self) -> None:
        assert told(files(x="A B", y="C"), files(x="A", y="B C")) == []

    def test_an_alteration_that_was_added(self) -> None:
        (found,) = told(files(x="A"), files(x="A A=1"))
        assert (found.code, found.name, found.severity) == ("never-ran", "x", Severity.WARNING)
        (found,) = told(files(x="A"), files(x="A A=null"))
        assert found.severity is Severity.ERROR, "code of today writes NULL"
        assert told(files(x="A A=1"), files(x="A=1")) == [], "Django writes one operation for two"

    def test_code_is_counted(self) -> None:
        assert codes(told(files(x="run"), files(x="run run"))) == [("never-ran", "x")]
        assert told(files(x="run", y="A"), files(x="", y="A run")) == []

    def test_what_a_pending_migration_makes_is_not_needed(self) -> None:
        (found,) = told(files(x="A"), files(x="A B"))
        assert found.severity is Severity.ERROR
        assert found.with_facts(stated=True).severity is Severity.WARNING
        assert told(files(x="A"), files(x="A B", y="B")) == []
        (found,) = told(files(x="A"), files(x="A B", y="B=1"))
        assert found.severity is Severity.ERROR, "y fails, since B is not there"

    def test_what_is_presumed_is_a_warning(self) -> None:
        database = Database(rows={1: "x"})
        database.see(1, "x", ("A",), Event.SEEN)
        (found,) = database.findings(files(x="A B"))
        assert (found.severity, "This is presumed" in found.meaning) == (Severity.WARNING, True)

    def test_what_no_database_sees_is_no_news(self) -> None:
        assert told(files(x="A"), files(x="A/reworded (state)")) == []


class TestOrder:
    def test_the_last_of_two_alterations_is_another_one(self) -> None:
        before, after = files(x="A", y="A=1", z="A=2"), files(x="A", z="A=2", y="A=1")
        (found,) = told(before, after)
        assert (found.code, found.app, found.severity) == ("other-order", "shop", Severity.WARNING)
        assert found.facts == {
            "app": "shop",
            "ahead": {"y": "z"},
            "changed": ["item.A"],
            "needed": False,
            "presumed": False,
        }
        assert found.hint.startswith("Put the files back into the order in which they ran: y before z.")

    def test_what_the_code_of_today_needs_is_an_error(self) -> None:
        (found,) = told(files(x="A", y="A=null", z="A=2"), files(x="A", z="A=2", y="A=null"))
        assert found.severity is Severity.ERROR, "it writes NULL"
        (found,) = told(files(x="A", y="B", z="-B"), files(x="A", z="-B", y="B"))
        assert (found.facts["parts"], found.severity) == (["item.B"], Severity.ERROR)

    def test_only_what_can_be_seen_at_the_end_matters(self) -> None:
        assert told(files(x="A", y="A=1", z="B"), files(x="A", z="B", y="A=1")) == []
        before = files(x="A", y="A=1", z="A=2", last="A=3")
        assert told(before, files(x="A", z="A=2", y="A=1", last="A=3")) == []
        assert told(before, files(x="A", z="A=2", y="A=1", last="A=3"), upto=3) == [], "last is still to run"

    def test_where_only_names_are_known_their_order_says_nothing(self) -> None:
        database = Database()
        database.migrate(files(x="A", y="A=1", z="A=2"))
        del database.seen[1]
        assert database.findings(files(x="A", z="A=2", y="A=1")) == []

    def test_what_is_known_by_name_ran_before_what_needs_it(self) -> None:
        """Names were exchanged, so that the id of a row is not that of its file."""
        known, guessed = contents("A=1"), contents("A")
        assert in_order([known, guessed, contents("A=2")], [True, False, True]) == [1, 0, 2]
        assert in_order([guessed, known, contents("B")], [False, True, True]) == [0, 1, 2]


class TestWhatIsNotKnown:
    def test_computed_operations(self) -> None:
        assert told(files(x="!a"), files(x="!b")) == []
        assert codes(told(files(x="!a A"), files(x="!a A B"))) == [("never-ran", "x")]

    def test_computed_operations_in_the_place_of_what_ran(self) -> None:
        """``if settings.HEAVY: operations = […]``: the list may contain what ran, or not."""
        assert told(files(a="A", x="A=1 B"), files(a="A", x="!c")) == []
        assert told(files(a="A", x="A=1 run1"), files(a="A", x="run1 !c")) == []
        assert told(files(a="A", x="A=1 B"), files(a="A", x="A=2 !c")) == []
        assert codes(told(files(a="A", x="A=1"), files(a="A", x="!c", y="D"), upto=1)) == []
        assert codes(told(files(a="A", x="A=1"), files(a="A D", x="!c"))) == [("never-ran", "a")]

    def test_code_in_the_place_of_an_operation(self) -> None:
        """As where an index is made by hand today: the operation is left for the state, and code does what it did."""
        database = Database()
        database.migrate(files(a="A", x="B"))
        assert codes(database.findings(files(a="A", x="run1 run2"))) == [("never-ran", "x")]
        now = contents("B", "run1", "run2").operations
        now = (replace(now[0], state_only=True), *now[1:])
        missing = Counter(["run1", "run2"])
        assert pair_off(contents("B"), Contents(now), Counter(), missing)
        assert not +missing
        assert claims(contents("B", "C"), Contents(now)) == (*now, *contents("B").operations)

    def test_of_several_versions_only_what_is_wrong_with_all_counts(self) -> None:
        """As where `applied` is in the same second as a commit."""
        disk = history(files(x="A", y="B C"))
        records = [Record(1, "shop", "x", "2026-01-01"), Record(2, "shop", "y", "2026-01-01")]

        def found(*versions: str) -> list[tuple[str, str]]:
            ran = tuple(GitContents(text, contents(*text.split())) for text in versions)
            return codes(list(find_drift(disk, records, {2: Provenance(ContentSource.GIT, ran)}, ())))

        assert found("B") == found("B", "B D") == [("never-ran", "y")]
        assert found("D") == [("replaced-file", "y")]
        assert found("B", "D") == [("never-ran", "y")], "it did not run, whichever of them it was"
        assert found("B", "B C D") == [], "one of them is right"

    def test_without_contents(self) -> None:
        database = Database(rows={1: "x"})
        assert database.findings(files(x="A")) == []

    def test_faked_records(self) -> None:
        database = Database(rows={1: "x"})
        database.see(1, "x", ("A",), Event.FAKED)
        assert database.findings(files(x="B")) == []

    def test_records_that_were_unapplied(self) -> None:
        database = Database()
        database.migrate(files(x="A"))
        database.see(1, "x", ("A",), Event.UNAPPLIED)
        del database.rows[1]
        assert database.findings(files(x="B", y="A")) == []

    def test_rows_that_a_run_has_changed(self) -> None:
        """A rewrite answers for them."""
        database = Database()
        database.migrate(files(x="A"))
        assert database.findings(files(x="A B"), changed=(1,)) == []


@st.composite
def lives(draw: st.DrawFn) -> tuple[Files, int, Files]:
    """Files, how many of them ran, and files afterwards; an operation is in one file at a time."""
    left = list(draw(st.permutations("ABCDEFGH")))
    sizes = draw(st.lists(st.integers(0, 2), min_size=1, max_size=4))
    before = {name: tuple(left.pop() for _ in range(size)) for name, size in zip("wxyz", sizes, strict=False)}
    after: Files = dict.fromkeys(draw(st.permutations("vwxyz"))[: draw(st.integers(1, 5))], ())
    every = [effect for found in before.values() for effect in found] + left[: draw(st.integers(0, 2))]
    for effect in draw(st.permutations(every)):
        at_home = next((name for name in before if effect in before[name]), "")
        if draw(st.booleans()) and at_home in after:
            after[at_home] += (effect,)
        elif draw(st.integers(0, 5)):
            after[draw(st.sampled_from(sorted(after)))] += (effect,)
    return before, draw(st.integers(0, len(before))), after


@settings(max_examples=examples(200, 5000), deadline=None)
@given(lives())
def test_nothing_is_silent_and_nothing_is_a_false_alarm(life: tuple[Files, int, Files]) -> None:
    before, upto, after = life
    database = Database()
    database.migrate(before, upto)
    recorded = set(database.rows.values())
    never = {each for name in after if name in recorded for each in after[name] if not database.ran[each]}
    twice = {each for name in after if name not in recorded for each in after[name] if database.ran[each]}
    # A record without a file has findings of its own, so that this may say nothing of what ran under it alone.
    gone = {each for name in recorded - after.keys() for each in before[name]}
    found = {finding.code for finding in database.findings(after)}
    if never or twice - gone:
        assert found
        assert "ran-elsewhere" in found or bool(NOT_RUN & found) == bool(never)
        assert "ran-elsewhere" in found or not twice - gone or "runs-twice" in found
    elif not twice:
        assert not found


@settings(max_examples=examples(100, 3000), deadline=None)
@given(st.data())
def test_the_order_of_files_makes_what_the_order_in_which_they_ran_has_made(data: st.DataObject) -> None:
    """Where each record fits by itself, the composition in today's order gives the same tables, or it is reported."""
    altered = data.draw(st.lists(st.sampled_from("AB"), min_size=2, max_size=5))
    names = [f"f{number}" for number in range(len(altered))]
    before = {"first": ("A", "B")} | {name: (f"{field}={name}",) for name, field in zip(names, altered, strict=True)}
    order = ["first", *data.draw(st.permutations(names))]
    upto = data.draw(st.integers(1, len(before)))
    database = Database()
    database.migrate(before, upto)
    recorded = list(before)[:upto]
    here, elsewhere = (
        {before[name][0][0]: name for name in of[1:]} for of in (recorded, [n for n in order if n in recorded])
    )
    later = {before[name][0][0] for name in order if name not in recorded}
    wrong = {f"item.{field}" for field, name in here.items() if elsewhere[field] != name and field not in later}
    found = database.findings({name: before[name] for name in order})
    assert [each.code for each in found] == ["other-order"] * bool(wrong)
    assert not wrong or set(found[0].facts["changed"]) == wrong  # type: ignore[arg-type]
