"""One module per command: its options, its help with examples, and what it alone shows.

The module and the function in it have the name of the command, with underscores for hyphens; the list of all commands
is ``COMMANDS`` in :mod:`migsync.cli.program`. A command that changes migration files says only what it wants of them,
by a function from a :class:`~migsync.refactor.ground.Ground` to a change of files; the work is done in its package in
:mod:`migsync.refactor`, and the rest by :func:`migsync.cli.refactor.change_files`.
"""
