"""Files on disk that may not be trusted: how one is written whole, what may be named by one, and how git is asked.

`atomic` writes files; `boundary` checks every path, mode and id that was read; `user_key` seals what only this user may
have written; `git` starts git. `cache_file` says where parsed files are remembered, and `names_file` keeps the names
that the shell completes; `own_source` says which migsync has made a cache.
"""
