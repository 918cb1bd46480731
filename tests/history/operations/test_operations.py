"""The operations of a file, read from its syntax tree: which there are, and which a database cannot tell apart."""

from __future__ import annotations

import ast
from textwrap import dedent, indent

import pytest

from migsync.history.bindings import Scope
from migsync.history.contents import Contents, Grade, Operation
from migsync.history.operations import operations_of

HEAD = "import logging\nimport shop.fields\nfrom django.db import migrations, models\n"


def contents(source: str, app: str = "shop") -> Contents:
    module = ast.parse(dedent(source))
    definition = next(each for each in module.body if isinstance(each, ast.ClassDef) and each.name == "Migration")
    return Contents(operations_of(Scope(module.body), definition, app))


def of(operations: str, above: str = "", app: str = "shop") -> tuple[Operation, ...]:
    body = indent(f"operations = [{operations}]", "    ")
    return contents(f"{HEAD}{dedent(above)}\nclass Migration(migrations.Migration):\n{body}\n", app).operations


def one(operation: str, above: str = "", app: str = "shop") -> Operation:
    (found,) = of(operation, above, app)
    return found


def added(field: str, app: str = "shop") -> Operation:
    return one(f"migrations.AddField('Item', 'price', models.{field})", app=app)


@pytest.mark.parametrize(
    ("one_field", "other_field"),
    [
        ("CharField(max_length=9)", "CharField(max_length=9, help_text='x', choices=[(1, 2)], blank=True)"),
        ("CharField(max_length=9)", "CharField('a name', max_length=9, db_index=False, null=False, unique=False)"),
        ("CharField(max_length=9)", "CharField(max_length=9, validators=[shop.fields.check])"),
        ("CharField(max_length=9)", "fields.CharField(max_length=9)"),
        ("EmailField()", "CharField(max_length=254)"),
        ("EmailField(max_length=75)", "CharField(max_length=75)"),
        ("URLField()", "CharField(max_length=200)"),
        ("SlugField()", "CharField(max_length=50, db_index=True)"),
        ("NullBooleanField()", "BooleanField(null=True)"),
        ("FileField(upload_to=shop.fields.place)", "ImageField(upload_to='b', max_length=100)"),
        ("CharField(max_length=9, db_collation=b'')", "CharField(max_length=9, db_collation='')"),
        ("ForeignKey('shop.Item', models.CASCADE)", "ForeignKey(on_delete=models.PROTECT, to='shop.item')"),
        ("ForeignKey('self', models.CASCADE)", "ForeignKey('shop.Item', models.CASCADE, related_name='+')"),
        ("OneToOneField('shop.Item', models.CASCADE)", "ForeignKey('shop.Item', models.CASCADE, unique=True)"),
        ("CharField(max_length=9, unique=True)", "CharField(max_length=9, unique=True, db_index=True)"),
        ("DateTimeField(auto_now=True)", "DateTimeField()"),
        ("ForeignKey('shop.Item', models.CASCADE)", "ForeignKey('shop.Item', models.CASCADE, db_index=True)"),
    ],
)
def test_fields_that_a_database_cannot_tell_apart(one_field: str, other_field: str) -> None:
    assert added(one_field).effect == added(other_field).effect != ""


@pytest.mark.parametrize(
    ("one_field", "other_field"),
    [
        ("CharField(max_length=9)", "CharField(max_length=10)"),
        ("CharField(max_length=9)", "CharField(max_length=9, null=True)"),
        ("CharField(max_length=9)", "CharField(max_length=9, unique=True)"),
        ("CharField(max_length=9)", "CharField(max_length=9, db_column='p')"),
        ("CharField(max_length=9)", "CharField(max_length=9, db_default='x')"),
        ("EmailField()", "EmailField(max_length=75)"),
        ("SlugField()", "SlugField(db_index=False)"),
        ("ForeignKey('shop.Item', models.CASCADE)", "ForeignKey('shop.Other', models.CASCADE)"),
        ("ForeignKey('shop.Item', models.CASCADE)", "ForeignKey('blog.Item', models.CASCADE)"),
        ("ForeignKey('shop.Item', models.CASCADE)", "ForeignKey('shop.Item', models.CASCADE, db_index=False)"),
        ("ForeignKey('shop.Item', models.CASCADE)", "ForeignKey('shop.Item', models.CASCADE, db_constraint=False)"),
        ("IntegerField()", "BigIntegerField()"),
        ("CharField(max_length=9)", "shop.fields.CharField(max_length=9)"),
    ],
)
def test_fields_that_a_database_tells_apart(one_field: str, other_field: str) -> None:
    assert (
        added(one_field).effect
        != one(
            f"migrations.AddField('item', 'price', {'' if 'shop.fields' in other_field else 'models.'}{other_field})"
        ).effect
    )


