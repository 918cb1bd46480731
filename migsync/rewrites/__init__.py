"""The history of names as data: rewrites, positions, and evidence where no rewrite exists."""
