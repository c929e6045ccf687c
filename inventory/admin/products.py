"""The catalogue, as an operator keeps it."""

from __future__ import annotations

import uuid
from typing import Any

from bson import ObjectId
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from inventory.admin.movements import table
from inventory.admin.price_field import CurrencyField, PriceField, check_price
from inventory.admin.units_field import UnitsField
from inventory.catalogue import new_product, offered, withdrawn
from inventory.models import Movement, Product
from inventory.permissions import RESTOCK
from inventory.refusals import KeyReused, Refusal
from inventory.restocking import Delivery, add_products, deliver
from inventory.stock_requests import MAX_QUANTITY
from runtime import form_id
from runtime.moment import exact
from runtime.money.amounts import in_words
from runtime.money.price import Price

MOVEMENTS_SHOWN = 20

REOPEN = "Open the product again to restock another delivery."


class ProductForm(forms.ModelForm):
    """A product's own fields, and a delivery of it."""

    restock = UnitsField(
        min_value=1,
        max_value=MAX_QUANTITY,
        required=False,
        label="Restock by",
        help_text="New units, added when you save. Rejected orders stay rejected.",
    )
    #: A form that is sent twice, as by a double click, restocks once.
    delivery = form_id.field()

    class Meta:
        model = Product
        fields = ["sku", "name", "price", "currency", "available"]
        field_classes = {"price": PriceField, "currency": CurrencyField, "available": UnitsField}

    def clean_currency(self) -> str:
        return self.cleaned_data["currency"] or self.instance.currency

    def clean(self) -> dict[str, Any]:
        """Compare the amount and the currency that will be stored, of which others may set one."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        changed = {"price", "currency"}.intersection(self.changed_data)
        amount, currency = (
            cleaned.get(name) if name in changed else getattr(self.instance, name)
            for name in ("price", "currency")
        )
        if changed and amount is not None and currency is not None:
            try:
                check_price(amount, currency)
            except ValidationError as error:
                self.add_error("price", error)
        return cleaned


class ProductAdmin(admin.ModelAdmin):
    """Stock is set when a product is added; afterwards orders and deliveries move it."""

    form = ProductForm
    list_display = ["sku", "name", "amount", "available", "reserved", "shipped"]
    list_display += ["withdrawn_at"]
    readonly_fields = ["reserved", "shipped", "withdrawn_at", "movements"]
    search_fields = ["sku", "name"]
    actions = ["withdraw_selected", "offer_selected"]
    show_full_result_count = False

    def get_fieldsets(self, request: HttpRequest, obj: Product | None = None) -> Any:
        """The stock is below the product; a new one has none that could be restocked."""
        product = ["sku", "name", "price", "currency"]
        if obj is None:
            return [(None, {"fields": product}), ("Stock", {"fields": ["available"]})]
        may_restock = ["restock", "delivery"] if _may_restock(request) else []
        quantities = ["available", "reserved", "shipped"]
        return [
            (None, {"fields": [*product, "withdrawn_at"]}),
            ("Stock", {"fields": [*quantities, *may_restock, "movements"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Product | None = None) -> list[str]:
        """A SKU that orders know stays what it is; who may only restock changes nothing else."""
        fixed = ["sku", "available"] if obj else []
        others = ["name", "price", "currency"]
        may_change = obj is None or super().has_change_permission(request, obj)
        return [*fixed, *([] if may_change else others), *self.readonly_fields]

    def has_change_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        """Who may restock gets the form, too, for its field to restock."""
        return super().has_change_permission(request, obj) or _may_restock(request)

    def save_model(self, request: HttpRequest, obj: Product, form: Any, change: bool) -> None:
        """Add a product with its stock; changes of one are written by the site."""
        self._add(request, obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Book what came in, too."""
        super().save_related(request, form, formsets, change)
        # A form field that is not shown may be sent anyway.
        if change and form.cleaned_data.get("restock") and _may_restock(request):
            self._restock(request, form.instance.sku, **form.cleaned_data)

    def has_delete_permission(self, request: HttpRequest, obj: Product | None = None) -> bool:
        """Reservations and orders under way refer to it."""
        return False

    def has_change_product_permission(self, request: HttpRequest) -> bool:
        """Whether this user may do more than restock."""
        return super().has_change_permission(request)

    @admin.action(description="Withdraw the selected products", permissions=["change_product"])
    def withdraw_selected(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        """Stop selling them; those that were withdrawn before keep their date."""
        changed = queryset.filter(withdrawn_at=None).update(**withdrawn())
        self.message_user(request, f"Withdrawn: {changed}.", messages.SUCCESS)

    @admin.action(description="Offer the selected products again", permissions=["change_product"])
    def offer_selected(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        """Sell those again that were withdrawn."""
        changed = queryset.exclude(withdrawn_at=None).update(**offered())
        self.message_user(request, f"Offered again: {changed}.", messages.SUCCESS)

    @admin.display(description="price", ordering="price")
    def amount(self, product: Product) -> str:
        return in_words(product.price, product.currency)

    @admin.display(description="latest movements")
    def movements(self, product: Product) -> SafeString:
        """The newest ones, and the way to all."""
        latest = Movement.objects.filter(sku=product.sku).order_by("-at", "-movement_id")
        every = f"{reverse('admin:inventory_movement_changelist')}?q={product.sku}"
        return format_html(
            '{}<a href="{}">All movements of {}</a>',
            table(latest[:MOVEMENTS_SHOWN]),
            every,
            product.sku,
        )

    def _add(self, request: HttpRequest, product: Product) -> None:
        product.pk = ObjectId()
        price = Price(product.price, product.currency)
        new = new_product(product.sku, product.name, price, product.available)
        if not add_products([{"_id": product.pk, **new}], request.user.get_username()):
            said = f"Nothing was added: someone else has just added {product.sku}."
            self.message_user(request, said, messages.ERROR)

    def _restock(
        self, request: HttpRequest, sku: str, *, restock: int, delivery: str, **_: object
    ) -> None:
        by, key = request.user.get_username(), delivery or str(uuid.uuid4())
        try:
            booked = deliver(sku, restock, key=key, by=by)
        except KeyReused as refusal:
            said = f"This form has restocked {refusal.quantity} units before. {REOPEN}"
            self.message_user(request, said, messages.ERROR)
        except Refusal as refusal:
            self.message_user(request, str(refusal.detail), messages.ERROR)
        else:
            self._say_restocked(request, booked)

    def _say_restocked(self, request: HttpRequest, booked: Delivery) -> None:
        product, movement = booked.product, booked.movement
        stock = f"of {product['sku']} {product['available']} units are available now"
        if not booked.is_repeated:
            self.message_user(request, f"Restocked: {stock}.", messages.SUCCESS)
            return
        said = (
            f"Not restocked again: {movement['by']} sent this form before, at "
            f"{exact(movement['at'])}, and its {movement['available']} units were "
            f"added then; {stock}. {REOPEN}"
        )
        self.message_user(request, said, messages.WARNING)


def _may_restock(request: HttpRequest) -> bool:
    return bool(request.user.has_perm(RESTOCK))
