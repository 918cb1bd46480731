"""SQLAlchemy over a connection that somebody else has opened, has begun a transaction on, and keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlalchemy as sa

    from migsync.engines.base import Engine


class BorrowedConnection:
    """A connection of a driver. To end its transaction, or to close it, is not for whoever borrows it."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 (of any driver)
        self._connection = connection

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- as above
        return getattr(self._connection, name)

    def nothing(self, *_: object) -> None:
        """Left to the owner."""

    commit = rollback = close = add_notice_handler = nothing


def borrowing_engine(behaviour: Engine, borrow: Callable[[], Any]) -> sa.Engine:
    """An engine whose connections are the one that `borrow` returns, of whichever driver the owner uses."""
    import sqlalchemy as sa

    driver = type(borrow()).__module__.partition(".")[0]
    engine = sa.create_engine(
        f"{behaviour.name}+{driver}://",
        creator=lambda: BorrowedConnection(borrow()),
        poolclass=sa.NullPool,
        use_native_hstore=False,  # else it is looked up on every connection
    )
    sa.event.listens_for(engine, "begin")(behaviour.begun)
    return engine
