"""Names that were changed by hand, or by another tool: what became of them, where no rewrite says it.

:func:`~.discovery.discover` is the entry, once for all targets. In the order in which the data goes:

- :mod:`~.database`: what one database shows; :mod:`~.sources`: all that is asked, the files and git too;
- :mod:`~.case`: one app's records, and what each may stand for by the files on disk and their states in the past;
- :mod:`~.proofs`: what can be proven of that;
- :mod:`~.resets`: files that were made anew or united, by the tables that they make (:mod:`~.collapses`), which Django
  says where reading the files is not enough (:mod:`~.rendered`);
- :mod:`~.hints`: what is only likely among the rest, or is spoken against;
- :mod:`~.pairs`: what both say, old and new names with a verdict and its reasons;
- :mod:`~.moves`: records whose operations are in files of other names, although every name fits;
- :mod:`~.evidence`: all that is known about one app by one database; :mod:`~.agreement`: and by several;
- :mod:`~.proposal`: the rewrite that the proofs make, and the findings about what is left;
- :mod:`~.origins`: what was found out about records without a file, for the planner's findings about them.

Contents prove, names only hint. A proof is the same operations digest under the old and the new name, and no other
answer; it goes into the plan. A hint is shown to a person, who settles it.
"""
