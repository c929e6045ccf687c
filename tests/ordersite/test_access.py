"""Each process has a user of its own on RabbitMQ, which may do what it needs and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import amqp
import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings
from kombu import Connection

from messaging.trust.users import processes, user_of
from ordersite.broker import management_api
from ordersite.doctor import rights
from ordersite.rights import mongodb_rights, mongodb_users, rabbitmq_rights
from ordersite.rights.logins import Logins, with_login


def access(*arguments: str) -> tuple[int, str]:
    """The exit code, and what is said."""
    said = StringIO()
    try:
        call_command("access", *arguments, stdout=said)
    except CommandError as error:
        return error.returncode, str(error)
    except SystemExit as ended:
        return int(ended.code), said.getvalue()
    return 0, said.getvalue()


@pytest.fixture
def folder(tmp_path: Path, rabbitmq: object, private_mongodb: object) -> Iterator[Path]:
    """For the logins of users that no other test has; none is left afterwards."""
    with override_settings(MONGODB_DATABASE="access"):
        yield tmp_path / "logins"
        there = {each["name"] for each in management_api.get("users").content}
        for process in processes():
            if user_of(process) in there:
                management_api.delete("users", user_of(process))
        for user in [*mongodb_users.present(), *mongodb_users.leftovers()]:
            mongodb_users.admin().command("dropUser", user)
        mongodb_users.admin().command("dropAllRolesFromDatabase")


@pytest.fixture
def urls(folder: Path) -> dict[str, str]:
    """Each process's own AMQP_URL, by its kind."""
    assert access("apply", "--folder", str(folder))[0] == 0
    logins = Logins(folder)
    return {each: logins.read(user_of(each))["AMQP_URL"] for each in processes()}


def is_published(url: str, exchange: str, routing_key: str, user_id: str | None = None) -> bool:
    """Whether RabbitMQ takes it; nobody is bound for the routing keys here."""
    try:
        with Connection(url, transport_options={"confirm_publish": True}) as broker:
            message = amqp.Message(b"{}", **({"user_id": user_id} if user_id else {}))
            broker.channel().basic_publish(message, exchange=exchange, routing_key=routing_key)
    except (amqp.AccessRefused, amqp.PreconditionFailed):
        return False
    return True


def test_the_least_that_each_process_needs() -> None:
    declared = rabbitmq_rights.of_processes()

    assert set(declared) == set(processes())
    billing, relay = declared["billing"], declared["relay"]
    assert (billing.configure, billing.read) == ("^$", "^(billing)$")
    assert billing.write == "^(billing_events|by_name|dead_letters)$"
    assert relay.write == r"^(order_events|order_events\.topic)$"
    assert relay.topics["order_events.topic"].write == r"^(order\.confirmed)$"
    assert declared["orders"].write == "^(by_name|dead_letters)$"
    assert declared["web"].write == "^(by_name)$"
    assert re.fullmatch(declared["web"].read, "billing.retry.200ms")
    assert not re.fullmatch(declared["web"].read, "billing")
    assert declared["archiver"].write == "^$"
    assert re.fullmatch(declared["archiver"].read, "billing.dlq")
    assert not re.fullmatch(declared["archiver"].read, "billingxdlq")


def test_the_least_that_each_process_needs_in_mongodb() -> None:
    declared = {name: each.collections for name, each in mongodb_rights.of_processes().items()}

    writers = {
        collection: {name for name, may in declared.items() if "update" in may.get(collection, ())}
        for collection in ("orders", "invoices", "reservations", "failed_messages_audit")
    }
    assert writers == {
        "orders": {"web", "relay", "orders", "scheduler", "operator"},
        "invoices": {"billing", "operator"},
        "reservations": {"web", "inventory", "scheduler", "operator"},
        "failed_messages_audit": set(),
    }
    assert "insert" in declared["web"]["failed_messages_audit"]


def test_who_sends_to_other_hosts_can_let_nobody_in() -> None:
    """The scheduler's alerts and mails do."""
    declared = {name: each.collections for name, each in mongodb_rights.of_processes().items()}

    def may(action: str, collection: str) -> set[str]:
        return {name for name, rights in declared.items() if action in rights.get(collection, ())}

    for collection in ("auth_user", "auth_group", "auth_group_permissions", "auth_user_groups"):
        for action in ("find", "insert", "update"):
            assert may(action, collection) == {"web", "operator"}
    assert may("find", "django_session") == {"web", "operator"}
    assert may("insert", "api_keys") == {"web", "operator"}
    assert may("update", "staff_second_factors") == {"web", "operator"}
    # Its jobs erase a person's data, and delete logins that have expired.
    assert declared["scheduler"]["django_session"] == {"remove"}
    assert declared["scheduler"]["django_admin_log"] == {"find", "update"}


def test_what_a_service_at_rest_has_left_is_still_deleted_and_erased() -> None:
    """Webhooks are off in these tests."""
    assert "webhooks" not in mongodb_rights.of_processes()

    scheduler = mongodb_rights.of_processes()["scheduler"].collections
    for collection in ("webhook_endpoints", "webhook_deliveries", "webhook_noted_orders"):
        assert scheduler[collection] >= {"find", "update", "remove"}


@override_settings(EXTERNAL_PUBLISHERS=["shop:order.placed", "*:order.cancelled", "*:*"])
def test_an_external_publisher_publishes_and_nothing_else() -> None:
    shop = rabbitmq_rights.declared()["shop"]

    assert (shop.configure, shop.write, shop.read) == ("^$", "^(order_events)$", "^$")


