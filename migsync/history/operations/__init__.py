"""The operations of a migration file as values: what each does, as far as the file itself says it.

:func:`~.reader.operations_of` lists them. `values` reads expressions, `fields` and `effects` say what a database sees
of a field and of an operation.
"""

from migsync.history.operations.operation import COMPUTED, UNREAD, Contents, Grade, Operation
from migsync.history.operations.reader import operations_of

__all__ = ["COMPUTED", "UNREAD", "Contents", "Grade", "Operation", "operations_of"]
