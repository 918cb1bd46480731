"""Migrations made from scratch: the worker's part of ``remake``, step by step.

1. :mod:`.graph` has the old migrations as Django loads them, and runs them through the state.
2. On the way :mod:`.operations` finds the special operations, which the models do not show, and decides for each what
   becomes of it.
3. :mod:`.autodetector` has Django's autodetector make initial migrations for the models of that state.
4. :mod:`.files` puts both into new files, with dependencies and names: special operations go into further files, in an
   order that :mod:`.graph` works out, as it does which old migrations each new file replaces.
5. :mod:`.remake`, the task, has :mod:`migsync.worker.compose.writer` write the files, and answers.

Nothing is imported here: the worker's process must start fast.
"""
