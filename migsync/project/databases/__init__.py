"""How each alias of a project is reached, for SQLAlchemy: Django's ``DATABASES`` and URLs in."""
