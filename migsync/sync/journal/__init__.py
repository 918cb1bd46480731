"""migsync's own tables beside ``django_migrations``: what they hold, and how they are made and upgraded."""
