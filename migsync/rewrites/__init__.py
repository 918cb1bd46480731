"""What became of each migration's name: the rewrites that say it, and the evidence where none does.

A rewrite is a committed file that says which name became which. In the order in which the data goes:

- :mod:`~.rewrite_files` reads and writes the files, one :class:`~.rewrite.Rewrite` each; :mod:`~.rewrite_graph` puts
  them in order, each after those that it was made on top of. :mod:`~.name_changes` makes one of what a person or a
  command says.
- :mod:`~.labels` shows them under the labels that the apps have today, :mod:`~.name_history` which names an app had
  after which of them. :mod:`~.successors` answers for one name, where a file still depends on it.
- :mod:`~.translation` is the entry for the rows (:mod:`~.record`) of one target: from the names that are recorded to
  the names on disk. A name alone does not say which migration it means, since names are used again. So
  :mod:`~.position` decides which rewrites the rows have been through, with :mod:`~.split` where an undo has left them
  at several positions, and :mod:`~.rows` takes them through the others.
- :mod:`~.evidence` is the entry for names that were changed without a rewrite. It compares the files
  (:mod:`~.file_state`) with what :mod:`~.git`, journals and rewrites know of older ones, and proposes a rewrite.

Everything here is a pure function of what it is given, but for `rewrite_files` and `git`, which read. Plans, runs and
databases are those of :mod:`migsync.sync`, one room above.
"""