def test_a_default_is_kept_apart() -> None:
    without, five, six = (added(f"IntegerField({text})") for text in ("", "default=5", "default=6"))
    assert without.effect == five.effect == six.effect
    assert without.default == ""
    assert len({five.default, six.default, ""}) == 3


def test_a_relation_within_an_app_does_not_name_the_app() -> None:
    """Its label may be changed."""
    here = added("ForeignKey('shop.Order', models.CASCADE)")
    there = added("ForeignKey('market.Order', models.CASCADE)", app="market")
    assert here.effect == there.effect


@pytest.mark.parametrize(
    "operation",
    [
        "migrations.AlterModelOptions('item', {'ordering': ['id']})",
        "migrations.AlterModelManagers('item', [])",
        "migrations.RunPython(migrations.RunPython.noop)",
        "migrations.RunSQL(migrations.RunSQL.noop)",
        "migrations.RunSQL('')",
        "migrations.CreateModel('Cheap', [], options={'proxy': True}, bases=('shop.item',))",
        "migrations.CreateModel('View', [('id', models.IntegerField())], options={'managed': False})",
    ],
)
def test_what_no_database_sees(operation: str) -> None:
    assert one(operation).effect == ""
    assert one(operation).comparable


def test_the_list_of_a_model_is_compared_as_sets() -> None:
    fields = ["('id', models.AutoField(primary_key=True))", "('name', models.CharField(max_length=9))"]
    model = "migrations.CreateModel(name='Item', fields=[{}, {}], options={{{}}})"
    straight = one(model.format(*fields, "'unique_together': {('id', 'name')}, 'verbose_name': 'x'"))
    turned = one(model.format(*reversed(fields), "'unique_together': [['id', 'name']]"))
    assert straight.effect == turned.effect
    assert straight.effect != one(model.format(*fields, "")).effect
    assert straight.effect != one(model.format(*fields, "'unique_together': [['name', 'id']]")).effect


@pytest.mark.parametrize(
    "together", ["[('a', 'b')]", "{('a', 'b')}", "('a', 'b')", "[['a', 'b']]", "set([('a', 'b')])"]
)
def test_forms_of_unique_together(together: str) -> None:
    plain = one("migrations.AlterUniqueTogether('item', {('a', 'b')})")
    assert one(f"migrations.AlterUniqueTogether('Item', unique_together={together})").effect == plain.effect


def test_a_check_constraint_under_both_names_of_its_argument() -> None:
    old = one("migrations.AddConstraint('item', models.CheckConstraint(check=models.Q(a=1), name='c'))")
    new = one(
        "migrations.AddConstraint('item', models.CheckConstraint("
        "condition=models.Q(('a', 1)), name='c', violation_error_message='no'))".replace("('a', 1)", "a=1")
    )
    assert old.effect == new.effect


def test_concurrent_indexes_are_indexes() -> None:
    above = "from django.contrib.postgres.operations import AddIndexConcurrently"
    index = "('item', models.Index(fields=['a'], name='i'))"
    assert one(f"AddIndexConcurrently{index}", above).effect == one(f"migrations.AddIndex{index}").effect


