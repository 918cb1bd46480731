"""Names that were changed by hand, or by another tool: what became of them, where no rewrite says it."""
