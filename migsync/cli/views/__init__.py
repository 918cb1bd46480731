"""Values turned into what a person or a program reads: blocks of text, or JSON documents. Nothing here writes.

``blocks`` has the forms of all text (lines of styled spans, tables); ``plain`` renders them for a pipe, ``terminal``
for a terminal. The others each make blocks of one kind of value: ``findings`` (and errors), ``plans``, ``surveys``,
``proposals``, ``commits``, ``diffs``, ``runs``, ``graphs``. A summary has the shape of ``groups``; ``lists`` says what
a long list leaves out. ``documents`` says errors, plans and runs as JSON. What only one command shows
stands in that command's module.
"""
