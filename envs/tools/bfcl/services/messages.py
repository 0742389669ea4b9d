"""The messages of a workspace: users, who is logged in, and what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from acgym.envs.tools.bfcl.services.base import Service
from acgym.types import Json

_NOT_LOGGED_IN = {"error": "nobody is logged in"}


class Messages(Service):
    """The service ``MessageAPI``."""

    DEFAULTS = {  # noqa: RUF012  (declared ClassVar by the base)
        "generated_ids": [],
        "user_count": 4,
        "user_map": {"Alice": "USR001", "Bob": "USR002", "Catherine": "USR003", "Daniel": "USR004"},
        "inbox": [
            {"USR002": "My name is Alice. I want to connect."},
            {"USR003": "Could you upload the file?"},
            {"USR004": "Could you upload the file?"},
        ],
        "message_count": 3,
        "current_user": None,
    }

    def __init__(self, config: Mapping[str, Json], extension: Mapping[str, Json] | None = None) -> None:
        super().__init__(config, extension)
        self._random = Random(config.get("random_seed", 200191))
        self._fixed_ids = "generated_ids" in config
        if not self._fixed_ids:
            self.state["generated_ids"] = set()

    def list_users(self) -> Json:
        """List the names of all users."""
        return {"user_list": list(self.state["user_map"])}

    def get_user_id(self, user: str) -> Json:
        """Tell the id of a user."""
        if user not in self.state["user_map"]:
            return {"error": f"there is no user '{user}'"}
        return {"user_id": self.state["user_map"][user]}

    def message_login(self, user_id: str) -> Json:
        """Log a user in."""
        if user_id not in self.state["user_map"].values():
            return {"login_status": False, "message": f"there is no user id '{user_id}'"}
        self.state["current_user"] = user_id
        return {"login_status": True, "message": f"'{user_id}' is logged in"}

    def message_get_login_status(self) -> Json:
        """Tell whether somebody is logged in."""
        return {"login_status": bool(self.state["current_user"])}

    def send_message(self, receiver_id: str, message: str) -> Json:
        """Send a message."""
        if not self.state["current_user"]:
            return _NOT_LOGGED_IN
        if receiver_id not in self.state["user_map"].values():
            return {"error": f"there is no receiver '{receiver_id}'"}
        given = self.state["generated_ids"]
        number = self._random.randint(10000, 99999)
        while number in given:
            number = self._random.randint(10000, 99999)
        given.add(number)  # a row that lists ids cannot send, as in the original
        self.state["inbox"].append({receiver_id: message})
        self.state["message_count"] += 1
        return {"sent_status": True, "message_id": {"new_id": number}, "message": f"sent to '{receiver_id}'"}

    def delete_message(self, receiver_id: str) -> Json:
        """Delete the latest message to a receiver."""
        if not self.state["current_user"]:
            return _NOT_LOGGED_IN
        inbox = self.state["inbox"]
        for message in reversed(inbox):
            if next(iter(message)) == receiver_id:
                inbox.remove(message)  # the first of several equal messages
                text = f"the latest message to {receiver_id} is deleted"
                return {"deleted_status": True, "receiver_id": receiver_id, "message": text}
        return {"error": f"there is no message to {receiver_id}"}

    def view_messages_sent(self) -> Json:
        """Show what was sent, by receiver."""
        if not self.state["current_user"]:
            return _NOT_LOGGED_IN
        sent: dict[str, list[str]] = {}
        for receiver, text in self._messages():
            sent.setdefault(receiver, []).append(text)
        return {"messages": sent}

    def add_contact(self, user_name: str) -> Json:
        """Add a user; the next id is counted up even if it is taken."""
        users = self.state["user_map"]
        if user_name in users:
            return {"error": f"there is a user '{user_name}' already"}
        self.state["user_count"] += 1
        user_id = f"USR{self.state['user_count']:0>3}"
        if user_id in users.values():
            return {"error": f"the id '{user_id}' is taken"}
        users[user_name] = user_id
        return {"added_status": True, "user_id": user_id, "message": f"'{user_name}' is added"}

    def search_messages(self, keyword: str) -> Json:
        """Find messages that contain a text, in any case."""
        if not self.state["current_user"]:
            return _NOT_LOGGED_IN
        word = keyword.lower()
        found = [{"receiver_id": who, "message": text} for who, text in self._messages() if word in text.lower()]
        return {"results": found}

    def get_message_stats(self) -> Json:
        """Count messages and their receivers."""
        if not self.state["current_user"]:
            return _NOT_LOGGED_IN
        receivers = [who for who, _ in self._messages()]
        return {"stats": {"received_count": len(receivers), "total_contacts": len(set(receivers))}}

    def _messages(self) -> list[tuple[str, str]]:
        return [next(iter(message.items())) for message in self.state["inbox"]]
