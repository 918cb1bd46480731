"""Django finds the command here."""
