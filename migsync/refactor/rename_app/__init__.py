"""``rename-app``: another label for an app, in files and rows, once the project's code has it.

Django cannot load an app whose migrations still name the old label. So everything here looks at the history under the
old label, as it was, and writes it for the new one. :mod:`.rename_app` is the command; :mod:`.operations` edits one
file, by the calls that :mod:`.calls` knows; :mod:`.references` finds the old label in other code, and
:mod:`migsync.sync.label_uses` in the databases: both are reported, and left alone.
"""
