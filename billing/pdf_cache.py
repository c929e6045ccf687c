"""A cache of PDFs: one that is requested again costs nothing.

A long one is a second of Python, for which everything else in the process waits a little.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from threading import Lock

import msgspec
from django.conf import settings

from billing.printable_document import PrintableDocument

#: Some hundred short ones.
MOST_BYTES = 16 * 1024 * 1024


def tag(document: PrintableDocument) -> str:
    """What names this document as it is printed by this release: another text, another tag."""
    return hashlib.sha256(settings.RELEASE.encode() + msgspec.json.encode(document)).hexdigest()


class PdfCache:
    """PDFs by their tag, those that were asked for last; one is made at a time."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._made: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def pdf(self, document: PrintableDocument) -> bytes:
        """The PDF, made now if it is not kept."""
        name = tag(document)
        with self._lock:
            if name not in self._made:
                # Its import of reportlab is a seventh of a process's start, and few ever print.
                from billing.pdf import pdf

                self._keep(name, pdf(document))
            self._made.move_to_end(name)
            return self._made[name]

    def _keep(self, name: str, made: bytes) -> None:
        self._made[name] = made
        self._bytes += len(made)
        while self._bytes > self._most_bytes and len(self._made) > 1:
            _, oldest = self._made.popitem(last=False)
            self._bytes -= len(oldest)


printed = PdfCache()
