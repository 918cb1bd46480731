"""``squash``: one migration in the place of a range of them.

A person names a range (:mod:`.ranges`), or takes those that are safe to squash (:mod:`.safe_ranges`: the rule, told
from the graph alone). :mod:`.splits` says where a range must be split, :mod:`.risks` what in its files a person should
look at. :mod:`.squash` chooses the ranges, has the project's own Django compose their files (the worker's
:mod:`migsync.worker.compose.squash`), and makes a Reshape of the answer. :mod:`.attempts` says what to try where
that is refused.
"""
