"""What a person or a program reads: values turned into blocks of text, or into JSON documents.

`blocks` are the words of every view; `plain` and `terminal` put them on a pipe and on a terminal; `plans`, `runs` and
`findings` say things with them; `documents` says the same things as JSON.
"""
