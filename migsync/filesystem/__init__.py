"""Files on disk that may not be trusted: how one is written whole, what may be named by one, and how git is asked.

`atomic` writes files; `boundary` checks every path, mode and id that was read; `key` seals what only this user may have
written; `git` starts git.
"""
