"""The support tickets of a company: a queue, and who is logged in."""

from __future__ import annotations

from typing import Any

from acgym.envs.tools.bfcl.services.base import Service
from acgym.types import Json

_FIELDS = ("title", "description", "status", "priority")


class Tickets(Service):
    """The service ``TicketAPI``."""

    DEFAULTS = {"ticket_queue": [], "ticket_counter": 1, "current_user": None}  # noqa: RUF012

    def create_ticket(self, title: str, description: str = "", priority: int = 1) -> Json:
        """Open a ticket."""
        if not self.state["current_user"]:
            return {"error": "log in to create a ticket"}
        if priority < 1 or priority > 5:
            return {"error": "the priority must be from 1 to 5"}
        ticket = {
            "id": self.state["ticket_counter"],
            "title": title,
            "description": description,
            "status": "Open",
            "priority": priority,
            "created_by": self.state["current_user"],
        }
        self.state["ticket_queue"].append(ticket)
        self.state["ticket_counter"] += 1
        return ticket

    def _find(self, ticket_id: int) -> dict[str, Any] | None:
        return next((ticket for ticket in self.state["ticket_queue"] if ticket["id"] == ticket_id), None)

    def get_ticket(self, ticket_id: int) -> Json:
        """Show a ticket."""
        return self._find(ticket_id) or _unknown(ticket_id)

    def close_ticket(self, ticket_id: int) -> Json:
        """Close a ticket."""
        ticket = self._find(ticket_id)
        if not ticket:
            return _unknown(ticket_id)
        if ticket["status"] == "Closed":
            return {"error": f"ticket {ticket_id} is closed already"}
        ticket["status"] = "Closed"
        return {"status": f"ticket {ticket_id} is closed"}

    def resolve_ticket(self, ticket_id: int, resolution: str) -> Json:
        """Resolve a ticket."""
        ticket = self._find(ticket_id)
        if not ticket:
            return _unknown(ticket_id)
        if ticket["status"] == "Resolved":
            return {"error": f"ticket {ticket_id} is resolved already"}
        ticket["status"] = "Resolved"
        ticket["resolution"] = resolution
        return {"status": f"ticket {ticket_id} is resolved"}

    def edit_ticket(self, ticket_id: int, updates: dict[str, Json]) -> Json:
        """Change fields of a ticket; a null changes nothing."""
        ticket = self._find(ticket_id)
        if not ticket:
            return _unknown(ticket_id)
        unknown = sorted(set(updates.keys()) - set(_FIELDS))
        if unknown:
            return {"error": f"a ticket has no fields {', '.join(unknown)}"}
        ticket.update({name: value for name, value in updates.items() if value is not None})
        return {"status": f"ticket {ticket_id} is changed"}

    def ticket_login(self, username: str, password: str) -> Json:
        """Log in; any name with any password will do."""
        if not username or not password:
            return {"success": False}
        self.state["current_user"] = username
        return {"success": True}

    def ticket_get_login_status(self) -> Json:
        """Tell whether somebody is logged in."""
        return {"login_status": bool(self.state["current_user"])}

    def logout(self) -> Json:
        """Log out."""
        was = bool(self.state["current_user"])
        if was:
            self.state["current_user"] = None
        return {"success": was}

    def get_user_tickets(self, status: str | None = None) -> Json:
        """List the tickets of the user who is logged in, of one status if it is named."""
        if not self.state["current_user"]:
            return [{"error": "log in to view tickets"}]
        own = [ticket for ticket in self.state["ticket_queue"] if ticket["created_by"] == self.state["current_user"]]
        return [ticket for ticket in own if ticket["status"].lower() == status.lower()] if status else own


def _unknown(ticket_id: int) -> Json:
    return {"error": f"there is no ticket {ticket_id}"}
