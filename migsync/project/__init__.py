"""The project that migsync works on: found, with its apps and its databases."""

from migsync.project.project import Project, find_project

__all__ = ["Project", "find_project"]
