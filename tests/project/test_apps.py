"""What is told statically is what Django's registry has."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import NoReturn

import pytest

from migsync.errors import ProjectError
from migsync.project import find_project, project
from migsync.worker.runtime import Runtime
from tests.project.projects import MIGRATION, app, django_finds, django_project, write

REAL = """
    import oscar  # not executed by the reader, but by the settings
    INSTALLED_APPS = [
        "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
        "django.contrib.sites", "django.contrib.messages", "django.contrib.staticfiles", "django.contrib.flatpages",
        "django.contrib.redirects", "django.contrib.humanize", "django.contrib.postgres",
        "wagtail.contrib.forms", "wagtail.contrib.redirects", "wagtail.contrib.settings", "wagtail.embeds",
        "wagtail.sites", "wagtail.users", "wagtail.snippets", "wagtail.documents", "wagtail.images", "wagtail.search",
        "wagtail.admin", "wagtail", "taggit", "modelcluster", "modelsearch", "django_tasks", "rest_framework",
        "oscar.config.Shop", "oscar.apps.analytics.apps.AnalyticsConfig", "oscar.apps.checkout.apps.CheckoutConfig",
        "oscar.apps.address.apps.AddressConfig", "oscar.apps.shipping.apps.ShippingConfig",
        "oscar.apps.catalogue.apps.CatalogueConfig", "oscar.apps.catalogue.reviews.apps.CatalogueReviewsConfig",
        "oscar.apps.communication.apps.CommunicationConfig", "oscar.apps.partner.apps.PartnerConfig",
        "oscar.apps.basket.apps.BasketConfig", "oscar.apps.payment.apps.PaymentConfig",
        "oscar.apps.offer.apps.OfferConfig", "oscar.apps.order.apps.OrderConfig",
        "oscar.apps.customer.apps.CustomerConfig", "oscar.apps.search.apps.SearchConfig",
        "oscar.apps.voucher.apps.VoucherConfig", "oscar.apps.wishlists.apps.WishlistsConfig",
        "oscar.apps.dashboard.apps.DashboardConfig", "oscar.apps.dashboard.reports.apps.ReportsDashboardConfig",
        "oscar.apps.dashboard.users.apps.UsersDashboardConfig",
        "oscar.apps.dashboard.orders.apps.OrdersDashboardConfig",
        "oscar.apps.dashboard.catalogue.apps.CatalogueDashboardConfig",
        "oscar.apps.dashboard.communications.apps.CommunicationsDashboardConfig",
        "oscar.apps.dashboard.offers.apps.OffersDashboardConfig",
        "oscar.apps.dashboard.pages.apps.PagesDashboardConfig",
        "oscar.apps.dashboard.partners.apps.PartnersDashboardConfig",
        "oscar.apps.dashboard.ranges.apps.RangesDashboardConfig",
        "oscar.apps.dashboard.reviews.apps.ReviewsDashboardConfig",
        "oscar.apps.dashboard.shipping.apps.ShippingDashboardConfig",
        "oscar.apps.dashboard.vouchers.apps.VouchersDashboardConfig",
        "widget_tweaks", "haystack", "treebeard", "django_tables2",
    ]
    STATIC_URL = "static/"
    HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
    from oscar.defaults import *
    MIGRATION_MODULES = {"taggit": None, "sites": "config.sites_migrations"}
    DATABASES = {}
"""

ODD_SETTINGS = """
    INSTALLED_APPS = [
        "django.contrib.auth", "django.contrib.contenttypes",
        "plain", "labelled", "chosen", "explicit.apps.Second", "several", "nested.deep.inner", "inside.Inside",
        "inherits", "imported", "package_apps", "other_name", "annotated", "without", "namespaced", "single_module",
        "moved", "off", "excluded", "generic.apps.GenericConfig", "alias.apps.Alias", "dotted", "guarded",
        "unimported.apps.UnimportedConfig", "no_migrations_package", "takes_name",
        "takes_name_of_star.apps.ShopConfig",
        "takes_name_twice", "rebinds_base",
    ]
    MIGRATION_MODULES = {"moved": "config.moved_migrations", "off": None}
    DATABASES = {}
