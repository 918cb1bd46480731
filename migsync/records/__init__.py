"""The rows of one ``django_migrations``."""
