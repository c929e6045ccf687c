"""What is pinned installs on the oldest Python that the README names. In memory."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata

import pytest
from packaging.specifiers import SpecifierSet

from localservices.pipeline import ROOT

#: Debian 12 has 3.11.2; pip asks each package for the versions that it is for.
OLDEST = "3.11.0"
PIN = re.compile(r"^([\w.-]+)==", re.MULTILINE)


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_every_pin_is_for_the_oldest_python(file: str) -> None:
    asked = {name: python_of(name) for name in PIN.findall((ROOT / file).read_text())}

    assert asked
    assert {
        name: python for name, python in asked.items() if OLDEST not in SpecifierSet(python)
    } == {}


def python_of(package: str) -> str:
    """The versions of Python that it is for; any where it says nothing, or is not for us."""
    try:
        return metadata(package)["Requires-Python"] or ""
    except PackageNotFoundError:
        return ""
