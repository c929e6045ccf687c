"""The names of products, as links to their pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from inventory.reserving import products
from messaging import product_names


def register() -> None:
    """Called once, at start-up."""
    product_names.register(names)


def names(skus: Collection[str]) -> Mapping[str, SafeString]:
    found = products().find({"sku": {"$in": [*skus]}}, {"sku": True, "name": True})
    return {each["sku"]: link(each) for each in found}


def link(product: Mapping[str, object]) -> SafeString:
    url = reverse("admin:inventory_product_change", args=[str(product["_id"])])
    return format_html('<a href="{}">{}</a>', url, product.get("name") or product["sku"])
