"""New migration files out of Django's operations, without what ``squashmigrations`` loses.

A squash (:mod:`.squash`, the worker's task) goes from the operations of a range to the text of one file in two halves.

First the operations, as Django's objects:

1. :mod:`.optimizer` has Django's own optimizer merge them, where no existing row gets another value. What rows get is
   in :mod:`.backfill`, what is known of fields and tables on the way in :mod:`.state`.
2. :mod:`.deferred` changes operations that rely on SQL which Django defers to the end of a file.

Then the text:

3. :mod:`.writer` has Django's ``MigrationWriter`` write them. Meanwhile :mod:`.serializer` puts a stand-in wherever a
   value is defined in an old migration: a function of ``RunPython``, a class, a constant.
4. :mod:`.linker` replaces the stand-ins. :mod:`.definitions` finds all source that must be copied for them,
   :mod:`.namespace` names it and its imports, and :mod:`.copies` copies it, byte for byte but for those names.
   The source of old files is read by :mod:`.migration_module`, and what its names refer to by :mod:`.references`.
5. :mod:`.comments` and :mod:`.notes` keep, or report, what else the old files said and did.

A remake (:mod:`migsync.worker.remake`) has its operations from the autodetector and takes steps 3 to 5.
Nothing is imported here: the worker's process must start fast.
"""
