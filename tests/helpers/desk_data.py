"""A small shop and a small airline in tau2's schema, written by hand."""

from __future__ import annotations

import gzip
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

HOME = {"address1": "1 Low Road", "address2": "", "city": "Hull", "state": "NY", "country": "USA", "zip": "10001"}


def _variant(item: str, colour: str, price: float, available: bool = True) -> dict[str, Any]:
    return {"item_id": item, "options": {"colour": colour}, "available": available, "price": price}


def _item(item: str, colour: str, price: float) -> dict[str, Any]:
    return {"name": "Cup", "product_id": "P1", "item_id": item, "price": price, "options": {"colour": colour}}


def _order(number: str, status: str, items: list[dict[str, Any]], paid_by: str) -> dict[str, Any]:
    paid = {"transaction_type": "payment", "amount": sum(i["price"] for i in items), "payment_method_id": paid_by}
    return {"order_id": number, "user_id": "ada_1", "address": HOME, "items": items, "status": status,
            "fulfillments": [], "payment_history": [paid]}  # fmt: skip


RETAIL = {
    "products": {
        "P1": {"name": "Cup", "product_id": "P1", "variants": {
            "1": _variant("1", "red", 10.0), "2": _variant("2", "blue", 12.5), "3": _variant("3", "green", 8.0),
            "4": _variant("4", "black", 9.0, available=False)}},
    },
    "users": {
        "ada_1": {"user_id": "ada_1", "name": {"first_name": "Ada", "last_name": "Byron"}, "address": HOME,
                  "email": "ada@example.com", "orders": ["#W1", "#W2"], "payment_methods": {
                      "gift_card_1": {"source": "gift_card", "id": "gift_card_1", "balance": 2.0},
                      "paypal_1": {"source": "paypal", "id": "paypal_1"}}},
    },
    "orders": {
        "#W1": _order("#W1", "pending", [_item("1", "red", 10.0), _item("2", "blue", 12.5)], "gift_card_1"),
        "#W2": _order("#W2", "delivered", [_item("1", "red", 10.0)], "paypal_1"),
    },
}  # fmt: skip


def _flight(number: str, origin: str, destination: str, leaves: str, lands: str, status: str = "available") -> Any:
    day: dict[str, Any] = {"status": status}
    if status == "available":
        seats = {"basic_economy": 0, "economy": 3, "business": 1}
        day |= {"available_seats": seats, "prices": {"basic_economy": 50, "economy": 100, "business": 300}}
    return {"flight_number": number, "origin": origin, "destination": destination, "dates": {"2024-05-20": day},
            "scheduled_departure_time_est": leaves, "scheduled_arrival_time_est": lands}  # fmt: skip


PERSON = {"first_name": "Ada", "last_name": "Byron", "dob": "1985-12-10"}
AIRLINE = {
    "flights": {
        "HAT1": _flight("HAT1", "JFK", "ORD", "06:00:00", "08:00:00"),
        "HAT2": _flight("HAT2", "ORD", "SFO", "09:00:00", "13:00:00"),
        "HAT3": _flight("HAT3", "JFK", "SFO", "07:00:00", "13:00:00", "delayed"),
    },
    "users": {
        "ada_1": {"user_id": "ada_1", "name": {"first_name": "Ada", "last_name": "Byron"}, "address": HOME,
                  "email": "ada@example.com", "dob": "1985-12-10", "saved_passengers": [], "membership": "gold",
                  "reservations": ["R1"], "payment_methods": {
                      "certificate_1": {"source": "certificate", "id": "certificate_1", "amount": 100},
                      "gift_card_1": {"source": "gift_card", "id": "gift_card_1", "amount": 260},
                      "credit_card_1": {"source": "credit_card", "id": "credit_card_1", "brand": "visa",
                                        "last_four": "1111"}}},
    },
    "reservations": {
        "R1": {"reservation_id": "R1", "user_id": "ada_1", "origin": "JFK", "destination": "ORD",
               "flight_type": "one_way", "cabin": "economy", "passengers": [PERSON], "insurance": "no",
               "flights": [{"origin": "JFK", "destination": "ORD", "flight_number": "HAT1", "date": "2024-05-20",
                            "price": 90}],
               "payment_history": [{"payment_id": "credit_card_1", "amount": 90}], "created_at": "2024-05-01T00:00:00",
               "total_baggages": 0, "nonfree_baggages": 0},
    },
}  # fmt: skip


def task(name: str, wants: str, *actions: tuple[str, dict[str, Any]], said: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a task as the data has it."""
    told = {"domain": "d", "reason_for_call": wants, "known_info": "You are Ada.", "unknown_info": None,
            "task_instructions": "."}  # fmt: skip
    made = [{"action_id": f"{name}_{i}", "name": one, "arguments": held} for i, (one, held) in enumerate(actions)]
    return {"id": name, "description": {}, "user_scenario": {"persona": None, "instructions": told},
            "initial_state": None, "evaluation_criteria": {"actions": made, "communicate_info": list(said),
                                                           "nl_assertions": None}}  # fmt: skip


CANCEL = ("cancel_pending_order", {"order_id": "#W1", "reason": "no longer needed"})
RETAIL_TASKS = [
    task("0", "You want to cancel #W1.", ("get_order_details", {"order_id": "#W1"}), CANCEL),
    task("1", "You want to know what all cups cost together.", said=("1022.5", "cup")),
    task("2", "You want to cancel #W1, but if the agent asks you to confirm, you keep it."),
    task("3", "You want #W2 cancelled although it was delivered."),
]
AIRLINE_TASKS = [
    task("0", "You want to cancel R1.", ("cancel_reservation", {"reservation_id": "R1"})),
    task("1", "You want 100 dollars.", ("send_certificate", {"user_id": "ada_1", "amount": 100})),
]


def desk_files(folder: Path, domain: str, **changes: Any) -> Path:
    """Write a domain's files, some of them changed: ``tasks``, ``db``, ``split_tasks``."""
    tables, tasks = (RETAIL, RETAIL_TASKS) if domain == "retail" else (AIRLINE, AIRLINE_TASKS)
    home = folder / domain
    home.mkdir(parents=True, exist_ok=True)
    held = {"tasks": tasks, "split_tasks": {"base": [one["id"] for one in changes.get("tasks", tasks)]}, **changes}
    (home / "policy.txt").write_text("# Policy\nBe kind.\n", "utf-8")
    with gzip.open(home / "db.json.gz", "wt", encoding="utf-8") as file:
        json.dump(deepcopy(changes.get("db", tables)), file)
    for name in ("tasks", "split_tasks"):
        (home / f"{name}.json").write_text(json.dumps(held[name]), "utf-8")
    return folder
