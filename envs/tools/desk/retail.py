"""The shop of tau2-bench: what its tools do to orders and users, with the same changes of state as the original.

Kept from the original for equal verdicts: where several items of a pending order are replaced at once, all of them
take price and options of the last one. An exchange or a return leaves the items as they are and notes what was asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from acgym.envs.tools.desk.records import Record, Records
from acgym.envs.tools.desk.tools import CALCULATE, TRANSFER, Tool, listed, method_of, text
from acgym.envs.tools.tau2_refused import Refused
from acgym.types import Json

_ADDRESS = ("address1", "address2", "city", "state", "country", "zip")


def find_by_email(records: Records, email: str) -> Json:
    """Find a user's id by the address of his mail, in any case."""
    for key, user in records.rows("users"):
        if user["email"].lower() == email.lower():
            return key
    raise Refused("there is no user with that email")


def find_by_name(records: Records, first_name: str, last_name: str, **rest: str) -> Json:
    """Find a user's id by his names, in any case, and postcode (``zip``)."""
    for key, user in records.rows("users"):
        name = user["name"]
        named = name["first_name"].lower(), name["last_name"].lower(), user["address"]["zip"]
        if named == (first_name.lower(), last_name.lower(), rest["zip"]):
            return key
    raise Refused("there is no user of that name and zip code")


def product_types(records: Records) -> Json:
    """List the names of all products with their ids."""
    return {product["name"]: key for key, product in sorted(records.rows("products"), key=lambda row: row[1]["name"])}


def cancel_order(records: Records, order_id: str, reason: str) -> Json:
    """Cancel a pending order; what gift cards paid is put back on them."""
    _in_state(records, order_id, "pending")
    order = records.edit("orders", order_id)
    refunds = []
    for payment in order["payment_history"]:
        paid_by = payment["payment_method_id"]
        _charge(records, order["user_id"], paid_by, -payment["amount"])
        refunds.append({"transaction_type": "refund", "amount": payment["amount"], "payment_method_id": paid_by})
    order["payment_history"].extend(refunds)
    order.update(status="cancelled", cancel_reason=reason)
    return order


def exchange_items(
    records: Records, order_id: str, item_ids: Sequence[str], new_item_ids: Sequence[str], payment_method_id: str
) -> Json:
    """Note which items of a delivered order are to be exchanged for which others of the same products."""
    order = _in_state(records, order_id, "delivered")
    difference = round(_difference(records, order, item_ids, new_item_ids)[0], 2)
    _can_pay(_method(records, order["user_id"], payment_method_id), difference)
    order = records.edit("orders", order_id)
    order.update(
        status="exchange requested",
        exchange_items=sorted(item_ids),
        exchange_new_items=sorted(new_item_ids),
        exchange_payment_method_id=payment_method_id,
        exchange_price_difference=difference,
    )
    return order


def return_items(records: Records, order_id: str, item_ids: Sequence[str], payment_method_id: str) -> Json:
    """Note which items of a delivered order are returned: refunded to what paid it, or to a gift card."""
    order = _in_state(records, order_id, "delivered")
    method = _method(records, order["user_id"], payment_method_id)
    paid_by = order["payment_history"][0]["payment_method_id"]
    if method["source"] != "gift_card" and payment_method_id != paid_by:
        raise Refused("a refund goes to a gift card or to the method that paid the order")
    _held(order, item_ids)
    order = records.edit("orders", order_id)
    order.update(status="return requested", return_items=sorted(item_ids), return_payment_method_id=payment_method_id)
    return order


def replace_items(
    records: Records, order_id: str, item_ids: Sequence[str], new_item_ids: Sequence[str], payment_method_id: str
) -> Json:
    """Replace items of a pending order by others of the same products, once; the difference in price is settled."""
    order = _in_state(records, order_id, "pending")
    if any(old == new for old, new in zip(item_ids, new_item_ids, strict=False)):
        raise Refused("an item is to be replaced by another one")
    difference, last = _difference(records, order, item_ids, new_item_ids)
    _can_pay(_method(records, order["user_id"], payment_method_id), difference)
    order = records.edit("orders", order_id)
    kind = "payment" if difference > 0 else "refund"
    order["payment_history"].append(
        {"transaction_type": kind, "amount": abs(difference), "payment_method_id": payment_method_id}
    )
    _charge(records, order["user_id"], payment_method_id, difference)
    for old, new in zip(item_ids, new_item_ids, strict=True):
        item = next((one for one in order["items"] if one["item_id"] == old), None)
        if item is not None and last is not None:
            item.update(item_id=new, price=last["price"], options=dict(last["options"]))
    order["status"] = "pending (item modified)"
    return order


def change_address(records: Records, order_id: str, **address: str) -> Json:
    """Send a pending order elsewhere."""
    _pending(records, order_id)
    order = records.edit("orders", order_id)
    order["address"] = {name: address[name] for name in _ADDRESS}
    return order


def change_payment(records: Records, order_id: str, payment_method_id: str) -> Json:
    """Let another method pay a pending order that was paid once."""
    order = _pending(records, order_id)
    method = _method(records, order["user_id"], payment_method_id)
    paid = order["payment_history"]
    if len(paid) != 1 or paid[0]["transaction_type"] != "payment":
        raise Refused("the order must have exactly one payment")
    before, amount = paid[0]["payment_method_id"], paid[0]["amount"]
    if before == payment_method_id:
        raise Refused("that method pays the order already")
    _can_pay(method, amount)
    order = records.edit("orders", order_id)
    order["payment_history"] += [
        {"transaction_type": "payment", "amount": amount, "payment_method_id": payment_method_id},
        {"transaction_type": "refund", "amount": amount, "payment_method_id": before},
    ]
    _charge(records, order["user_id"], payment_method_id, amount)
    _charge(records, order["user_id"], before, -amount)
    return order


