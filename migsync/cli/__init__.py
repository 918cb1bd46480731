"""The command line: options, prompts and output around migsync's core. See :mod:`migsync.cli.program`."""
