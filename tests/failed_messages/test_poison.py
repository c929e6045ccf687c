"""Every odd envelope at the desk: admin, API and terminal show it, and it is replayed."""

from __future__ import annotations

import os
from io import StringIO

import pytest
from django.core.management import call_command
from kombu import Connection

from drills.traffic.poison import BODIES, KINDS
from failed_messages.acting.replay import replay
from failed_messages.models import FailedMessage
from messaging.errors import InvalidMessage
from messaging.handling.dead_letters import dead_letter
from messaging.incoming import delivery_of, take_raw
from messaging.service import services
from tests import broker
from tests.failed_messages.letters import archive_next
from tests.failed_messages.staff import staff

#: Bodies are kept as they are, whatever they are.
ENVELOPES = {name: each for name, each in KINDS.items() if name not in BODIES}

LIST = "/admin/failed_messages/failedmessage/"


@pytest.mark.usefixtures("clean")
def test_all_of_it_is_shown_and_replayed() -> None:
    records = {record.pk: record for record in archived()}
    client = staff()
    for page in (f"{LIST}?status=all", "/admin/failed_messages/failuregroup/", "/failed-messages"):
        assert client.get(page).status_code == 200
    for id_, record in records.items():
        for page in (f"{LIST}{id_}/change/", f"/failed-messages/{id_}"):
            assert client.get(page).status_code == 200, record.message_id
        said = StringIO()
        call_command("failed_messages", "show", str(id_), stdout=said)
        assert said.getvalue().encode()

    refused = [verdict for verdict in replay([*records], by="operator") if not verdict.done]

    assert refused == []
    assert broker.depth("billing") == len(records)


def archived() -> list[FailedMessage]:
    """All of it, as somebody published it to the dead letters, and as billing gave it up."""
    broker.publish_poison(ENVELOPES, exchange=b"dead_letters", routing_key=b"billing")
    records = archive_all()
    broker.publish_poison(ENVELOPES)
    give_up_all()
    return records + archive_all()


def archive_all() -> list[FailedMessage]:
    return [archive_next() for _ in range(broker.depth("billing.dlq"))]


def give_up_all() -> None:
    with Connection(os.environ["AMQP_URL"]) as connection, connection.channel() as channel:
        take_raw(channel)
        while raw := channel.basic_get("billing", no_ack=True):
            message = channel.message_to_python(raw)
            delivery = delivery_of(message, services()["billing"])
            dead_letter(delivery, message.body, InvalidMessage("poison"))
