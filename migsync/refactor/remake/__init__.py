"""Migrations made from scratch, without loss of what the models do not show.

:mod:`migsync.worker.remake.making` is the worker's task: :mod:`.detecting` has Django's autodetector make the
initial migrations, :mod:`.unseen` finds the operations that the models do not show, and :mod:`.carrying` says which
further files they go into. :mod:`migsync.refactor.remake.remake` makes a Reshape of the answer. Nothing is imported
here: the worker's process must start fast.
"""