def change_user_address(records: Records, user_id: str, **address: str) -> Json:
    """Change where a user lives."""
    user = records.edit("users", user_id)
    user["address"] = {name: address[name] for name in _ADDRESS}
    return user


def _in_state(records: Records, order_id: str, status: str) -> Record:
    order = records.get("orders", order_id)
    if order["status"] != status:
        raise Refused(f"the order must be {status}, it is {order['status']}")
    return order


def _pending(records: Records, order_id: str) -> Record:
    order = records.get("orders", order_id)
    if "pending" not in order["status"]:
        raise Refused(f"the order must be pending, it is {order['status']}")
    return order


def _method(records: Records, user_id: str, payment_id: str) -> Mapping[str, Any]:
    return method_of(records.get("users", user_id), payment_id)


def _can_pay(method: Mapping[str, Any], amount: float) -> None:
    if method["source"] == "gift_card" and method["balance"] < amount:
        raise Refused("the gift card does not hold so much")


def _charge(records: Records, user_id: str, payment_id: str, amount: float) -> None:
    """Take an amount from a gift card, or put it back; other methods keep no balance here."""
    if _method(records, user_id, payment_id)["source"] == "gift_card":
        method = records.edit("users", user_id)["payment_methods"][payment_id]
        method["balance"] = round(method["balance"] - amount, 2)


def _held(order: Record, item_ids: Sequence[str]) -> None:
    """Refuse items that the order does not hold so often."""
    held = [item["item_id"] for item in order["items"]]
    for one in item_ids:
        if item_ids.count(one) > held.count(one):
            raise Refused(f"the order does not hold {one[:60]!r} so often")


def _difference(
    records: Records, order: Record, item_ids: Sequence[str], new_item_ids: Sequence[str]
) -> tuple[float, Record | None]:
    """Return how much more the new items cost than the old ones, and the last new one."""
    _held(order, item_ids)
    if len(item_ids) != len(new_item_ids):
        raise Refused("there must be a new item for each old one")
    difference, variant = 0.0, None
    for old, new in zip(item_ids, new_item_ids, strict=True):
        item = next(one for one in order["items"] if one["item_id"] == old)
        variant = records.get("products", item["product_id"])["variants"].get(new)
        if variant is None or not variant["available"]:
            raise Refused(f"{new[:60]!r} is no item of that product, or not available")
        difference += variant["price"] - item["price"]
    return difference, variant


_ORDER = {"order_id": text("Id of the order; it begins with #.")}
_USER = {"user_id": text("Id of the user.")}
_ITEMS = {"item_ids": listed("Ids of items of the order; one that is meant twice comes twice.")}
_NEW = {"new_item_ids": listed("Ids of the items to have instead, each at the place of the old one's.")}
_PAID = {"payment_method_id": text("Id of a payment method of the user, for what is to be paid or refunded.")}
_PLACE = {
    "address1": text("Street and number."), "address2": text("Further line, empty if there is none."),
    "city": text("City."), "state": text("State, two letters."), "country": text("Country."), "zip": text("Zip code."),
}  # fmt: skip
_REASONS = ("no longer needed", "ordered by mistake")

RETAIL: dict[str, Tool] = {
    "find_user_id_by_email": Tool("Find a user's id by email.", {"email": text("Address of the mail.")}, find_by_email),
    "find_user_id_by_name_zip": Tool(
        "Find a user's id by name and zip code.",
        {"first_name": text("First name."), "last_name": text("Last name."), "zip": text("Zip code.")},
        find_by_name,
    ),
    "get_user_details": Tool("Show a user: address, payment methods, orders.", _USER,
                             lambda records, user_id: records.get("users", user_id)),
    "get_order_details": Tool("Show an order: items, status, payments.", _ORDER,
                              lambda records, order_id: records.get("orders", order_id)),
    "get_product_details": Tool("Show a product: its items, which are available, prices.",
                                {"product_id": text("Id of the product, which is not an item's.")},
                                lambda records, product_id: records.get("products", product_id)),
    "list_all_product_types": Tool("List all products with their ids.", {}, product_types),
    "cancel_pending_order": Tool("Cancel a pending order and refund it.",
                                 {**_ORDER, "reason": text("Why it is cancelled.", *_REASONS)}, cancel_order),
    "modify_pending_order_address": Tool("Send a pending order to another address.", {**_ORDER, **_PLACE},
                                         change_address),
    "modify_pending_order_items": Tool(
        "Replace items of a pending order by others of the same products. This can be done once for an order.",
        {**_ORDER, **_ITEMS, **_NEW, **_PAID}, replace_items),
    "modify_pending_order_payment": Tool("Let another method pay a pending order.", {**_ORDER, **_PAID},
                                         change_payment),
    "modify_user_address": Tool("Change a user's address.", {**_USER, **_PLACE}, change_user_address),
    "exchange_delivered_order_items": Tool(
        "Exchange items of a delivered order for others of the same products. An order can be exchanged or returned "
        "once.", {**_ORDER, **_ITEMS, **_NEW, **_PAID}, exchange_items),
    "return_delivered_order_items": Tool(
        "Return items of a delivered order. An order can be exchanged or returned once.",
        {**_ORDER, **_ITEMS, **_PAID}, return_items),
    "calculate": CALCULATE,
    "transfer_to_human_agents": TRANSFER,
}  # fmt: skip
"""Name -> tool, in the order in which an agent is told of them."""
