"""The permissions of moving stock."""

from __future__ import annotations

RESTOCK = "inventory.restock_product"
SHIP = "inventory.ship_reservation"
