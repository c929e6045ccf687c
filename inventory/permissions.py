"""Who may move stock: members of the staff who have the permission for it."""

from __future__ import annotations

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

RESTOCK = "inventory.restock_product"
SHIP = "inventory.ship_reservation"


class StaffWith(BasePermission):
    """A user of the admin with the permission that the view names in `permission`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Tell, and have a refusal name what is missing."""
        permission = view.permission  # type: ignore[attr-defined]
        self.message = f"You lack the permission {permission}, which the admin can give you."
        user = request.user
        return bool(user and user.is_active and user.is_staff and user.has_perm(permission))
