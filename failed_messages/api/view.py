"""What the views of the desk's API have in common: for staff, with permissions of their own."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import BasicAuthentication, SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from failed_messages.records.permissions import REPLAY, VIEW, lacks, may


class MayUseDesk(BasePermission):
    """Staff with the permission of what they ask for."""

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        if not (user and user.is_authenticated and user.is_staff):
            self.message = "The desk is for staff: log in to the admin, or authenticate."
            return False
        needed = view.permission_for(request)
        self.message = lacks(needed)
        return may(user, needed)


class DeskView(APIView):
    """A view of the desk; `acts_need` is the permission of any method but GET."""

    authentication_classes = [BasicAuthentication, SessionAuthentication]
    permission_classes = [MayUseDesk]
    acts_need = REPLAY

    def permission_for(self, request: Request) -> str:
        safe = request.method in ("GET", "HEAD", "OPTIONS")
        return VIEW if safe else self.needed_to_act()

    def needed_to_act(self) -> str:
        return self.acts_need

    def by(self) -> str:
        return str(self.request.user.get_username())
