"""What the tools of shop and airline change, worked by hand, and what they refuse."""

from __future__ import annotations

import pytest

from acgym.envs.tools.desk.airline import AIRLINE
from acgym.envs.tools.desk.records import Records, Tables
from acgym.envs.tools.desk.retail import RETAIL
from acgym.envs.tools.schema import fault
from acgym.envs.tools.tau2_refused import Refused
from tests.helpers import desk_data

DOMAINS = {"shop": (RETAIL, desk_data.RETAIL), "airline": (AIRLINE, desk_data.AIRLINE)}
FLY = {"flight_number": "HAT1", "date": "2024-05-20"}
BOOKING = {
    "user_id": "ada_1", "origin": "JFK", "destination": "ORD", "flight_type": "one_way", "cabin": "economy",
    "flights": [FLY], "passengers": [desk_data.PERSON], "total_baggages": 1, "nonfree_baggages": 1, "insurance": "yes",
    "payment_methods": [{"payment_id": "certificate_1", "amount": 100}, {"payment_id": "gift_card_1", "amount": 80}],
}  # fmt: skip


def run(domain, *calls):
    tools, tables = DOMAINS[domain]
    records = Records(Tables(tables))
    told = None
    for name, arguments in calls:
        assert fault(tools[name].schema, arguments) is None
        told = tools[name].run(records, **arguments)
    return told, records


def balance(records):
    return records.get("users", "ada_1")["payment_methods"]["gift_card_1"]["balance"]


def test_a_cancelled_order_is_refunded_to_the_gift_card():
    order, records = run("shop", desk_data.CANCEL)
    assert (order["status"], order["cancel_reason"]) == ("cancelled", "no longer needed")
    assert [one["transaction_type"] for one in order["payment_history"]] == ["payment", "refund"]
    assert balance(records) == 24.5
    assert set(records.changes()) == {("orders", "#W1"), ("users", "ada_1")}
    assert desk_data.RETAIL["orders"]["#W1"]["status"] == "pending", "the data stays as it is"


def replaced(old, new, pays="paypal_1"):
    arguments = {"order_id": "#W1", "item_ids": old, "new_item_ids": new, "payment_method_id": pays}
    return run("shop", ("modify_pending_order_items", arguments))


def test_replaced_items_settle_the_difference():
    order, records = replaced(["2"], ["3"], "gift_card_1")
    assert order["payment_history"][-1] == {
        "transaction_type": "refund", "amount": 4.5, "payment_method_id": "gift_card_1"
    }  # fmt: skip
    assert order["items"][1] == {**order["items"][1], "item_id": "3", "price": 8.0, "options": {"colour": "green"}}
    assert order["status"] == "pending (item modified)"
    assert balance(records) == 6.5


def test_items_replaced_together_all_take_the_last_ones_price_as_in_the_original():
    order, _ = replaced(["1", "2"], ["3", "1"])
    assert [(item["item_id"], item["price"]) for item in order["items"]] == [("3", 10.0), ("1", 10.0)]


@pytest.mark.parametrize(
    ("old", "new", "pays", "said"),
    [
        (["1", "1"], ["2", "3"], "paypal_1", "so often"),
        (["1"], ["2", "3"], "paypal_1", "a new item for each"),
        (["1"], ["4"], "paypal_1", "not available"),
        (["1"], ["9"], "paypal_1", "no item of that product"),
        (["1"], ["1"], "paypal_1", "another one"),
        (["1"], ["2"], "gift_card_1", "does not hold so much"),
        (["1"], ["2"], "visa", "no payment method"),
    ],
)
def test_replacements_that_cannot_be(old, new, pays, said):
    with pytest.raises(Refused, match=said):
        replaced(old, new, pays)


def test_another_method_pays():
    arguments = {"order_id": "#W1", "payment_method_id": "paypal_1"}
    order, records = run("shop", ("modify_pending_order_payment", arguments))
    assert [one["payment_method_id"] for one in order["payment_history"]] == ["gift_card_1", "paypal_1", "gift_card_1"]
    assert balance(records) == 24.5
    with pytest.raises(Refused, match="exactly one"):
        run("shop", ("modify_pending_order_payment", arguments), ("modify_pending_order_payment", arguments))


def test_returns_and_exchanges_are_noted():
    back = {"order_id": "#W2", "item_ids": ["1"], "payment_method_id": "paypal_1"}
    order, _ = run("shop", ("return_delivered_order_items", back))
    assert (order["status"], order["return_items"]) == ("return requested", ["1"])
    order, _ = run("shop", ("exchange_delivered_order_items", {**back, "new_item_ids": ["2"]}))
    assert (order["status"], order["exchange_price_difference"]) == ("exchange requested", 2.5)
    with pytest.raises(Refused, match="must be delivered"):
        run("shop", ("return_delivered_order_items", {**back, "order_id": "#W1"}))


