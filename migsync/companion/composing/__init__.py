"""New migration files out of Django's operations, without what ``squashmigrations`` loses.

:mod:`migsync.companion.composing.compose` makes the text of one file, :mod:`migsync.companion.composing.squash` is
the worker's task that composes ranges of migrations, :mod:`migsync.companion.composing.asking` is who asks for it.
Nothing is imported here: the worker's process must start fast.
"""
