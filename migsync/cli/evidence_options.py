"""The options of commands that compare databases with what the migrations make on a scratch database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migsync.cli.options import TargetOptions, arguments, flag, group, option, option_group
from migsync.errors import UsageError

if TYPE_CHECKING:
    from migsync.project import Project
    from migsync.verify.verification import VerifyOptions


@option_group
class EvidenceOptions:
    """What is compared, and where it is built."""

    apps: tuple[str, ...] = arguments(metavar="[APP]...")
    where: TargetOptions = group(TargetOptions)
    scratch: str | None = option(
        metavar="URL",
        help="Create the scratch database on the server at URL. Default: the server of each database.",
    )
    rebuild: bool = flag(help="Run the migrations again, even if neither files nor packages have changed.")

    def options(self, project: Project) -> VerifyOptions:
        """With what pyproject.toml says of it. Raises UsageError for a setup that cannot be read."""
        from migsync.verify.build import BuildOptions, ScratchServer
        from migsync.verify.verification import VerifyOptions

        setup = ""
        if name := project.verify.setup:
            try:
                setup = (project.root / name).read_text()
            except (OSError, UnicodeError) as error:
                raise UsageError(
                    f"{name}, which pyproject.toml names as setup of [tool.migsync.verify], cannot be read: {error}"
                ) from error
        server = ScratchServer(self.scratch) if self.scratch else None
        return VerifyOptions(self.apps, project.verify.accept, BuildOptions(setup, server), self.rebuild)
