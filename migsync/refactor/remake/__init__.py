"""``remake``: an app's migrations from scratch, without loss of what the models do not show.

:mod:`.remake` has the project's own Django make the files (:mod:`migsync.worker.remake`) and makes a Reshape of the
answer; :mod:`.messages` says what became of each operation that the models do not show, and what refuses.
"""
