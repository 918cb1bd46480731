"""Reads the operations of a migration file: :func:`~.reader.operations_of` lists them.

`values` reads expressions, `fields` and `effects` say what a database sees of a field and of an operation.
"""

from migsync.history.operations.reader import operations_of as operations_of
