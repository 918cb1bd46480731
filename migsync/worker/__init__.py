"""All code that runs inside the project's own Django, in a process of its own.

Nothing is imported here: such a process must start fast.
"""
