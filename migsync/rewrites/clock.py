"""How the text of an `applied` column is read as a time."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

# No time zone is further from UTC.
WIDEST_OFFSET = datetime.timedelta(hours=14)


@dataclass(frozen=True)
class Clock:
    """How `applied` texts without an offset are to be read: as UTC, or, where that is not known, with a margin."""

    naive_is_utc: bool = False

    def older(self, applied: str | None, moment: str) -> bool:
        """True when `applied` is certainly before `moment` (UTC text); False for anything that is no time."""
        try:
            time = datetime.datetime.fromisoformat(applied or "")
        except ValueError:
            return False
        limit = datetime.datetime.fromisoformat(moment)
        if time.tzinfo is None:
            time = time.replace(tzinfo=datetime.UTC)
            limit -= datetime.timedelta() if self.naive_is_utc else WIDEST_OFFSET
        return time < limit

    def span(self, applied: str | None) -> tuple[float, float] | None:
        """Between which two moments `applied` was, in seconds since 1970; None for anything that is no time."""
        try:
            time = datetime.datetime.fromisoformat(applied or "")
            if time.tzinfo is not None:
                return time.timestamp(), time.timestamp()
            time = time.replace(tzinfo=datetime.UTC)
            margin = 0.0 if self.naive_is_utc else WIDEST_OFFSET.total_seconds()
            return time.timestamp() - margin, time.timestamp() + margin
        except (ValueError, OverflowError):
            return None

    def newer(self, applied: str | None, moment: str) -> bool:
        """True when `applied` is certainly after `moment` (UTC text); False for anything that is no time."""
        span = self.span(applied)
        # The moment is cut off to whole seconds.
        return span is not None and span[0] >= datetime.datetime.fromisoformat(moment).timestamp() + 1