def test_users_are_found_and_addresses_changed():
    assert run("shop", ("find_user_id_by_email", {"email": "ADA@example.com"}))[0] == "ada_1"
    named = {"first_name": "ada", "last_name": "BYRON", "zip": "10001"}
    assert run("shop", ("find_user_id_by_name_zip", named))[0] == "ada_1"
    with pytest.raises(Refused, match="no user"):
        run("shop", ("find_user_id_by_name_zip", {**named, "zip": "2"}))
    there = {**desk_data.HOME, "city": "York"}
    _, records = run("shop", ("modify_user_address", {"user_id": "ada_1", **there}),
                     ("modify_pending_order_address", {"order_id": "#W1", **there}))  # fmt: skip
    assert records.get("users", "ada_1")["address"] == records.get("orders", "#W1")["address"] == there


def test_a_booking_takes_seats_money_and_the_certificate():
    made, records = run("airline", ("book_reservation", BOOKING))
    assert made["reservation_id"] == "HATHAT"
    assert made["flights"] == [{"origin": "JFK", "destination": "ORD", **FLY, "price": 100}]
    methods = records.get("users", "ada_1")["payment_methods"]
    assert (methods["gift_card_1"]["amount"], "certificate_1" in methods) == (180, False)
    assert records.get("flights", "HAT1")["dates"]["2024-05-20"]["available_seats"]["economy"] == 2
    assert records.get("users", "ada_1")["reservations"] == ["R1", "HATHAT"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"insurance": "no"}, "the price is 150"),
        ({"cabin": "basic_economy"}, "too few seats"),
        ({"flights": [{**FLY, "date": "2024-05-21"}]}, "does not fly"),
        ({"flights": [{**FLY, "flight_number": "HAT3"}]}, "cannot be booked: delayed"),
        ({"payment_methods": [{"payment_id": "certificate_1", "amount": 180}]}, "does not hold so much"),
    ],
)
def test_bookings_that_cannot_be_change_nothing(change, said):
    with pytest.raises(Refused, match=said):
        run("airline", ("book_reservation", {**BOOKING, **change}))


def test_changes_of_a_reservation():
    cabin = {"reservation_id": "R1", "cabin": "business", "flights": [FLY], "payment_id": "gift_card_1"}
    made, records = run("airline", ("update_reservation_flights", cabin))
    assert made["payment_history"][-1] == {"payment_id": "gift_card_1", "amount": 210}
    assert records.get("users", "ada_1")["payment_methods"]["gift_card_1"]["amount"] == 50
    bags = {"reservation_id": "R1", "total_baggages": 3, "nonfree_baggages": 2, "payment_id": "credit_card_1"}
    made, _ = run("airline", ("update_reservation_baggages", bags))
    assert (made["total_baggages"], made["payment_history"][-1]["amount"]) == (3, 100)
    made, _ = run("airline", ("update_reservation_flights", {**cabin, "cabin": "economy"}))
    assert len(made["payment_history"]) == 1, "a leg that stays keeps its price"
    with pytest.raises(Refused, match="certificate"):
        run("airline", ("update_reservation_flights", {**cabin, "payment_id": "certificate_1"}))
    with pytest.raises(Refused, match="number of passengers"):
        run("airline", ("update_reservation_passengers", {"reservation_id": "R1", "passengers": []}))


def test_cancelling_and_certificates():
    made, _ = run("airline", ("cancel_reservation", {"reservation_id": "R1"}))
    assert [one["amount"] for one in made["payment_history"]] == [90, -90]
    given = ("send_certificate", {"user_id": "ada_1", "amount": 50})
    _, records = run("airline", given, given)
    assert "certificate_3221323" in records.get("users", "ada_1")["payment_methods"]


def test_searches():
    day = {"origin": "JFK", "destination": "SFO", "date": "2024-05-20"}
    assert run("airline", ("search_direct_flight", day))[0] == []
    [[first, second]] = run("airline", ("search_onestop_flight", day))[0]
    assert (first["flight_number"], second["flight_number"]) == ("HAT1", "HAT2")
    assert run("airline", ("get_flight_status", {"flight_number": "HAT3", "date": day["date"]}))[0] == "delayed"


@pytest.mark.parametrize(
    ("expression", "value"), [("(3 + 4.5) * 2", "15.0"), ("-2*-3 - 10/4", "3.5"), ("1 - 2 - 3", "-4.0"), (" 7 ", "7.0")]
)
def test_the_calculator(expression, value):
    assert run("shop", ("calculate", {"expression": expression}))[0] == value


@pytest.mark.parametrize("expression", ["", "1 +", "2 ** 3", "(1", "1)", "1/0", "__import__", "(" * 399, "9" * 401])
def test_what_the_calculator_refuses(expression):
    with pytest.raises(Refused):
        run("shop", ("calculate", {"expression": expression}))


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_record_that_does_not_exist_is_named(domain):
    with pytest.raises(Refused, match="there is no user 'bob'"):
        run(domain, ("get_user_details", {"user_id": "bob"}))
