"""The carrier's side of a task: customers, lines, plans, devices and bills, and what an agent may do with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from acgym.envs.tools.tau2_refused import Refused
from acgym.types import Json

TODAY = date(2025, 2, 25)
"""The day on which every task plays, as the policy says."""
MAX_GB = 1_000_000
"""Gigabytes that one call may add: any more, and sums would leave what a float holds."""
KEYS = {
    "customers": "customer_id",
    "lines": "line_id",
    "devices": "device_id",
    "bills": "bill_id",
    "plans": "plan_id",
}
"""Table of the data -> the field that names a row."""
_BY_LETTER = {"L": "lines", "D": "devices", "B": "bills", "C": "customers", "P": "plans"}


class Account:
    """The tables of ``db.toml``, changed by calls.

    Every public method is a tool of the agent, a step that sets a task up, or an assertion (``assert_...``). Dates are
    texts in ISO form, amounts of money US dollars, amounts of data gigabytes. A call that cannot be carried out raises
    :class:`Refused` and changes nothing.

    Args:
        tables: name of a table -> its rows, which are kept and changed.
    """

    def __init__(self, tables: Mapping[str, Json]) -> None:
        self.tables: dict[str, dict[str, dict[str, Any]]] = {
            name: {row[key]: row for row in tables[name]} for name, key in KEYS.items()
        }

    def row(self, table: str, key: str) -> dict[str, Any]:
        """Return a row of a table, to read or to change.

        Raises:
            Refused: if there is none.
        """
        found = self.tables[table].get(key)
        if found is None:
            raise Refused(f"there is no {table[:-1]} {key!r}")
        return found

    def line_of_number(self, phone_number: str) -> dict[str, Any]:
        """Return the line with a phone number; Refused if there is none."""
        for line in self.tables["lines"].values():
            if line["phone_number"] == phone_number:
                return line
        raise Refused(f"there is no line with the number {phone_number!r}")

    def customer_of_number(self, phone_number: str) -> dict[str, Any]:
        """Return the customer who is reached at a number or has a line with it; Refused if there is none."""
        lines = self.tables["lines"]
        for customer in self.tables["customers"].values():
            own = (lines[key]["phone_number"] for key in customer["line_ids"] if key in lines)
            if customer["phone_number"] == phone_number or phone_number in own:
                return customer
        raise Refused(f"there is no customer with the number {phone_number!r}")

    def bills_awaiting(self, customer: Mapping[str, Any]) -> list[dict[str, Any]]:
        """List a customer's bills that a payment was asked for."""
        bills = (self.row("bills", key) for key in customer["bill_ids"])
        return [bill for bill in bills if bill["status"] == "Awaiting Payment"]

    def _owned(self, customer_id: str, line_id: str) -> dict[str, Any]:
        if line_id not in self.row("customers", customer_id)["line_ids"]:
            raise Refused(f"customer {customer_id!r} has no line {line_id!r}")
        return self.row("lines", line_id)

    # What the agent may look up.

    def get_customer_by_phone(self, phone_number: str) -> Json:
        """Show a customer."""
        return self.customer_of_number(phone_number)

    def get_customer_by_id(self, customer_id: str) -> Json:
        """Show a customer."""
        return self.row("customers", customer_id)

    def get_customer_by_name(self, full_name: str, dob: str) -> Json:
        """List the customers of a name, in any case, born on a day."""
        return [
            customer
            for customer in self.tables["customers"].values()
            if customer["full_name"].lower() == full_name.lower() and customer["date_of_birth"] == dob
        ]

    def get_details_by_id(self, id: str) -> Json:
        """Show a row of any table; the first letter of an id says of which."""
        if id[:1] not in _BY_LETTER:
            raise Refused(f"an id begins with one of {', '.join(_BY_LETTER)}, got {id!r}")
        return self.row(_BY_LETTER[id[:1]], id)

    def get_bills_for_customer(self, customer_id: str, limit: int = 12) -> Json:
        """List a customer's bills, the newest first."""
        bills = [self.row("bills", key) for key in self.row("customers", customer_id)["bill_ids"]]
        return sorted(bills, key=lambda bill: str(bill["issue_date"]), reverse=True)[:limit]

    def get_data_usage(self, customer_id: str, line_id: str) -> Json:
        """Show what a line used in the running month, and its limit."""
        line = self._owned(customer_id, line_id)
        last_day = _first_of_next_month(TODAY) - timedelta(days=1)
        return {
            "line_id": line_id,
            "data_used_gb": line["data_used_gb"],
            "data_limit_gb": self.row("plans", line["plan_id"])["data_limit_gb"],
            "data_refueling_gb": line["data_refueling_gb"],
            "cycle_end_date": last_day.isoformat(),
        }

    # What the agent may change.

    def suspend_line(self, customer_id: str, line_id: str, reason: str) -> Json:
        """Suspend an active line; the reason is not kept."""
        del reason
        line = self._owned(customer_id, line_id)
        if line["status"] != "Active":
            raise Refused(f"only an active line can be suspended, {line_id} is {line['status']!r}")
        line.update(status="Suspended", suspension_start_date=TODAY.isoformat())
        return {"result": "The line is suspended; holding it costs 5 dollars a month.", "line": line}

    def resume_line(self, customer_id: str, line_id: str) -> Json:
        """Make a suspended or waiting line active."""
        line = self._owned(customer_id, line_id)
        if line["status"] not in ("Suspended", "Pending Activation"):
            raise Refused(f"only a suspended or pending line can be resumed, {line_id} is {line['status']!r}")
        line.update(status="Active", suspension_start_date=None)
        return {"result": "The line is active again.", "line": line}

    def send_payment_request(self, customer_id: str, bill_id: str) -> Json:
        """Ask for the payment of any bill of a customer, one at a time."""
        customer = self.row("customers", customer_id)
        waiting = self.bills_awaiting(customer)
        if waiting:
            raise Refused(f"bill {waiting[0]['bill_id']} of this customer awaits its payment already")
        if bill_id not in customer["bill_ids"]:
            raise Refused(f"customer {customer_id!r} has no bill {bill_id!r}")
        self.row("bills", bill_id)["status"] = "Awaiting Payment"
        return {"result": f"The customer was asked to pay bill {bill_id}."}

    def enable_roaming(self, customer_id: str, line_id: str) -> Json:
        """Let a line be used abroad."""
        return self._roaming(customer_id, line_id, on=True)

    def disable_roaming(self, customer_id: str, line_id: str) -> Json:
        """Let a line be used at home only."""
        return self._roaming(customer_id, line_id, on=False)

    def _roaming(self, customer_id: str, line_id: str, *, on: bool) -> Json:
        line = self._owned(customer_id, line_id)
        was, line["roaming_enabled"] = line["roaming_enabled"], on
        how = "already" if was == on else "now"
        return {"result": f"Roaming is {how} {'enabled' if on else 'disabled'} on line {line_id}."}

    def refuel_data(self, customer_id: str, line_id: str, gb_amount: float) -> Json:
        """Add data to a line at its plan's price, charged on the customer's next bill."""
        line = self._owned(customer_id, line_id)
        if not 0 < gb_amount <= MAX_GB:
            raise Refused(f"the amount of data must be more than 0 and at most {MAX_GB:,} GB")
        price = self.row("plans", line["plan_id"])["data_refueling_price_per_gb"]
        charge = gb_amount * price
        line["data_refueling_gb"] += gb_amount
        bill = self._next_bill(self.row("customers", customer_id))
        item = f"Data for line {line_id}: {gb_amount} GB at {price} dollars each"
        bill["line_items"].append(_item(item, charge))
        bill["total_due"] += charge
        total = line["data_refueling_gb"]
        return {"result": f"Line {line_id} has {gb_amount} GB more.", "data_refueling_gb": total, "charge": charge}

    def _next_bill(self, customer: dict[str, Any]) -> dict[str, Any]:
        """Return the customer's draft of the next bill, opened if there is none."""
        for key in customer["bill_ids"]:
            if self.row("bills", key)["status"] == "Draft":
                return self.row("bills", key)
        start = _first_of_next_month(TODAY)
        end = _first_of_next_month(start) - timedelta(days=1)
        key = f"B{customer['customer_id']}-next"
        bill = _bill(key, customer["customer_id"], start, end, "Draft")
        self._add(customer, bill)
        return bill

    def _add(self, customer: dict[str, Any], bill: dict[str, Any]) -> None:
        self.tables["bills"][bill["bill_id"]] = bill
        customer["bill_ids"].append(bill["bill_id"])

    def transfer_to_human_agents(self, summary: str) -> Json:
        """Hand the customer over."""
        del summary
        return {"result": "The customer was handed over to a human agent."}

    # What sets a task up.

    def set_data_usage(self, customer_id: str, line_id: str, data_used_gb: float) -> None:
        """Set what a line used in the running month."""
        self._owned(customer_id, line_id)["data_used_gb"] = data_used_gb

    def suspend_line_for_overdue_bill(
        self, customer_id: str, line_id: str, new_bill_id: str, contract_ended: bool
    ) -> None:
        """Suspend an active line, with a bill over last month's plan that was not paid."""
        line, customer = self.row("lines", line_id), self.row("customers", customer_id)
        if line["status"] != "Active":
            raise Refused(f"line {line_id!r} is not active")
        if any(self.row("bills", key)["status"] == "Overdue" for key in customer["bill_ids"]):
            raise Refused(f"customer {customer_id!r} has an overdue bill already")
        end = TODAY.replace(day=1) - timedelta(days=1)
        bill = _bill(new_bill_id, customer_id, end.replace(day=1), end, "Overdue")
        amount = self.row("plans", line["plan_id"])["price_per_month"]
        bill["line_items"].append(_item(f"Charge for line {line_id}", amount))
        bill["total_due"] += amount
        self._add(customer, bill)
        line.update(status="Suspended", suspension_start_date=TODAY.isoformat())
        if contract_ended:
            line["contract_end_date"] = end.isoformat()

    # What a task asserts at its end.

    def assert_data_refueling_amount(self, customer_id: str, line_id: str, expected_amount: float) -> bool:
        """Whether a line was given so much data, to a millionth."""
        return abs(float(self._owned(customer_id, line_id)["data_refueling_gb"]) - expected_amount) < 1e-6

    def assert_line_status(self, customer_id: str, line_id: str, expected_status: str) -> bool:
        """Whether a line has a status."""
        return bool(self._owned(customer_id, line_id)["status"] == expected_status)

    def assert_overdue_bill_exists(self, customer_id: str, overdue_bill_id: str) -> bool:
        """Whether a bill of the customer is overdue."""
        own = self.row("customers", customer_id)["bill_ids"]
        return overdue_bill_id in own and self.row("bills", overdue_bill_id)["status"] == "Overdue"

    def assert_no_overdue_bill(self, overdue_bill_id: str) -> bool:
        """Whether a bill is paid, or there is no such bill."""
        bill = self.tables["bills"].get(overdue_bill_id)
        return bill is None or bill["status"] == "Paid"