def test_hints_count() -> None:
    """A router may read them, and keep the operation from a database."""
    plain, hinted = one("migrations.RunSQL('x')"), one("migrations.RunSQL('x', hints={'target': 'a'})")
    assert plain.effect != hinted.effect
    assert plain.effect == one("migrations.RunSQL(['x'], 'y', hints={}, elidable=True)").effect


FORWARDS = """
    LIMIT = 3
    log = logging.getLogger(__name__)

    def forwards(apps, schema_editor):
        "What it does."
        dependencies = initial = None
        log.info("%s", LIMIT)
        helper(apps)

    def helper(apps):
        apps.get_model("shop", "Item").objects.update(a=LIMIT)
"""


def python(above: str) -> Operation:
    return one("migrations.RunPython(forwards, elidable=True)", above)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("What it does.", "Other words."),
        ("helper", "an_other_name"),
        ("LIMIT", "MOST"),
        ("getLogger(__name__)", "getLogger('shop')"),
        ("    LIMIT = 3\n", "    # three\n    LIMIT = (3)\n    UNUSED = 4\n"),
    ],
)
def test_functions_are_compared_by_what_they_do(old: str, new: str) -> None:
    assert old in FORWARDS
    changed = python(FORWARDS.replace(old, new))
    assert changed.effect == python(FORWARDS).effect
    assert changed.grade is Grade.WRITTEN
    assert changed.exact


@pytest.mark.parametrize(("old", "new"), [("LIMIT = 3", "LIMIT = 4"), ("a=LIMIT", "b=LIMIT"), ("%s", "%d")])
def test_functions_that_do_something_else(old: str, new: str) -> None:
    assert old in FORWARDS
    assert python(FORWARDS.replace(old, new)).effect != python(FORWARDS).effect


def test_names_of_functions_may_be_exchanged() -> None:
    above = "def one(apps, editor): a()\ndef two(apps, editor): b()\ndef a(): print(1)\ndef b(): print(2)\n"
    turned = above.replace("one", "xxx").replace("two", "one").replace("xxx", "two")
    assert [each.effect for each in of("migrations.RunPython(one), migrations.RunPython(two)", above)] == [
        each.effect for each in of("migrations.RunPython(two), migrations.RunPython(one)", turned)
    ]


def test_locals_of_a_function_are_not_attributes_of_the_class() -> None:
    def digest(dependency: str) -> str:
        return contents(f"""
            from django.db import migrations

            def forwards(apps, schema_editor):
                dependencies = [initial for initial in apps.all()]

            class Migration(migrations.Migration):
                initial = True
                dependencies = [("shop", "{dependency}")]
                operations = [migrations.RunPython(forwards)]
            """).digest

    assert digest("0001_initial") == digest("0002_other") != ""


@pytest.mark.parametrize(
    ("operation", "above", "grade"),
    [
        ("migrations.RunPython(shop.fields.forwards)", "", Grade.IMPORTED),
        ("migrations.RunPython(forwards)", "from .. import forwards", Grade.IMPORTED),
        ("migrations.RunPython(forwards)", "def forwards(apps, e):\n    from shop.models import X", Grade.IMPORTED),
        ("migrations.AddField('a', 'b', shop.fields.Money())", "", Grade.IMPORTED),
        ("migrations.AddField('a', 'b', models.CharField(max_length=LONG))", "from shop import LONG", Grade.IMPORTED),
        ("migrations.AddField('a', 'b', models.CharField(max_length=LONG))", "LONG = 3", Grade.WRITTEN),
        ("migrations.AddField('a', 'b', models.CharField(max_length=f()))", "def f(): return 3", Grade.COMPUTED),
        ("migrations.AddField('a', 'b', models.CharField(validators=f()))", "def f(): return 3", Grade.WRITTEN),
        (
            "migrations.AddField('a', 'b', models.CharField(max_length=settings.LONG))",
            "from django.conf import settings",
            Grade.COMPUTED,
        ),
        (
            "migrations.AddField('a', 'b', models.ForeignKey(settings.AUTH_USER_MODEL, None))",
            "from django.conf import settings",
            Grade.WRITTEN,
        ),
        ("migrations.RunSQL(open('a.sql').read())", "", Grade.COMPUTED),
        ("migrations.RunSQL(SQL)", "SQL = open('a.sql').read()", Grade.COMPUTED),
        ("make()", "def make(): return migrations.RunSQL('x')", Grade.COMPUTED),
        ("*COMMON", "from shop import COMMON", Grade.COMPUTED),
        ("*COMMON", "COMMON = [migrations.RunSQL('x')]", Grade.WRITTEN),
        ("FIRST", "FIRST = migrations.RunSQL('x')", Grade.WRITTEN),
    ],
)
def test_how_much_the_file_says(operation: str, above: str, grade: Grade) -> None:
    assert one(operation, above).grade is grade


