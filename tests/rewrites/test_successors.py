"""What a retired name is now: through several rewrites, removed merges and names that were used again."""

from __future__ import annotations

from dataclasses import replace

from migsync.history import build_history
from migsync.history.migration import Key, Migration
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.rewrites.successors import successors, successors_of_contents, with_successors


def shop(name):
    return Key("shop", name)


def history_of(*names, **others):
    """A chain of shop, and `others`: migrations of blog by name with what they depend on in shop."""
    chain = [Migration(shop(name), dependencies=tuple(map(shop, names[:at][-1:]))) for at, name in enumerate(names)]
    blog = [Migration(Key("blog", name), dependencies=(shop(on),)) for name, on in others.items()]
    return build_history([*chain, *blog])


def rewrites_of(*steps):
    made = []
    for number, step in enumerate(steps):
        parents = tuple(rewrite.id for rewrite in made[-1:])
        made.append(Rewrite(parents, "renumber", f"2026-01-0{number + 1}T00:00:00Z", {"shop": step}))
    return Rewrites(tuple(made))


LINEARIZED = AppRewrite(
    before=("0001_initial", "0003_price", "0003_size", "0004_merge"),
    after=("0001_initial", "0002_price", "0003_size"),
    removed=("0004_merge",),
    renamed=(("0003_price", "0002_price"),),
    depends={"0003_size": ("0001_initial",), "0004_merge": ("0003_price", "0003_size")},
)
SQUASHED = AppRewrite(
    before=("0001_initial", "0002_price", "0003_size"),
    after=("0001_initial", "0002_both"),
    collapsed=((("0002_price", "0003_size"), ("0002_both",)),),
)


def test_a_renamed_one_is_followed():
    history = history_of("0001_initial", "0002_price", "0003_size")
    assert successors(shop("0003_price"), history, rewrites_of(LINEARIZED)) == ((shop("0002_price"),),)


def test_a_removed_merge_gives_way_to_the_last_of_its_parents():
    history = history_of("0001_initial", "0002_price", "0003_size")
    assert successors(shop("0004_merge"), history, rewrites_of(LINEARIZED)) == ((shop("0003_size"),),)


def test_it_is_followed_through_several_rewrites():
    history = history_of("0001_initial", "0002_both")
    assert successors(shop("0003_price"), history, rewrites_of(LINEARIZED, SQUASHED)) == ((shop("0002_both"),),)
    assert successors(shop("0004_merge"), history, rewrites_of(LINEARIZED, SQUASHED)) == ((shop("0002_both"),),)


def test_a_name_that_was_used_again_has_every_answer():
    """0003_price was first the one that is 0005_price now; then 0002_tax bore the name, and is 0004_tax now."""
    first = AppRewrite(
        before=("0001_initial", "0002_tax", "0003_price"),
        after=("0001_initial", "0003_tax", "0005_price"),
        renamed=(("0002_tax", "0003_tax"), ("0003_price", "0005_price")),
    )
    second = AppRewrite(
        before=("0001_initial", "0003_tax", "0005_price"),
        after=("0001_initial", "0003_price", "0005_price"),
        renamed=(("0003_tax", "0003_price"),),
    )
    third = AppRewrite(
        before=("0001_initial", "0003_price", "0005_price"),
        after=("0001_initial", "0004_tax", "0005_price"),
        renamed=(("0003_price", "0004_tax"),),
    )
    history = history_of("0001_initial", "0004_tax", "0005_price", one="0003_price")
    rewrites = rewrites_of(first, second, third)
    assert successors(shop("0003_price"), history, rewrites) == ((shop("0005_price"),), (shop("0004_tax"),))
    (told,) = with_successors(history, rewrites).findings
    assert told.hint.endswith("depend on it: shop.0005_price or shop.0004_tax")


def test_nothing_is_said_where_the_rewrites_say_nothing():
    history = history_of("0001_initial", "0002_price")
    assert successors(shop("0009_gone"), history, rewrites_of(LINEARIZED)) == ()


def test_every_file_that_names_it_gets_a_finding_with_the_fix():
    history = history_of("0001_initial", "0002_price", "0003_size", one="0004_merge", two="0004_merge", three="0009_no")
    told = with_successors(history, rewrites_of(LINEARIZED)).findings
    assert {(finding.code, str(Key(finding.app, finding.name))) for finding in told} == {
        ("retired-name", "blog.one"),
        ("retired-name", "blog.two"),
        ("dangling-dependency", "blog.three"),
    }
    assert all(finding.blocks for finding in told)
    assert "that is shop.0003_size." in next(finding.found for finding in told if finding.name == "one")


def test_a_file_that_git_held_under_another_name_has_become_what_a_rewrite_says() -> None:
    """Another branch called it 0009_other, and git knows its operations."""
    known = rewrites_of(replace(SQUASHED, digests_before={"0002_price": "its digest", "0003_size": "another"}))
    found = successors_of_contents("shop", "its digest", history_of("0001_initial", "0002_both"), known)
    assert found == ((shop("0002_both"),),)
    assert successors_of_contents("shop", "a third one", history_of("0001_initial", "0002_both"), known) == ()
