"""The worker's part of `remake`: the new operations, and the files that they go into."""
