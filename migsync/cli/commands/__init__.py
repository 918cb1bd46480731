"""One module per command: its options, its help with examples, and what it prints. Work is done elsewhere.

Modules here import nothing heavy at their top, since ``migsync --help`` imports them all.
"""
