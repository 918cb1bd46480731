"""New migration files out of Django's operations, without what ``squashmigrations`` loses.

:mod:`compose` makes the text of one file: Django's own writer (led by :mod:`serializing` and :mod:`given`), then
:mod:`module`, which puts the source of what operations use (:mod:`gathering`, :mod:`naming`, :mod:`carried`) where
Django would import it from a file that goes. :mod:`squash` is the worker's task that composes ranges of migrations
(:mod:`once` and :mod:`deferred` guard what Django's optimizer makes of them: :mod:`uniting` with what is :mod:`known`
of the fields, and what Django is :mod:`filling` rows with), :mod:`asking` is who asks for it.
Nothing is imported here: the worker's process must start fast.
"""
