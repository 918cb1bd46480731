"""The proof of a proposal: that Django makes of the new files what it made of the old ones.

:mod:`migsync.proof.proof` proves by loader, state and plans, :mod:`migsync.proof.schema` by two
databases. Nothing is imported here: the worker's process must start fast.
"""
