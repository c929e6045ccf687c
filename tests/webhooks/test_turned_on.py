"""One setting makes webhooks a service like the others; without it nothing of it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from localservices.pipeline import ROOT, procfile
from messaging.handling.handlers import known_types
from messaging.service import answering, services
from messaging.topology import queues
from messaging.trust.users import processes

WHAT_THERE_IS = """
import django, json
django.setup()
from django.core.checks import run_checks
from localservices.pipeline import procfile
from messaging.handling.handlers import known_types
from messaging.service import answering, awaited_of, events, services
from messaging.topology import bindings, queues
from messaging.trust.users import processes
from ordersite.rights import mongodb_rights, rabbitmq_rights
print(json.dumps({
    "errors": [str(each) for each in run_checks()],
    "services": [*services()],
    "answering": [each.name for each in answering()],
    "types": sorted(known_types("webhooks")),
    "awaited": sorted(on.type for on in awaited_of(services()["webhooks"])),
    "others": sorted(type for type, event in events().items() if type != "webhooks.noted"),
    "queues": [each.name for each in queues()],
    "bound": sorted(each.source.name for each in bindings() if each.destination.name == "webhooks"),
    "commands": procfile(),
    "writes": rabbitmq_rights.of_processes()["webhooks"].write,
    "changes": sorted(
        name
        for name, actions in mongodb_rights.of_processes()["webhooks"].collections.items()
        if "update" in actions
    ),
    "users": [*processes()],
    "deliverer": {
        name: sorted(actions)
        for name, actions in mongodb_rights.of_processes()["deliverer"].collections.items()
    },
    "deliverer on RabbitMQ": [
        getattr(rabbitmq_rights.of_processes()["deliverer"], each)
        for each in ("configure", "write", "read")
    ],
}))
"""


@pytest.mark.usefixtures("programs")
def test_turned_on_it_is_a_service_like_the_others() -> None:
    found = there_is(WEBHOOKS="true")

    assert found["errors"] == []
    assert found["services"] == [*services(), "webhooks"]
    assert found["answering"] == ["inventory", "billing", "webhooks"]
    assert found["types"] == found["others"], "it hears every type that another service publishes"
    assert found["awaited"] == found["others"], "and an order awaits that it does"
    assert found["bound"] == [
        *("billing_events", "by_name", "inventory_events"),
        *("order_events", "order_events.topic"),
    ]
    assert {"webhooks", "webhooks.dlq"} <= {*found["queues"]}
    assert found["commands"]["deliverer"] == "python manage.py deliverer"
    assert "-Q webhooks" in found["commands"]["webhooks"]
    assert found["writes"] == "^(by_name|dead_letters|webhooks_events)$"
    assert found["changes"] == [
        *("begun_runs", "processes", "retry_notes"),
        *("webhook_deliveries", "webhook_endpoints", "webhook_noted_orders"),
    ]
    assert "deliverer" in found["users"]
    assert found["deliverer"] == {
        "": ["listCollections"],
        "django_migrations": ["find"],
        "processes": ["find", "insert", "remove", "update"],
        "webhook_deliveries": ["find", "update"],
        "webhook_endpoints": ["find", "update"],
    }, "what reaches the internet knows of nothing else"
    assert found["deliverer on RabbitMQ"] == ["^$", "^$", "^$"]


def test_without_the_setting_nothing_of_it_runs() -> None:
    assert "webhooks" not in services()
    assert known_types("webhooks") == frozenset()
    assert not [each for each in queues() if each.name.startswith("webhooks")]
    assert "webhooks" not in [each.name for each in answering()]
    assert not {"webhooks", "deliverer"} & procfile().keys()
    assert "deliverer" not in processes()


def there_is(**settings: str) -> dict[str, Any]:
    """What a process with these settings has."""
    ran = subprocess.run(
        [sys.executable, "-c", WHAT_THERE_IS],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "ordersite.settings", **settings},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found
