"""Everything of a person in one archive."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from functools import partial

from bson import json_util

from failed_messages.records import audit
from runtime.moment import for_programs
from runtime.personal_data import holdings
from runtime.transactions import in_transaction

#: Dates in RFC 3339, numbers as numbers, wherever JSON can say them.
FORM = json_util.RELAXED_JSON_OPTIONS


def export(user_id: int, by: str) -> bytes:
    """A ZIP file with a JSON file for each kind of data, and one that says what they are.

    Raises:
        Outage, pymongo.errors.PyMongoError: MongoDB did not answer.
    """
    written = io.BytesIO()
    about = {}
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for holding in holdings():
            documents = list(holding.export(user_id))
            file = f"{holding.name.replace(' ', '-')}.json"
            about[file] = {"what": holding.what, "documents": len(documents)}
            archive.writestr(file, json_util.dumps(documents, json_options=FORM, indent=2))
        exported_at = for_programs(datetime.now(UTC))
        whole = {"userId": user_id, "exportedAt": exported_at, "files": about}
        archive.writestr("about.json", json.dumps(whole, indent=2))
    counts = {file: each["documents"] for file, each in about.items()}
    in_transaction(
        partial(audit.note, act="export", subject=audit.PERSON, subject_id=user_id, by=by,
                after=counts)
    )  # fmt: skip
    return written.getvalue()