AGENT_TOOLS: dict[str, Callable[..., Json]] = {
    tool.__name__: tool
    for tool in (
        Account.get_customer_by_phone,
        Account.get_customer_by_id,
        Account.get_customer_by_name,
        Account.get_details_by_id,
        Account.suspend_line,
        Account.resume_line,
        Account.get_bills_for_customer,
        Account.send_payment_request,
        Account.get_data_usage,
        Account.enable_roaming,
        Account.disable_roaming,
        Account.transfer_to_human_agents,
        Account.refuel_data,
    )
}
"""Name -> method of :class:`Account`: the 13 tools of the agent."""


def _first_of_next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _bill(key: str, customer_id: str, start: date, end: date, status: str) -> dict[str, Any]:
    """Return an empty bill over a month, due 14 days after the month begins."""
    return {
        "bill_id": key,
        "customer_id": customer_id,
        "period_start": start.isoformat(),
        "period_end": end.isoformat(),
        "issue_date": start.isoformat(),
        "total_due": 0.0,
        "due_date": (start + timedelta(days=14)).isoformat(),
        "status": status,
        "line_items": [],
    }


def _item(description: str, amount: float) -> dict[str, Any]:
    return {"description": description, "amount": amount, "date": TODAY.isoformat(), "item_type": "Charge"}
