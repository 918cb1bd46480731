"""migsync keeps Django's ``django_migrations`` table in step with migration files whose history was rewritten."""

__version__ = "1.0.0rc1"
