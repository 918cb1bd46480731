"""The rows of one ``django_migrations``: plans are made, saved, applied, taken back, and written as scripts.

In the order in which the data goes, for ``migsync apply``:

- :mod:`~.survey` reads the files, the rewrites and every target, and has :mod:`~.target_plans` plan all of them
  together. A :mod:`~.target` is one table with its :mod:`~.journal`, of which each row is a :mod:`~.run`;
  :mod:`~.snapshots` reads those of many schemas at once;
  :mod:`~.unnamed_schemas` warns of tables that nobody named.
- :mod:`~.planner` makes the :mod:`~.plan` of one target, as a pure function; :mod:`~.shared_plans` takes it over for
  targets that differ only in their times. It takes away what a person wants removed
  (:mod:`~.prune`), takes the rows of a database that is ahead of the files back (:mod:`~.backwards`), has
  :mod:`migsync.rewrites` translate the names, and judges the result: whether ``migrate`` would start
  (:mod:`~.consistency`), and which records nothing explains (:mod:`~.unknown_records`).
- A plan can be saved as a :mod:`~.plan_file`; :mod:`~.review` compares a saved one with the one of today.
- :mod:`~.apply` carries a plan out in one transaction: under the lock it compares the rows with those that the plan was
  made from (:mod:`~.comparison`), changes them through the :mod:`~.recorder`, and writes the journal.
- :mod:`~.undo` makes a plan from the journal that takes a run back. It is applied like any other.
- :mod:`~.scripts` writes a plan as SQL text, for people who must run it by hand.
"""
