"""Files on disk: what may be named by a file that was read, and how a file is written."""
