"""Plans: made, saved, applied, taken back, and written as scripts."""
