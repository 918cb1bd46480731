"""The proof of a proposal: that Django makes of the new files what it made of the old ones.

- :mod:`.proof` compares what Django's loader says of both, in two workers: the state (:mod:`.states`) and what
  ``migrate`` would run on each database (:mod:`.plans`). :mod:`.identities` says which migration is which.
- :mod:`.databases` migrates scratch databases (:mod:`.scratch`) with both, as far as :mod:`.scope` says, and compares
  the schema (:mod:`.schema`), the rows (:mod:`.rows`), and every database that is behind (:mod:`.transition`).

Nothing is imported here: the proof by databases needs modules that are slow to import.
"""
