"""The site has no geographic data, so no process searches for the libraries of it.

django-mongodb-backend tries them at every start: Django then asks the compiler and the linker for
each of a dozen file names, three times over, which took half of the start (seconds on a busy
machine). Their absence is an error that the backend expects.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

from django.core.exceptions import ImproperlyConfigured

from ordersite.patches import BACKEND


class NoGeography(MetaPathFinder):
    """Answers for `django.contrib.gis` as it does itself where its libraries are missing."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        if name == "django.contrib.gis":
            raise ImproperlyConfigured("This site uses no geographic library.")


def leave_out() -> None:
    """Do without geography in this process; call it before Django's database backend loads."""
    if BACKEND.is_installed and not any(isinstance(each, NoGeography) for each in sys.meta_path):
        sys.meta_path.insert(0, NoGeography())
