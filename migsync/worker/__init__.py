"""All code that runs inside the project's own Django, in processes of their own, and what starts and asks them.

In migsync's own process:

- :mod:`.client` starts workers and asks them; :mod:`.runtime` is what a process needs to run the project's code;
- :mod:`.in_process` alone uses a Django in migsync's own process, and says when.

In both:

- :mod:`.protocol` has a request and a result for each task, :mod:`.task` the list of tasks and how one fails,
  :mod:`.codec` the lines of JSON that the two processes write to each other.

In the worker, which :mod:`.main` runs, once :mod:`.setup` has started Django:

- the tasks: :mod:`.examination` (a proof by Django's loader), :mod:`.rehearsal` and :mod:`.trace` (a proof by
  databases), :mod:`.compose.squash`, :mod:`.remake.remake`, :mod:`.registry` (apps and settings);
- what they use: :mod:`.overlay` (files that are not on disk yet), :mod:`.loader`, :mod:`.state_watch` (operations that
  cannot run), :mod:`.model_changes`, :mod:`.renderer` (a state as text), :mod:`.isolation` (a scratch database, and
  nothing outside).

Nothing is imported here: a worker must start fast.
"""