"""


def config(*classes: str, head: str = "") -> str:
    """An apps.py: each class as "Name(Base): attribute = value; …"."""
    lines = ["from django.apps import AppConfig", head]
    for text in classes:
        declared, _, body = text.partition(":")
        lines += [f"class {declared}:", *(f"    {part.strip()}" for part in body.split(";")), ""]
    return "\n".join(lines)


def odd_files() -> dict[str, str]:
    return {
        **app("plain"),
        **app("labelled", config('Labelled(AppConfig): name = "labelled"; label = "a_label"')),
        **app(
            "chosen",
            config(
                'First(AppConfig): name = "chosen"; label = "first"',
                'Second(AppConfig): name = "chosen"; label = "second"; default = True',
            ),
        ),
        **app(
            "explicit",
            config(
                'First(AppConfig): name = "explicit"; label = "explicit_first"',
                'Second(AppConfig): name = "explicit"; label = "explicit_second"',
            ),
        ),
        # Two and no default: Django takes neither, and its own AppConfig.
        **app(
            "several",
            config(
                'First(AppConfig): name = "several"; label = "several_first"',
                'Second(AppConfig): name = "several"; label = "several_second"',
            ),
        ),
        "nested/__init__.py": "",
        "nested/deep/__init__.py": "",
        **app("nested.deep.inner", config('Inner(AppConfig): name = "nested.deep.inner"')),
        **app("inside"),
        "inside/__init__.py": config('Inside(AppConfig): name = "inside"; label = "inside_label"'),
        **app(
            "inherits",
            config(
                'Base(AppConfig): name = "inherits"; label = "inherited"; default = False',
                "Derived(Base): default = True",
            ),
        ),
        # A name that is only imported is a candidate too: with two of them and no default, Django takes neither.
        **app(
            "imported", config('Own(AppConfig): name = "imported"; label = "own"', head="from plain.base import Other")
        ),
        "plain/base.py": config('Other(AppConfig): name = "imported"; label = "other"'),
        **app("package_apps"),
        "package_apps/apps/__init__.py": "from .config import PackageConfig",
        "package_apps/apps/config.py": config('PackageConfig(AppConfig): name = "package_apps"; label = "packaged"'),
        **app("other_name", config('Other(AppConfig): name = "elsewhere"')),
        **app("elsewhere"),
        **app("annotated", config('Annotated(AppConfig): name: str = "annotated"; label: str = "typed"')),
        "without/__init__.py": "",
        "namespaced/__init__.py": "",
        "namespaced/migrations/0001_initial.py": MIGRATION,
        "single_module.py": "",
        **app("moved"),
        "config/moved_migrations/__init__.py": "",
        "config/moved_migrations/0001_initial.py": MIGRATION,
        **app("off"),
        **app(
            "excluded",
            config(
                'Excluded(AppConfig): name = "excluded"; label = "not_this"; default = False',
                'Taken(AppConfig): name = "excluded"; label = "taken"',
            ),
        ),
        **app(
            "generic",
            config(
                'Mixin(Generic[T]): label = "from_mixin"',
                'GenericConfig(Mixin[int], AppConfig): name = "generic"',
                head='from typing import Generic, TypeVar\nT = TypeVar("T")',
            ),
        ),
        **app("alias", config('Real(AppConfig): name = "alias"; label = "real"') + "\nAlias = Real\n"),
        **app(
            "dotted",
            "from django import apps\n\n\nclass Dotted(apps.AppConfig):\n    name = 'dotted'\n    label = 'd'\n",
        ),
        **app(
            "guarded",
            config(
                'Guarded(AppConfig): name = "guarded"; label = "guard"',
                head="try:\n    from django.utils.translation import gettext as _\nexcept ImportError:\n    _ = str\n"
                "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from nowhere import Something",
            ),
        ),
        **app("unimported", config('UnimportedConfig(AppConfig): name = "unimported"; label = "un"')),
        # The base of a class is what had the name before it.
        "named/__init__.py": "",
        "named/apps.py": config('ShopConfig(AppConfig): name = "named"; label = "of_base"'),
        **app(
            "takes_name",
            config(
                'ShopConfig(ShopConfig): name = "takes_name"; label = "own"', head="from named.apps import ShopConfig"
            ),
        ),
        **app(
            "takes_name_of_star",
            "from named.apps import *\n\n\nclass ShopConfig(ShopConfig):\n    name = 'takes_name_of_star'\n"
            "    label = 'own_of_star'\n",
        ),
        **app(
            "takes_name_twice",
            config(
                'C(AppConfig): name = "takes_name_twice"; label = "first_label"',
                "C(C): default = True",
                "C(C): pass",
            ),
        ),
        **app(
            "rebinds_base",
            config(
                'Base(AppConfig): label = "of_first_base"',
                'Rebinding(Base): name = "rebinds_base"',
                "Base: label = 'of_second_base'",
            ),
        ),
        "no_migrations_package/__init__.py": "",
        "no_migrations_package/migrations.py": "",
    }


@pytest.fixture
def no_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(runtime: Runtime) -> NoReturn:
        pytest.fail(f"Django's registry was asked for {runtime.settings_module}")

    monkeypatch.setattr(project, "registered_apps", asked)


def found(root: Path) -> list[tuple[str, str | None]]:
    return [(app.label, app.directory) for app in find_project(root).apps]


@pytest.mark.usefixtures("no_registry")
def test_real_apps_are_as_django_has_them(tmp_path: Path) -> None:
    django_project(tmp_path, REAL, {"config/sites_migrations/__init__.py": ""})
    expected = django_finds(tmp_path)
    assert len(expected) > 50
    assert found(tmp_path) == expected


@pytest.mark.usefixtures("no_registry")
def test_odd_apps_are_as_django_has_them(tmp_path: Path) -> None:
    django_project(tmp_path, ODD_SETTINGS, odd_files())
    expected = django_finds(tmp_path)
    namespace = str(tmp_path / "namespaced/migrations")
    # Django takes no migrations from a namespace package; that is the history's business, which looks for __init__.
    assert [(label, None if directory == namespace else directory) for label, directory in found(tmp_path)] == expected
    assert [label for label, _ in expected][:7] == [
        "auth", "contenttypes", "plain", "a_label", "second", "explicit_second", "several",
    ]  # fmt: skip


UNCLEAR = {
    "computed": config('C(AppConfig): name = "computed"; label = "_".join(["com", "puted"])'),
    "by_method": config('C(AppConfig): name = "by_method"; label = property(lambda self: "method_label")'),
    "in_init": config('C(AppConfig): name = "in_init"')
    + "    def __init__(self, *args):\n        super().__init__(*args)\n        self.label = 'set'\n",
    "conditional": config(head="import sys").replace("\n\n", "\n")
    + "\nif sys.version_info > (3,):\n    class C(AppConfig):\n        name = 'conditional'\n        label = 'new'\n"
    "else:\n    class C(AppConfig):\n        name = 'conditional'\n        label = 'old'\n",
    "made": config(head="def make():\n    return type('C', (AppConfig,), {'name': 'made', 'label': 'by_call'})\n")
    + "\nMade = make()\n",
    "patched": config('C(AppConfig): name = "patched"') + "\nC.label = 'later'\n",
    "starred": "from plain.base import *\n",
    "starred_star": "from plain.stars import *\n",
    "patched_star": "from plain.patched import *\nStarred.name = 'patched_star'\nStarred.label = 'late'\n",
    "patched_base": config('Base(AppConfig): default = False', 'C(Base): name = "patched_base"; default = True')
    + "\nBase.label = 'pb'\n",
    "from_extension": config("C(Base): pass", head="from plain.dynamic import Base"),
}  # fmt: skip


def unclear_project(root: Path) -> Path:
    entries = ["plain", *UNCLEAR]
    files = {name: text for entry, apps in UNCLEAR.items() for name, text in app(entry, apps).items()}
    return django_project(
        root,
        f"INSTALLED_APPS = {entries!r}\nDATABASES = {{}}\n",
        {
            **app("plain"),
            **files,
            "plain/base.py": config('Starred(AppConfig): name = "starred"; label = "star"'),
            "plain/patched.py": config('Starred(AppConfig): name = "patched_star"'),
            "plain/stars.py": "from os.path import *\n"
            + config('Starred(AppConfig): name = "starred_star"; label = "star_of_star"'),
            "plain/dynamic.py": "from django.apps import AppConfig\n"
            "globals()['Base'] = type('Base', (AppConfig,), {'name': 'from_extension', 'label': 'dynamic'})\n",
        },
    )


def test_what_is_unclear_is_settled_by_the_registry(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    unclear_project(tmp_path)
    write(tmp_path, {"plain/models.py": "print('models are imported, and print')\n"})
    assert found(tmp_path) == django_finds(tmp_path)
    assert capfd.readouterr().out == ""


def test_the_registry_is_asked_only_for_what_is_unclear(tmp_path: Path) -> None:
    unclear_project(tmp_path)
    write(tmp_path, {"plain/models.py": "raise SystemExit('no database today')\n"})
    project = find_project(tmp_path)
    said = {finding.found.split("'")[1]: finding for finding in project.findings if finding.code == "unknown-app"}
    assert {app.label for app in project.apps} == {"plain"}
    assert said.keys() == UNCLEAR.keys()
    assert "no database today" in said["computed"].meaning
    assert "label of C is computed" in said["computed"].found


def test_what_is_imported_in_a_circle_is_unclear_for_every_entry(tmp_path: Path) -> None:
    circle = "import sys\nif 'here' in sys.argv:\n    from {other}.apps import C\nelse:\n    from {own}.real import C\n"
    real = 'C(AppConfig): name = "{own}"; label = "{own}_label"'
    files = {}
    for own, other in (("one", "two"), ("two", "one")):
        files |= {**app(own, circle.format(own=own, other=other)), f"{own}/real.py": config(real.format(own=own))}
    django_project(tmp_path, "INSTALLED_APPS = ['one', 'two']\nDATABASES = {}\n", files)
    assert [label for label, _ in found(tmp_path)] == ["one_label", "two_label"]
    assert found(tmp_path) == django_finds(tmp_path)


def test_an_app_that_is_not_installed_here_is_left_out_and_said(tmp_path: Path) -> None:
    django_project(tmp_path, "INSTALLED_APPS = ['shop', 'sorl.thumbnail']\nDATABASES = {}\n", app("shop"))
    project = find_project(tmp_path)
    assert [app.label for app in project.apps] == ["shop"]
    assert [(finding.code, finding.severity) for finding in project.findings] == [("unknown-app", "warning")]
    assert "no module 'sorl.thumbnail' is found" in project.findings[0].found


def test_an_app_in_an_archive_is_found_by_the_registry(tmp_path: Path) -> None:
    write(tmp_path / "build", app("zipped", config('Z(AppConfig): name = "zipped"; label = "archive"')))
    with zipfile.ZipFile(tmp_path / "zipped.zip", "w") as archive:
        for path in (tmp_path / "build").rglob("*.py"):
            archive.write(path, path.relative_to(tmp_path / "build"))
    shutil.rmtree(tmp_path / "build")
    django_project(
        tmp_path,
        f"import sys\nsys.path.append({str(tmp_path / 'zipped.zip')!r})\n"
        "INSTALLED_APPS = ['zipped']\nDATABASES = {}\n",
    )
    assert found(tmp_path) == django_finds(tmp_path)
    assert found(tmp_path) == [("archive", str(tmp_path / "zipped.zip/zipped/migrations"))]


def test_a_label_used_twice_names_both(tmp_path: Path) -> None:
    django_project(
        tmp_path, "INSTALLED_APPS = ['one.shop', 'two.shop']\nDATABASES = {}\n", {**app("one.shop"), **app("two.shop")}
    )
    with pytest.raises(ProjectError) as raised:
        find_project(tmp_path)
    assert raised.value.found == "Two apps have the label 'shop': one.shop and two.shop."


def test_migrations_switched_off_by_an_odd_object(tmp_path: Path) -> None:
    settings = """
        class Off:
            def __contains__(self, label):
                return True

            def __getitem__(self, label):
                return None

        INSTALLED_APPS = ["shop"]
        MIGRATION_MODULES = Off()
        DATABASES = {}
    """
    django_project(tmp_path, settings, app("shop"))
    assert found(tmp_path) == [("shop", None)]


def test_nothing_of_the_apps_is_executed(tmp_path: Path) -> None:
    files = app("shop", config('Shop(AppConfig): name = "shop"') + "\nraise SystemExit('executed')\n")
    files["shop/__init__.py"] = "raise SystemExit('executed')\n"
    files["shop/migrations/__init__.py"] = "raise SystemExit('executed')\n"
    django_project(tmp_path, "INSTALLED_APPS = ['shop', 'shop.sub']\nDATABASES = {}\n", {**files, **app("shop.sub")})
    (tmp_path / "shop/__init__.py").write_text("raise SystemExit('executed')\n")
    assert [label for label, _ in found(tmp_path)] == ["shop", "sub"]


def test_two_projects_with_the_same_names_in_one_process(tmp_path: Path) -> None:
    for name in ("one", "two"):
        django_project(tmp_path / name, f"INSTALLED_APPS = ['{name}']\nDATABASES = {{}}\n", app(name))
    assert found(tmp_path / "one") == [("one", str(tmp_path / "one/one/migrations"))]
    assert found(tmp_path / "two") == [("two", str(tmp_path / "two/two/migrations"))]
