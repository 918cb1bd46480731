"""How each alias of a project is reached: Django's ``DATABASES`` and URLs, turned into SQLAlchemy's URLs and arguments.

:mod:`.aliases` makes a DatabaseConfig of each alias; :mod:`.backends` tells the engine by ``ENGINE``, :mod:`.urls` by
the scheme of a URL.
"""