def test_apply_makes_what_plan_names_and_then_nothing_is_left(folder: Path) -> None:
    code, said = access("plan")
    assert code == 1
    assert f"RabbitMQ's user {user_of('billing')}:\n  make the user" in said

    assert access("apply", "--folder", str(folder))[0] == 0

    assert access("plan") == (0, "Users and rights are as declared: nothing to do.\n")
    assert json.loads(access("plan", "--json")[1]) == {"RabbitMQ": {}, "MongoDB": {}}
    file = Logins(folder).file(user_of("billing"))
    assert file.stat().st_mode & 0o077 == 0
    before = file.read_text()
    assert access("apply", "--folder", str(folder))[0] == 0
    assert file.read_text() == before


def test_who_may_publish_where_and_in_whose_name(urls: dict[str, str]) -> None:
    taken = {
        process: {
            exchange
            for exchange in ("order_events", "billing_events", "inventory_events", "dead_letters")
            if is_published(url, exchange, "nobody")
        }
        for process, url in urls.items()
    }

    every = {"order_events", "billing_events", "inventory_events", "dead_letters"}
    assert taken == {
        "web": set(),
        "relay": {"order_events"},
        "inventory": {"inventory_events", "dead_letters"},
        "billing": {"billing_events", "dead_letters"},
        "orders": {"dead_letters"},
        "archiver": set(),
        "scheduler": {"billing_events", "inventory_events"},
        "operator": every,
    }
    relay, topic = urls["relay"], "order_events.topic"
    assert is_published(relay, topic, "order.confirmed", user_of("relay"))
    assert not is_published(relay, topic, "order.placed")
    assert not is_published(urls["billing"], "billing_events", "", user_of("relay"))


def test_who_may_read_and_declare(urls: dict[str, str]) -> None:
    for process, url in urls.items():
        for queue in ("billing", "billing.dlq"):
            may = process == "operator" or (process, queue) in {
                ("billing", "billing"),
                ("archiver", "billing.dlq"),
            }
            with Connection(url) as broker:
                if may:
                    broker.channel().basic_get(queue)
                    continue
                with pytest.raises(amqp.AccessRefused):
                    broker.channel().basic_get(queue)
        if process != "operator":
            with Connection(url) as broker, pytest.raises(amqp.AccessRefused):
                broker.channel().queue_declare("another", durable=True)


def test_the_doctor_tells_of_more_than_is_needed(urls: dict[str, str]) -> None:
    assert list(rights.of_rabbitmqs_users()) == []
    everything: dict[str, Any] = {"configure": ".*", "write": ".*", "read": ".*"}
    management_api.put(everything, "permissions", user_of("billing"))

    [finding] = rights.of_rabbitmqs_users()

    assert finding.subject == f"RabbitMQ's user {user_of('billing')}"
    assert "more than it needs (configure: .* -> ^$" in finding.problem
    code, said = access("plan")
    assert (code, "write: .* -> ^(billing_events" in said) == (1, True)


def test_the_doctor_tells_of_the_users_of_a_service_that_was_removed(urls: dict[str, str]) -> None:
    removed = user_of("shipping")
    management_api.put({"password": "shipping's", "tags": ""}, "users", removed)
    try:
        assert list(rights.of_rabbitmqs_users()) == []
        read = {"configure": "", "write": "", "read": "^shipping$"}
        management_api.put(read, "permissions", removed)
        mongodb_users.admin().command("createUser", removed, pwd="shipping's", roles=[])

        [of_rabbitmq], [of_mongodb] = rights.of_rabbitmqs_users(), rights.of_mongodbs_users()
    finally:
        management_api.delete("users", removed)

    assert of_rabbitmq.subject == f"RabbitMQ's user {removed}"
    assert of_rabbitmq.fix == f"rabbitmqctl delete_user {removed}"
    assert of_mongodb.subject == f"MongoDB's user {removed}"
    assert f'db.dropUser("{removed}")' in of_mongodb.fix


@pytest.mark.parametrize("by", ["grantRolesToUser", "grantRolesToRole"])
def test_more_than_is_needed_in_mongodb_is_told_and_taken_back(
    urls: dict[str, str], folder: Path, by: str
) -> None:
    billing = user_of("billing")
    mongodb_users.admin().command(by, billing, roles=["root"])

    code, said = access("plan")
    assert (code, f"MongoDB's user {billing}:\n  the role root of admin" in said) == (1, True)
    [found] = rights.of_mongodbs_users()
    assert "more than it needs" in found.problem

    assert access("apply", "--folder", str(folder))[0] == 0
    assert access("plan")[0] == 0


def test_a_password_is_renewed_and_the_old_one_refused(urls: dict[str, str], folder: Path) -> None:
    billing = user_of("billing")

    assert access("apply", "--folder", str(folder), "--renew", billing)[0] == 0

    with pytest.raises(amqp.AccessRefused):
        Connection(urls["billing"]).connect()
    Connection(Logins(folder).read(billing)["AMQP_URL"]).connect()


def test_it_says_what_it_lacks(urls: dict[str, str]) -> None:
    assert "--folder" in access("apply")[1]
    with override_settings(RABBITMQ_MANAGEMENT_URL=""):
        assert "export RABBITMQ_MANAGEMENT_URL=" in access("plan")[1]
    with override_settings(AMQP_URL=urls["operator"]):
        code, said = access("plan")
    assert (code, "administrator" in said) == (2, True)


def test_every_address_gets_the_login() -> None:
    url = "amqps://a:b@one:5671/shop?verify=verify_peer;amqps://two:5671/shop"

    assert with_login(url, "x y", "p/w") == (
        "amqps://x%20y:p%2Fw@one:5671/shop?verify=verify_peer;amqps://x%20y:p%2Fw@two:5671/shop"
    )
