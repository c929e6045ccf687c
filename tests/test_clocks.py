"""Who may read this machine's clock; whatever several processes compare is dated by MongoDB's.

Wall clocks differ between machines and jump. A claim, lease, lifetime or window that one process
dates and another one judges is `runtime.mongodb_clock`'s, and what is within one process
`time.monotonic`'s.
"""

from __future__ import annotations

import re
from pathlib import Path

from localservices.pipeline import ROOT
from messaging.service import services

READS_IT = re.compile(
    r"datetime\.now\(|timezone\.now\(|time\.time(_ns)?\(|utcnow\(|now_in_milliseconds\("
)
PRODUCT = {"runtime", "messaging", "ordersite", "webhooks", "failed_messages", *services()}

#: When something happened, for people, for a log, or as a first value that another one judges by a
#: date of MongoDB's.
DATES = {
    "billing/batches.py",
    "billing/invoicing.py",
    "billing/lost_numbers.py",
    "failed_messages/archiving/groups.py",
    "failed_messages/records/audit.py",
    "failed_messages/records/history.py",
    "inventory/batches.py",
    "inventory/catalogue.py",
    "inventory/releasing.py",
    "inventory/reserving.py",
    "inventory/restocking.py",
    "inventory/shipping.py",
    "messaging/handling/call.py",
    "messaging/handling/dead_letters.py",
    "messaging/handling/replay_outcome.py",
    "messaging/incoming.py",
    "messaging/message.py",
    "failed_messages/acting/alerts.py",
    "failed_messages/acting/sending.py",
    "ordersite/admin_site.py",
    "ordersite/management/commands/tail.py",
    "ordersite/overview/reading.py",
    "ordersite/personal_data/archive.py",
    "ordersite/pipeline/verdict_alerts.py",
    "ordersite/simulated_faults/management/commands/load_demo_faults.py",
    "runtime/milliseconds.py",
    # An order's times; what waits for an answer is dated again by MongoDB's, see
    # `orders.unanswered.date_those_of_the_future`.
    "orders/cancelling.py",
    "orders/ledger.py",
    "orders/placing.py",
    "orders/rebuilding.py",
    "orders/shipment.py",
    "ordersite/restoring/settling.py",
}
#: How long something took, for a metric.
SHOWS = {
    "messaging/consuming/counts.py",
    "orders/outbox/counts.py",
    # Asks whether an order of this very import is older than the import.
    "orders/importing/look_alikes.py",
}
#: Compares it with others, or replaces them where there is none.
CLOCKS = {
    "ordersite/doctor/clocks.py",
    "runtime/mongodb_clock.py",
    # Asks MongoDB where its own clock says that a key is old.
    "orders/idempotency.py",
}


def test_what_processes_compare_is_not_dated_by_one_machine() -> None:
    found = {
        str(path.relative_to(ROOT))
        for folder in PRODUCT
        for path in Path(ROOT, folder).rglob("*.py")
        if "migrations" not in path.parts and READS_IT.search(path.read_text())
    }

    assert found - DATES - SHOWS - CLOCKS == set()
    assert found >= DATES | SHOWS | CLOCKS
