"""The commands that change migration files, each a pure function from what there is to what it wants.

::

    Ground  -->  command  -->  Reshape  -->  pipeline  -->  Draft

:mod:`.ground` reads the databases. A command (a module of its own name: :mod:`.linearize`, :mod:`.renumber`,
:mod:`.rebase`, :mod:`.fix_conflicts`; or a package: :mod:`.squash`, :mod:`.remake`, :mod:`.tidy`, :mod:`.rename_app`)
makes a :class:`~migsync.files.reshape.Reshape` of them. :mod:`.pipeline` works it out, asks every database
(:mod:`.databases`) and has it proven; :mod:`.report` is the result for a review.

What commands share: :mod:`.preconditions` refuses before anything is worked out, :mod:`.order` puts the migrations of
several apps in line without a cycle, :mod:`.merges` says which merge migrations can go, :mod:`.numbers` gives new
names, :mod:`.symbolic_dependencies` looks after ``__first__`` and ``__latest__``, :mod:`.git_branch` asks git what a
branch added.

A new command needs a module here, its options in :mod:`migsync.cli.commands`, one line in the CLI's list, and its page
of the documentation; nothing else looks at which command it was.
"""
