"""Shell completion in bash: words that hold a colon or ``=``."""

from __future__ import annotations

from typing import Any, Final

from click.shell_completion import BashComplete, CompletionItem, add_completion_class

ENDS: Final = (":", "=")
"""Those of bash's COMP_WORDBREAKS that names hold: bash makes three words of ``tenants:acme``."""


@add_completion_class
class WholeWords(BashComplete):
    """Bash, whose function gets the parts of a word that holds a colon or ``=``, and replaces only the last of them."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The whole words."""
        args, incomplete = super().get_completion_args()
        words: list[str] = []
        for word in (*args, incomplete):
            if words and (word in ENDS or words[-1][-1:] in ENDS):
                words[-1] += word
            else:
                words.append(word)
        *whole, self.typed = words
        return whole, self.typed

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """The part of it that bash does not have yet."""
        value = str(item.value)
        typed = self.typed.partition("=")[2] if self.typed.startswith("--") else self.typed
        cut = max(map(typed.rfind, ENDS)) + 1
        return super().format_completion(CompletionItem(value.removeprefix(typed[:cut]), item.type))
