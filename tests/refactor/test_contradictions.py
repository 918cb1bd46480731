"""linearize where databases contradict dependencies: an order that Django accepts, or a refusal that names a real need.

Each random migration has one operation, and the tests know what that uses and what it touches.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from migsync.history import App, History, Key, Migration, build_history, parse_migration
from migsync.refactor.linearize import linearize
from migsync.refactor.need import Need, find_need
from tests.history.judge import judge
from tests.profiles import examples
from tests.refactor.reshaped import files_after, rows_after

pytestmark = pytest.mark.pure

APPS = ("blog", "shop", "wares")
Part = tuple[str, ...]


@dataclass
class Story:
    """Migrations in an order that runs. For each: the parts that it uses, and those that it touches."""

    texts: dict[Key, str] = field(default_factory=dict)
    uses: dict[Key, set[Part]] = field(default_factory=dict)
    touches: dict[Key, set[Part]] = field(default_factory=dict)
    gives: dict[Key, tuple[Part, bool]] = field(default_factory=dict)

    def need(self, one: Key, other: Key) -> bool:
        """Whether they may not change places."""
        return not (
            self.touches[one].isdisjoint(self.uses[other] | self.touches[other])
            and self.touches[other].isdisjoint(self.uses[one])
        )

    @property
    def history(self) -> History:
        found = [parse_migration(text.encode(), key, f"/p/{key.app}/{key.name}.py") for key, text in self.texts.items()]
        return build_history(found, [App(app, f"/p/{app}") for app in APPS])

    def source(self, migration: Migration) -> bytes:
        return self.texts[migration.key].encode()

    def runs(self, order: list[Key]) -> set[Part]:
        """What is there in the end; fails where an operation uses what is not there."""
        there: set[Part] = set()
        for key in order:
            assert self.uses[key] <= there, key
            part, stays = self.gives[key]
            assert (part in there) != stays or part in self.uses[key]
            (there.add if stays else there.discard)(part)
        return there


def text_of(operation: str, after: list[Key], before: list[Key]) -> str:
    return (
        "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
        f"    dependencies = {[tuple(key) for key in after]}\n"
        f"    run_before = {[tuple(key) for key in before]}\n"
        f"    operations = [migrations.{operation}]\n"
    )


def make_story(rng: random.Random, size: int) -> Story:
    story = Story()
    models: dict[Part, Key] = {}
    fields: dict[Part, Key] = {}
    last: dict[str, Key] = {}
    for number in range(size):
        app = rng.choice(APPS[: 2 + size % 2])
        key = Key(app, f"{number + 1:04}_x")
        after = [last[app]] if app in last else []
        own = [part for part in models if part[0] == app]
        old = [part for part in fields if part[0] == app]
        kind = rng.choice(["model", "field", "field", "link", "alter", "remove"])
        if kind == "model" or not own or (kind in ("alter", "remove") and not old):
            part: Part = (app, f"m{number}")
            operation = f"CreateModel('M{number}', [('id', models.AutoField(primary_key=True))])"
            story.uses[key], models[part] = set(), key
        elif kind in ("field", "link"):
            model = rng.choice(own)
            part = (*model, f"f{number}")
            value, story.uses[key] = "IntegerField(default=0)", {model}
            if kind == "link":
                to = rng.choice(list(models))
                value = f"ForeignKey(to='{to[0]}.{to[1]}', on_delete=models.CASCADE)"
                story.uses[key].add(to)
                after.append(models[to])
            operation, fields[part] = f"AddField('{model[1]}', 'f{number}', models.{value})", key
        else:
            part = rng.choice(old)
            model = part[:2]
            story.uses[key] = {model, part}
            operation = (
                f"AlterField('{part[1]}', '{part[2]}', models.IntegerField(default={number}))"
                if kind == "alter"
                else f"RemoveField('{part[1]}', '{part[2]}')"
            )
            if kind == "remove":
                del fields[part]
        story.touches[key], story.gives[key] = {part}, (part, kind != "remove" or part in fields or len(part) == 2)
        others = [each for each in story.texts if each.app != app]
        after += rng.sample(others, min(len(others), rng.choice([0, 0, 1])))
        story.texts[key] = text_of(operation, list(dict.fromkeys(after)), [])
        last[app] = key
    return story


def rows_of(rng: random.Random, story: Story, *, needs_met: bool) -> frozenset[Key]:
    """What a database may have applied: with `needs_met`, nothing that needs what is not there."""
    found: set[Key] = set()
    earlier: list[Key] = []
    for key in story.texts:
        met = all(each in found for each in earlier if story.need(key, each))
        if rng.random() < 0.6 and (met or not needs_met):
            found.add(key)
        earlier.append(key)
    return frozenset(found)


@settings(max_examples=examples(60, 1000), deadline=None)
@given(st.integers(2, 12), st.integers(0, 2**32), st.booleans())
def test_an_order_that_django_accepts_or_a_real_need(size: int, seed: int, needs_met: bool) -> None:
    rng = random.Random(seed)
    story = make_story(rng, size)
    history, rows = story.history, rows_of(rng, story, needs_met=needs_met)
    assert story.runs([key for key in history.order if key in story.texts]) is not None
    reshape = linearize(history, applied={"default": rows}, source=story.source)
    errors = [finding for finding in reshape.findings if finding.blocks]
    event("refused" if errors else "in order" if not history.state(rows).inconsistent else "put in order")
    if errors:
        assert {finding.code for finding in errors} == {"needed-dependency"}
        assert not needs_met
        for finding in errors:
            one, other = Key(finding.app, finding.name), Key.parse(finding.other)
            assert story.need(one, other)
            assert one in rows
            assert other not in rows
        return
    after = build_history(files_after(history, reshape), history.apps.values())
    assert not after.findings
    verdict = judge(list(after.migrations.values()), list(after.apps.values()), {}, rows_after(rows, reshape))
    assert not verdict.error
    assert not verdict.inconsistent
    assert not verdict.conflicts
    old = {reshape.keys.renamed.get(key, key): key for key in story.texts}
    left = [key for key in history.order if key not in rows]
    assert sorted(left) == sorted(old[key] for key in verdict.pending)
    fresh = judge(list(after.migrations.values()), list(after.apps.values()), {}, frozenset())
    assert story.runs([old[key] for key in fresh.pending]) == story.runs(list(story.texts))
    # The database itself: what it has applied, in an order of then, and what is left.
    assert story.runs([*(key for key in story.texts if key in rows), *(old[key] for key in verdict.pending)])


ITEM = "migrations.CreateModel('Item', [('id', models.AutoField(primary_key=True))])"
SIZE = "migrations.AddField('item', 'size', models.IntegerField())"
PRICE = "migrations.AddField('item', 'price', models.IntegerField())"
INDEX = "migrations.AddIndex('item', models.Index(fields=['price'], name='i'))"
CODE = "migrations.RunSQL('UPDATE shop_post SET a = 1')"
BASE = "migrations.CreateModel('Thing', [('item_ptr', made())], bases=('shop.item',))"
SHOP = "migrations.CreateModel('Shop', [('id', models.AutoField(primary_key=True))])"
LINK = "migrations.AddField('post', 'to', models.ForeignKey('shop.other', on_delete=models.CASCADE))"
OWN = "Own()"
PRICES = "migrations.RunSQL('UPDATE shop_item SET price = 1')"


@pytest.mark.parametrize(
    ("applied", "missing", "need"),
    [
        (SIZE, PRICE, None),
        (INDEX, PRICE, (1, "item.price")),
        (SIZE, ITEM, (1, "item")),
        (BASE, ITEM, (1, "item")),
        (BASE, PRICE, (1, "")),  # a field that only running the file shows
        (LINK, SHOP, None),  # the app of this name is not the model
        (CODE, PRICE, (1, "")),
        (PRICES, PRICE, (1, "item.price")),  # code that says what it is about
        (OWN, PRICE, (1, "")),
        (f"{SIZE}, {PRICE}", INDEX, (1, "item.price")),
    ],
)
def test_what_needs_what(applied: str, missing: str, need: tuple[int, str] | None) -> None:
    texts = {}
    for name, operation in {"0003_a": applied, "0002_m": missing}.items():
        texts[Key("shop", name)] = (
            "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
            f"    operations = [{operation}]\n"
        )
    one, other = (parse_migration(text.encode(), key, f"/p/{key.name}.py") for key, text in texts.items())
    found = find_need(one, other, lambda migration: texts[migration.key].encode())
    assert (found and (found.number, found.part)) == need
    assert found is None or isinstance(found, Need)
    if applied in (CODE, OWN):
        assert found is not None
        assert found.unnamed == ("item.price",)


def test_a_database_that_went_another_way_goes_on_first() -> None:
    """One has the later of two without the first, another one the first alone: that one can still run the later."""
    keys = [Key("shop", f"000{number}_x") for number in (1, 2, 3)]
    operations = (each.removeprefix("migrations.") for each in (ITEM, PRICE, SIZE))
    texts = {
        key: text_of(operation, keys[place - 1 : place] if place else [], [])
        for place, (key, operation) in enumerate(zip(keys, operations, strict=True))
    }
    story = Story(texts)
    one, other = frozenset((keys[0], keys[2])), frozenset(keys[:2])
    [finding] = linearize(story.history, applied={"one": one, "other": other}, source=story.source).findings
    assert (finding.code, finding.facts["elsewhere"]) == ("applied-order", ["other"])
    assert "python manage.py migrate shop 0003_x --database other" in finding.hint
    done = linearize(story.history, applied={"one": one, "other": frozenset(keys)}, source=story.source)
    assert not done.findings
    assert done.keys.renamed == {keys[1]: Key("shop", "0003_x"), keys[2]: Key("shop", "0002_x")}


def test_a_dependency_between_apps_gives_way_to_what_it_led_to() -> None:
    """``run_before`` and ``__latest__`` too; what is applied is left as it is."""
    post, tag, item = Key("blog", "0001_x"), Key("blog", "0002_x"), Key("shop", "0001_x")
    late, first = Key("shop", "0002_x"), Key("wares", "0001_x")
    create = "CreateModel('{}', [('id', models.AutoField(primary_key=True))])".format
    story = Story(
        {
            first: text_of(create("Ware"), [], []),
            item: text_of(create("Item"), [first], []),
            late: text_of(create("Box"), [item], [post]),
            post: text_of(create("Post"), [], []),
            tag: text_of(create("Tag"), [post, Key("shop", "__latest__")], []),
        }
    )
    history = story.history
    reshape = linearize(history, applied={"default": frozenset((first, item, post, tag))}, source=story.source)
    assert not reshape.findings
    assert not reshape.keys.renamed
    after = {each.key: each for each in files_after(history, reshape)}
    assert (after[late].run_before, after[post].dependencies) == ((), (item,))
    assert after[tag].dependencies == (post,)
