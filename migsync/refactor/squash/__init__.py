"""``squash``: which runs of migrations are safe to squash, where a range must be split, and what a squash changes."""
