"""OPTIONS tells at every address which methods it has. In memory."""

from __future__ import annotations

import pytest
from rest_framework.test import APIRequestFactory, force_authenticate

from ordersite.access.scopes import SCOPES
from ordersite.openapi.routes import Address, addresses
from runtime.requests.caller import Caller

CALLER = Caller("a test", "a test", frozenset(SCOPES))
DESCRIBED = [each for each in addresses() if each.operations]


@pytest.mark.parametrize("address", DESCRIBED, ids=lambda each: each.path)
def test_the_methods_are_told(address: Address) -> None:
    request = APIRequestFactory().options(address.path)
    force_authenticate(request, token=CALLER)

    response = address.callback(request, **dict.fromkeys(address.parts, "0" * 24))

    told = set(response["Allow"].split(", "))
    assert response.status_code in (200, 204)
    assert told - {"HEAD", "OPTIONS"} == set(address.methods)
    assert ("HEAD" in told) == ("GET" in told)
