"""Which parameters an address may have: those that its operation declares, and no other.

A parameter that nobody reads is a mistake that nobody sees: with `?userid=101` a client would get
the orders of all.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from runtime.requests import query_string


class NoParameters(Struct, frozen=True, forbid_unknown_fields=True):
    """What an operation takes that declares none."""


class KnownParameters(BasePermission):
    """Asked when it is known that the caller may, and before an Idempotency-Key is taken."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises Refusal: a parameter is there that the operation does not have.

        An operation that has some reads them by its struct, which refuses others together with all
        that is wrong.
        """
        method = "GET" if request.method == "HEAD" else request.method
        operation = getattr(view, "operations", {}).get(method)
        if operation is not None and operation.query is None:
            parameters = query_string.parameters(request)
            query_string.read(parameters, NoParameters, query_string.TITLE, {})
        return True
