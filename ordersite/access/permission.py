"""Whether a caller may do what a view does: by the scope that the view declares for the method."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from ordersite.access.scopes import SCOPES
from runtime.requests.caller import Caller, OutOfScope, Unauthenticated, unknown


class HasScope(BasePermission):
    """The permission class of every view; a view without scopes is closed.

    A view declares `scopes`: the scope of each of its methods, `{"GET": "orders:read"}`.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises Unauthenticated or OutOfScope, which name what is missing."""
        scope = scope_of(view, request.method or "")
        if not isinstance(request.auth, Caller):
            raise challenged(scope)
        if request.method == "OPTIONS" or request.method not in view.allowed_methods:
            # Reported what the view takes, or that it takes something else (405).
            return True
        if scope is None:
            return False
        if not request.auth.may(scope):
            raise challenged(scope) if request.auth.is_anyone else lacking(request, scope)
        return True


def scope_of(view: Any, method: str) -> str | None:
    """The scope that the view's method needs; None where it declares none."""
    declared: str | None = getattr(view, "scopes", {}).get("GET" if method == "HEAD" else method)
    return declared


def challenged(scope: str | None) -> Unauthenticated:
    """401; a route of the staff takes a login, too."""
    refusal = unknown(scope or "")
    if scope and not SCOPES[scope].is_customers:
        refusal.challenge += ', Basic realm="ordersite"'
    return refusal


def lacking(request: Request, scope: str) -> OutOfScope:
    """403; a user of the admin is told the permission."""
    if request.user and request.user.is_authenticated:
        permission = SCOPES[scope].permission
        needed = f"the permission {permission}" if permission else "to be a member of the staff"
        return OutOfScope(scope, f"You lack {needed}, which the admin can give you.")
    return OutOfScope(scope)
