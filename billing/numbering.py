"""The series that number what billing issues; none of them has a gap."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import connection
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

#: How the numbers of credit notes begin.
CREDIT_NOTE = "C"
NUMBER = re.compile(rf"\A(?P<series>{CREDIT_NOTE}?[0-9]{{4}})-(?P<count>[0-9]{{6,9}})\Z")
#: The same for MongoDB, which knows no `\Z`.
NUMBER_IN_MONGODB = f"^{CREDIT_NOTE}?[0-9]{{4}}-[0-9]{{6,9}}$"


def invoice_series(now: datetime) -> str:
    """The series of the year's invoices: 2026-000001, 2026-000002 …"""
    return f"{now.year}"


def credit_note_series(now: datetime) -> str:
    """The series of the year's credit notes: C2026-000001, C2026-000002 …"""
    return f"{CREDIT_NOTE}{now.year}"


def next_numbers(count: int, series: str, session: ClientSession) -> list[str]:
    """Give out the next `count` numbers of the series, as "2026-000001".

    A number is issued in the transaction that stores the document which bears it, and taken
    back if that fails: so there is no gap, whatever process is killed.
    """
    counter = connection.database["invoice_counters"].find_one_and_update(
        {"_id": series},
        {"$inc": {"last": count}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    return [f"{series}-{n:06d}" for n in range(counter["last"] - count + 1, counter["last"] + 1)]
