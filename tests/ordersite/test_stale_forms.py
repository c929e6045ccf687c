"""Two people have one record's form open in the admin: nobody undoes what the other one did."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from bson import Decimal128
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from inventory.models import Product
from inventory.reserving import products
from ordersite.simulated_faults.models import SimulatedFault
from tests.browser_form import BrowserForm
from tests.concurrency import at_once
from tests.inventory.catalogue import stocked
from tests.polling import eventually

pytestmark = pytest.mark.usefixtures("clean")


def person(name: str) -> Client:
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser(name, password="x"))
    return client


@pytest.fixture
def anna() -> Client:
    return person("anna")


@pytest.fixture
def ben() -> Client:
    return person("ben")


def page_of(record: Any) -> str:
    meta = record._meta
    return f"/admin/{meta.app_label}/{meta.model_name}/{record.pk}/change/"


def opened(client: Client, record: Any) -> BrowserForm:
    """The record's form, as it is when somebody opens it.

    Who gets the page that MongoDB does not answer, as on a busy disk for a moment, opens it again.
    """
    form_id = f"{record._meta.model_name}_form"
    form: BrowserForm = eventually(
        lambda: BrowserForm(client.get(page_of(record)).content.decode(), form_id)
    )
    return form


def save(client: Client, record: Any, form: dict[str, Any]) -> str:
    """The page after a click on Save."""
    return client.post(page_of(record), form, follow=True).content.decode()


def pen() -> Product:
    return Product.objects.get(sku="pen")


def test_correcting_a_name_does_not_put_an_old_price_back(anna: Client, ben: Client) -> None:
    stocked(pen=1)
    bens = opened(ben, pen())
    save(anna, pen(), opened(anna, pen()).sent(price="77.00"))

    said = save(ben, pen(), bens.sent(name="Better pen"))

    assert (pen().name, pen().price) == ("Better pen", Decimal("77.00"))
    assert "Price: Changed to &quot;77.00&quot; (by anna, 20" in said


def test_a_field_that_both_changed_is_asked_about_first(anna: Client, ben: Client) -> None:
    stocked(pen=1)
    bens = opened(ben, pen())
    save(anna, pen(), opened(anna, pen()).sent(price="77.00"))

    asked = save(ben, pen(), bens.sent(name="Better pen", price="88.00"))

    assert "Changed to &quot;77.00&quot; (by anna, 20" in asked
    assert "Nothing is saved yet" in asked
    assert (pen().name, pen().price) == ("Pen", Decimal("77.00"))
    confirmed = BrowserForm(asked, "product_form")
    assert confirmed.fields["price"] == ["88.00"]

    save(ben, pen(), confirmed.sent())

    assert (pen().name, pen().price) == ("Better pen", Decimal("88.00"))


def test_of_many_who_change_one_price_at_one_moment_one_does() -> None:
    stocked(pen=1)
    people = [person(f"person {number}") for number in range(6)]
    forms = [opened(each, pen()) for each in people]

    pages = at_once(
        [
            partial(save, each, pen(), form.sent(price=f"{number + 20}.00"))
            for number, (each, form) in enumerate(zip(people, forms, strict=True))
        ]
    )

    assert sum("was changed successfully" in page for page in pages) == 1
    assert sum("Nothing is saved yet" in page for page in pages) == 5


def test_what_nobody_else_changed_is_saved_without_a_word(anna: Client) -> None:
    stocked(pen=1)

    said = save(anna, pen(), opened(anna, pen()).sent(price="2.00"))

    assert "while your form was open" not in said
    assert (pen().name, pen().price) == ("Pen", Decimal("2.00"))


def test_both_change_the_same_field_to_the_same(anna: Client, ben: Client) -> None:
    stocked(pen=1)
    bens = opened(ben, pen())
    save(anna, pen(), opened(anna, pen()).sent(price="77.00"))

    said = save(ben, pen(), bens.sent(price="77.00"))

    assert "Nothing is saved yet" not in said
    assert pen().price == Decimal("77.00")


def test_another_mistake_does_not_lose_what_was_typed(anna: Client, ben: Client) -> None:
    stocked(pen=1)
    bens = opened(ben, pen())
    save(anna, pen(), opened(anna, pen()).sent(price="77.00"))

    asked = BrowserForm(save(ben, pen(), bens.sent(name="")), "product_form")
    said = save(ben, pen(), asked.sent(name="Better pen"))

    assert "was changed successfully" in said
    assert (pen().name, pen().price) == ("Better pen", Decimal("77.00"))


def test_a_program_without_shown_values_writes_what_it_sends(anna: Client) -> None:
    stocked(pen=1)

    save(anna, pen(), {"name": "Pen", "price": "3.00"})

    assert pen().price == Decimal("3.00")


def test_a_simulated_fault_keeps_a_colleagues_kind(anna: Client, ben: Client) -> None:
    fault = SimulatedFault.objects.create(service="billing", user_id=7, kind="error")
    bens = opened(ben, fault)
    save(anna, fault, opened(anna, fault).sent(kind="crash"))

    said = save(ben, fault, bens.sent(user_id="8"))

    fault.refresh_from_db()
    assert (fault.user_id, fault.kind) == (8, "crash")
    assert "Kind: Changed to &quot;crash: every attempt kills its worker process&quot;" in said


def test_a_fault_that_two_plant_at_one_moment_is_one_and_no_error() -> None:
    people = [person(f"person {number}") for number in range(4)]
    form = {"service": "billing", "user_id": "7", "kind": "error"}
    address = "/admin/simulated_faults/simulatedfault/add/"

    answers = at_once([partial(each.post, address, form) for each in people])

    assert SimulatedFault.objects.count() == 1
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 302]


def test_a_user_whom_a_colleague_locked_out_stays_so(anna: Client, ben: Client) -> None:
    carl = User.objects.create_user("carl", password="x", is_staff=True, first_name="Carl")
    bens = opened(ben, carl)
    save(anna, carl, {k: v for k, v in opened(anna, carl).sent().items() if k != "is_active"})
    assert not User.objects.get(username="carl").is_active

    said = save(ben, carl, bens.sent(first_name="Karl"))

    carl.refresh_from_db()
    assert (carl.first_name, carl.is_active) == ("Karl", False)
    assert "Active: Changed to &quot;False&quot; (by anna, 20" in said


@pytest.mark.parametrize("before", [[], ["view_product"]], ids=["none before", "one before"])
def test_permissions_that_a_colleague_gave_or_took_stay_so(
    anna: Client, ben: Client, before: list[str]
) -> None:
    given = Permission.objects.get(codename="restock_product")
    carl = User.objects.create_user("carl", password="x", is_staff=True)
    carl.user_permissions.set(Permission.objects.filter(codename__in=before))
    bens = opened(ben, carl)
    anns = opened(anna, carl).sent(user_permissions=[str(given.pk)])
    save(anna, carl, anns)
    assert carl.user_permissions.get() == given

    said = save(ben, carl, bens.sent(last_name="Case"))

    assert carl.user_permissions.get() == given
    assert User.objects.get(username="carl").last_name == "Case"
    assert "User permissions: Changed to" in said


def test_permissions_that_both_changed_are_asked_about_first(anna: Client, ben: Client) -> None:
    one, other = Permission.objects.filter(
        codename__in=["restock_product", "ship_reservation"]
    ).order_by("codename")
    carl = User.objects.create_user("carl", password="x", is_staff=True)
    bens = opened(ben, carl)
    save(anna, carl, opened(anna, carl).sent(user_permissions=[str(one.pk)]))

    asked = save(ben, carl, bens.sent(user_permissions=[str(other.pk)]))

    assert "Nothing is saved yet" in asked
    assert carl.user_permissions.get() == one
    save(ben, carl, BrowserForm(asked, "user_form").sent())
    assert carl.user_permissions.get() == other


def test_a_password_that_was_changed_meanwhile_stays_so(anna: Client, ben: Client) -> None:
    carl = User.objects.create_user("carl", password="old", is_staff=True)
    bens = opened(ben, carl)
    new = {"password1": "a-New-One-77", "password2": "a-New-One-77", "usable_password": "true"}
    anna.post(f"/admin/auth/user/{carl.pk}/password/", new)

    save(ben, carl, bens.sent(first_name="Karl"))

    assert User.objects.get(username="carl").check_password("a-New-One-77")


def test_a_group_of_users_keeps_a_colleagues_name(anna: Client, ben: Client) -> None:
    group = Group.objects.create(name="warehouse")
    bens = opened(ben, group)
    save(anna, group, opened(anna, group).sent(name="warehouses"))
    given = Permission.objects.get(codename="ship_reservation")

    said = save(ben, group, bens.sent(permissions=[str(given.pk)]))

    group.refresh_from_db()
    assert (group.name, group.permissions.get()) == ("warehouses", given)
    assert "Name: Changed to &quot;warehouses&quot; (by anna, 20" in said


@pytest.mark.parametrize(
    ("field", "value", "new"),
    [
        *(("price", wrong, "77.00") for wrong in ("12.50", 9.95, Decimal128("NaN"))),
        ("name", 7, "Better pen"),
        ("name", None, "Better pen"),
    ],
    ids=str,
)
def test_a_value_that_cannot_be_read_is_corrected(
    anna: Client, field: str, value: Any, new: str
) -> None:
    """As another program, or an earlier release, wrote it."""
    stocked(pen=1)
    products().update_one({"sku": "pen"}, {"$set": {field: value}})

    sent = opened(anna, pen()).sent(**{field: new})
    answer = anna.post(page_of(pen()), sent, follow=True)

    assert "was changed successfully" in answer.content.decode()
    assert str(getattr(pen(), field)) == new


def test_a_value_that_cannot_be_read_is_corrected_once(anna: Client, ben: Client) -> None:
    stocked(pen=1)
    products().update_one({"sku": "pen"}, {"$set": {"price": "12.50"}})
    bens = opened(ben, pen())
    save(anna, pen(), opened(anna, pen()).sent(price="77.00"))

    said = save(ben, pen(), bens.sent(price="66.00"))

    assert "Nothing is saved yet" in said
    assert pen().price == Decimal("77.00")
