"""From a wanted change of migration files to bytes on disk.

A command makes a Reshape (:mod:`.reshape`): what it wants, in keys, dependencies and contents. :mod:`.resolution` works
that out against the history, key by key: the edit of every file, and the history afterwards. :mod:`.builder` reads the
files that change and makes the Proposal (:mod:`.proposal`): every file before and after, and the rewrite. On the way
:mod:`.refusals` finds what stands against it, and :mod:`.references` where other code calls a migration by its old
name. Nothing of this writes.

:mod:`.commit` writes a proposal, all or nothing; :mod:`.state_directory` says whether a commit is under way.
"""
