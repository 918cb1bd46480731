"""The project that migsync works on: found, with its apps and its databases.

- :mod:`.project` has :class:`Project` and puts it together; :mod:`.root` finds the directory and the settings module,
  :mod:`.options` reads ``[tool.migsync]``.
- :mod:`.settings` imports the settings module, in migsync's own process as :mod:`.environment` sets it up.
- :mod:`.apps` are the installed apps, told by their files (:mod:`.appconfigs`, :mod:`.modules`); :mod:`.scan` finds
  apps without settings; :mod:`.registry` asks a started Django for what no file says.
- :mod:`.firstparty` says which directories are the project's own.
- :mod:`.databases` turns ``DATABASES`` and URLs into configurations.
"""

from migsync.project.project import Project, find_project

__all__ = ["Project", "find_project"]
