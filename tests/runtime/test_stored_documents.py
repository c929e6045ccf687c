"""What MongoDB has is read in one way, so that one document costs no other its batch."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import bson
from bson import DatetimeMS

from localservices.pipeline import ROOT
from messaging.service import services
from runtime.stored_documents import AWARE

PRODUCT = {"runtime", "messaging", "ordersite", "failed_messages", *services()}


def test_a_date_and_a_text_that_python_has_not_are_read() -> None:
    stored = bson.encode({"late": DatetimeMS(2**62), "early": DatetimeMS(-(2**62)), "text": "####"})

    read = bson.decode(stored.replace(b"####", b"\xff" * 4), AWARE)

    assert read["late"] == datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)
    assert read["early"] == datetime(1, 1, 1, tzinfo=UTC)
    assert read["text"] == "\N{REPLACEMENT CHARACTER}" * 4


def test_no_module_reads_in_a_way_of_its_own() -> None:
    found = {
        str(path.relative_to(ROOT))
        for folder in PRODUCT
        for path in Path(ROOT, folder).rglob("*.py")
        if "CodecOptions(" in path.read_text()
    }
    assert found == {"runtime/stored_documents.py"}