def test_the_parts_of_what_is_separated_are_operations() -> None:
    separate = "migrations.SeparateDatabaseAndState({}, {})"
    state = "[migrations.AddField('a', 'b', models.TextField())]"
    sql, field = of(separate.format("[migrations.RunSQL('x')]", state))
    assert (sql.kind, sql.state_only, field.kind, field.subject, field.state_only) == (
        "RunSQL",
        False,
        "AddField",
        "a.b",
        True,
    )
    sql, field = of(f"migrations.RunSQL('x', state_operations={state})")
    assert (sql.state_only, field.state_only) == (False, True)
    (field,) = of(separate.format(state, "[]"))
    assert not field.state_only


@pytest.mark.parametrize(
    ("operations", "kinds"),
    [
        ("[migrations.RunSQL('a')] + [migrations.RunSQL('b')]", ["RunSQL", "RunSQL"]),
        ("MORE", ["RunSQL"]),
        ("MORE + [*MORE]", ["RunSQL", "RunSQL"]),
        ("[]\n    operations += MORE", ["RunSQL"]),
        ("()", []),
        ("[migrations.RunSQL(str(n)) for n in range(3)]", ["computed"]),
        ("list(MORE)", ["computed"]),
        ("MORE if MORE else []", ["computed"]),
        ("[]\n    if MORE:\n        operations = MORE", ["computed"]),
        ("[]\n    operations.append(MORE[0])", ["computed"]),
        ("[]\n\nMigration.operations.append(MORE[0])", ["computed"]),
        ("operations", ["computed"]),
    ],
)
def test_forms_of_the_list(operations: str, kinds: list[str]) -> None:
    found = contents(
        "from django.db import migrations\nMORE = [migrations.RunSQL('x')]\n\n"
        f"class Migration(migrations.Migration):\n    operations = {operations}\n"
    )
    assert [each.kind for each in found.operations] == kinds
    assert bool(found.effect) is (bool(kinds) and "computed" not in kinds)
    assert found.digest


def test_operations_of_a_base() -> None:
    base = "from django.db import migrations\nfrom shop import Other\n"
    base += "class Base(migrations.Migration):\n    operations = [migrations.RunSQL('x')]\n\n"
    assert [each.kind for each in contents(f"{base}class Migration(Base):\n    pass").operations] == ["RunSQL"]
    imported = contents(f"{base}class Migration(Other):\n    pass")
    assert [each.kind for each in imported.operations] == ["computed"]
    assert imported.digest == imported.effect == ""


@pytest.mark.parametrize("name", ["__file__", "__name__", "__spec__"])
def test_what_depends_on_the_name_of_its_file_has_no_digest(name: str) -> None:
    above = f"def forwards(apps, editor):\n    print({name})\n"
    operation = one("migrations.RunPython(forwards)", above)
    assert operation.exact == ""
    assert not operation.comparable


def test_a_file_is_compared_without_what_no_database_sees() -> None:
    sql, options = "migrations.RunSQL('x')", "migrations.AlterModelOptions('item', {})"
    plain, more = Contents(of(sql)), Contents(of(f"{options}, {sql}"))
    assert plain.effect == more.effect
    assert plain.digest != more.digest
    state = Contents(of(f"migrations.SeparateDatabaseAndState([{sql}], [{sql}])"))
    assert state.effect == plain.effect
    assert state.digest != plain.digest
