"""``rename-app``: another label for an app, in files and rows, once the project's code has it.

Django cannot load an app whose migrations still name the old label. So everything here looks at the history under the
old label, as it was, and writes it for the new one.
"""
