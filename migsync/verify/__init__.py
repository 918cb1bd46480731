"""Whether a database has what its records say.

`build` has the worker run the migrations on a scratch database, and gets a trace of each; `composition` works out from
traces and records what must be there, and compares; `verification` does that for each database of a survey. `repair`
works out from the same what is to be recorded, and `repair_plans` has it planned.
"""
