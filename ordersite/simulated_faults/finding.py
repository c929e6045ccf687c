"""Which fault is simulated for a service and a user."""

from __future__ import annotations

from ordersite.simulated_faults.models import LARGEST_BSON_INTEGER, SimulatedFault

LARGEST_DIGITS = len(str(LARGEST_BSON_INTEGER))


def fault_of(service: str, user_id: str) -> SimulatedFault | None:
    """The fault, or None; `user_id` is whatever a message has there."""
    if not (user_id.isdecimal() and len(user_id) <= LARGEST_DIGITS):
        return None
    if (number := int(user_id)) > LARGEST_BSON_INTEGER:
        return None
    return SimulatedFault.objects.filter(service=service, user_id=number).first()
