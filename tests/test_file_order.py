"""The slowest files are known, and run first."""

from __future__ import annotations

import re

import pytest

from tests.file_order import SLOWEST, TESTS


def test_contributing_names_the_slowest_files() -> None:
    text = (TESTS.parent / "CONTRIBUTING.md").read_text()
    _, _, told = text.partition("The slowest ten")

    assert tuple(re.findall(r"`([\w/]+\.py)`", told))[: len(SLOWEST)] == SLOWEST
    assert all((TESTS / file).exists() for file in SLOWEST)


def test_each_file_is_in_one_piece(request: pytest.FixtureRequest) -> None:
    files = [item.path for item in request.session.items]
    begun = [file for before, file in zip([None, *files], files, strict=False) if file != before]

    assert len(begun) == len(set(begun))
