"""The command line. The rooms below do the work; here are options, questions, output and exit statuses.

===================  ==============================================================================================
``program``          the list of commands; errors become messages and exit statuses
``commands/``        one module per command
``views/``           values as blocks of text, or as JSON
``command``          the click classes: help that ends with examples
``options``          groups of options, as dataclasses
``output``           standard output and standard error, and the files that ``-o`` names
``progress``         how far long work has got, on standard error
``prompts``          questions to a person
``next_command``     the command lines that messages print
``completion``       the names that the shell completes; ``bash_words``: words as bash cuts them
``signals``          SIGTERM taken for Ctrl-C
``recovery``         what an earlier command left unfinished
``plan_set``         the plans of ``apply`` and ``script``, from a plan file or made now
``targets``          the databases of ``log``, ``show`` and ``undo``, with their journals
``execution``        plans carried out, one database after the other
``results``          what became of each database
``refactor``         the way of every file-changing command: draft, prove, show, ask, commit
``reference``        the documentation's command reference
===================  ==============================================================================================

From ``argv`` to the exit status:

1. :func:`migsync.__main__.main` (or the management command) runs :func:`migsync.cli.program.run` under
   :func:`migsync.cli.signals.terminable`.
2. ``run`` makes the :class:`~migsync.cli.output.Output`. Click finds the command and parses its options.
3. The command gets the output and its options as objects. It finds the project, and settles an interrupted change
   of files (:func:`migsync.cli.recovery.settle_files`), before it reads any file or database.
4. It asks the rooms below for a survey, a draft or the journals, and shows them (``views``, ``Output.show``). With
   ``--format json`` the same goes into one document, which is written at the end.
5. Before it changes anything, it asks (``prompts``). Then it carries plans out (``execution``), commits files
   (``refactor``), and tells what became of each database (``results``).
6. It returns an :class:`~migsync.errors.ExitStatus`, or raises a :class:`~migsync.errors.MigsyncError`. ``run`` writes
   the error, in the format that was asked for, and returns the error's own status. Only ``run`` catches errors of a
   command as a whole; a command catches those of one database, and goes on with the next.

``migsync --help`` imports all commands, the shell waits for names, and ``migsync plan`` runs before every deployment.
So no module here imports Django, SQLAlchemy, Rich or a room that is slow to import at its top. Functions import what
they need, on purpose.
"""
