"""Two commits compared: what would happen to a database that was migrated at the older one.

Neither settings nor a database are needed. The base commit stands for a database in which every migration that it has
ran as its file was then. Such a state is planned by :mod:`migsync.sync.survey` as that of any database, so a change of
names that this database would stumble over is found before it is merged.

- :mod:`~.base` chooses the base commit.
- :mod:`~.commit` writes files of a commit into a directory, so that they are read like those on disk.
- :mod:`~.sides` has the apps of both sides, as far as anything changed in them.
- :mod:`~.base_database` is the database that the base would have made.
- :mod:`~.comparison` plans it; :mod:`~.report` says what was found in words for the author of the change.
"""
