"""The services, each by cases worked by hand, and calls that a broken or hostile model may make."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acgym.envs.tools.bfcl.dialogue import SERVICES, Dialogue, Run
from acgym.envs.tools.bfcl.services.maths import MAX_PRECISION
from acgym.envs.tools.bfcl.services.routes import FARES
from acgym.types import Call

TREE = {"root": {"home": {"type": "directory", "contents": {
    "a.txt": {"type": "file", "content": "one two\nthree"},
    ".hidden": {"type": "file", "content": ""},
    "d": {"type": "directory", "contents": {"b.txt": {"type": "file", "content": "ONE\nthree"}}},
}}}}  # fmt: skip
LOCKED = dict.fromkeys(["driver", "passenger", "rear_left", "rear_right"], "locked")


def opened(name, config=None):
    return Run([name], {name: config or {}}, None)


def told(run, function, /, **arguments):
    text = run.call(Call(function, arguments))
    return json.loads(text) if text.startswith("{") else text


def files():
    return opened("GorillaFileSystem", TREE)


def test_files_are_listed_read_and_counted():
    run = files()
    assert told(run, "ls") == {"current_directory_content": ["a.txt", "d"]}
    assert told(run, "ls", a=True) == {"current_directory_content": ["a.txt", ".hidden", "d"]}
    assert told(run, "pwd") == {"current_working_directory": "/home"}
    assert told(run, "cat", file_name="a.txt") == {"file_content": "one two\nthree"}
    assert told(run, "wc", file_name="a.txt", mode="w") == {"count": 3, "type": "words"}
    assert told(run, "wc", file_name="a.txt") == {"count": 2, "type": "lines"}
    assert told(run, "sort", file_name="a.txt") == {"sorted_content": "one two\nthree"}
    assert told(run, "grep", file_name="a.txt", pattern="two") == {"matching_lines": ["one two"]}
    assert told(run, "tail", file_name="a.txt", lines=1) == {"last_lines": "three"}
    assert told(run, "find", name="b") == {"matches": ["./d/b.txt"]}
    assert told(run, "du") == {"disk_usage": "22 bytes"}
    assert told(run, "du", human_readable=True) == {"disk_usage": "22.00 B"}
    assert told(run, "touch", file_name="a.txt").keys() == {"error"}
    assert told(run, "touch", file_name="x|y").keys() == {"error"}
    assert told(run, "touch", file_name="new") == "None"


def test_files_are_moved_copied_and_removed():
    run = files()
    told(run, "cp", source="a.txt", destination="d")
    assert told(run, "cd", folder="d") == {"current_working_directory": "d"}
    assert told(run, "diff", file_name1="a.txt", file_name2="b.txt") == {"diff_lines": "- one two\n+ ONE"}
    assert told(run, "mv", source="b.txt", destination="c.txt") == {"result": "'b.txt' moved to 'c.txt'"}
    assert told(run, "cd", folder="..") == {}
    assert told(run, "rmdir", dir_name="d").keys() == {"error"}
    assert told(run, "rm", file_name="d") == {"result": "'d' removed"}
    assert told(run, "cd", folder="..").keys() == {"error"}


def test_a_copied_directory_shares_what_lies_deeper_as_in_the_original():
    run = files()
    told(run, "mkdir", dir_name="top")
    told(run, "mv", source="d", destination="top")
    told(run, "cp", source="top", destination="twin")
    for step in ("top", "d"):
        told(run, "cd", folder=step)
    told(run, "rm", file_name="b.txt")
    told(run, "cd", folder="/")
    assert told(run, "find", path="twin") == {"matches": ["twin/d"]}


def test_a_directory_that_holds_itself_ends_no_process():
    one, other = files(), files()
    for run in (one, other):
        told(run, "cp", source="d", destination="d")
        assert run.call(Call("find", {})).startswith("Error")
        assert run.call(Call("du", {})).startswith("Error")
    assert one.differs(other) is None
    told(one, "touch", file_name="x")
    assert one.differs(other) == "GorillaFileSystem"


def test_the_car_starts_locked_and_braked_only():
    run = opened("VehicleControlAPI", {"fuelLevel": 10.0})
    assert "lock all doors" in told(run, "startEngine", ignitionMode="START")["error"]
    locked = told(run, "lockDoors", unlock=False, door=["driver", "passenger", "rear_left", "rear_right"])
    assert locked == {"lockStatus": "locked", "remainingUnlockedDoors": 0}
    assert told(run, "pressBrakePedal", pedalPosition=0.5) == {"brakePedalStatus": "pressed", "brakePedalForce": 500.0}
    assert "fully" in told(run, "startEngine", ignitionMode="START")["error"]
    told(run, "pressBrakePedal", pedalPosition=1)
    assert told(run, "startEngine", ignitionMode="START")["engineState"] == "running"
    assert told(run, "fillFuelTank", fuelAmount=41)["error"] == "the tank holds 50 gallons"
    assert told(run, "estimate_distance", cityA="74532", cityB="83214") == {"distance": 750.0}
    assert told(run, "adjustClimateControl", temperature=50, unit="fahrenheit")["currentACTemperature"] == 50
    assert run.services["VehicleControlAPI"].state["acTemperature"] == 10.0
    assert told(run, "setCruiseControl", speed=63, activate=True, distanceToNextVehicle=9).keys() == {"error"}


def test_flights_cost_by_class_and_by_the_digits_of_the_date():
    run = opened("TravelAPI", {"credit_card_list": {"c": {"balance": 1000}}})
    flight = {"travel_from": "SFO", "travel_to": "LAX", "travel_class": "business"}
    assert told(run, "get_flight_cost", **flight, travel_date="2024-01-02") == {"travel_cost_list": [400.0]}
    assert told(run, "get_flight_cost", **flight, travel_date="2024-01-01") == {"travel_cost_list": [800.0]}
    token = told(run, "authenticate_travel", client_id="a", client_secret="b", refresh_token="c",
                 grant_type="read_write", user_first_name="A", user_last_name="B")["access_token"]  # fmt: skip
    booked = told(run, "book_flight", access_token=token, card_id="c", travel_date="2024-01-01", **flight)
    assert booked["booking_status"] is True
    assert told(run, "get_credit_card_balance", access_token=token, card_id="c") == {"card_balance": 200.0}
    refused = told(run, "book_flight", access_token=token, card_id="c", travel_date="2024-01-01", **flight)
    assert refused == {"booking_status": False, "error": "the balance does not suffice"}
    told(run, "cancel_booking", access_token=token, booking_id=booked["booking_id"])
    assert told(run, "get_credit_card_balance", access_token=token, card_id="c") == {"card_balance": 1000.0}
    assert "USD" not in {place for route in FARES for place in route}, "a currency is no airport"
    assert (
        told(run, "compute_exchange_rate", base_currency="USD", target_currency="RMB", value=2)["exchanged_value"] == 14
    )
    assert "18 or older" in told(run, "verify_traveler_information", first_name="A", last_name="B",
                                 date_of_birth="2020-01-01", passport_number="US1")["verification_failure"]  # fmt: skip


def test_orders_need_a_login_and_a_balance():
    run = opened("TradingBot")
    order = {"order_type": "Buy", "symbol": "AAPL", "price": 100, "amount": 101}
    assert told(run, "place_order", **order).keys() == {"error"}
    told(run, "trading_login", username="a", password="b")
    assert "10100.00" in told(run, "place_order", **order)["error"]
    placed = told(run, "place_order", **{**order, "amount": 1})
    assert (placed["order_id"], placed["status"], placed["price"]) == (12446, "Pending", 100.0)
    assert told(run, "get_order_details", order_id=12446)["status"] == "Open"
    assert told(run, "cancel_order", order_id=12345)["error"] == "order 12345 is completed"
    assert told(run, "fund_account", amount=5)["new_balance"] == 10005.0
    assert told(run, "withdraw_funds", amount=5)["error"] == "the market is closed"
    history = told(run, "get_transaction_history")["transaction_history"]
    assert history[0]["timestamp"].startswith("2024-09-0")
    assert told(run, "add_to_watchlist", stock="ZETA") == {"watchlist": ["NVDA", "ZETA"]}
    assert told(run, "filter_stocks_by_price", stocks=["AAPL", "ZETA"], min_price=1, max_price=30) == {
        "filtered_stocks": ["ZETA"]
    }


def test_messages_tickets_and_postings_remember_who_is_logged_in():
    run = opened("MessageAPI")
    assert told(run, "send_message", receiver_id="USR002", message="Hi").keys() == {"error"}
    told(run, "message_login", user_id="USR001")
    sent = told(run, "send_message", receiver_id="USR002", message="Hi")
    assert 10000 <= sent["message_id"]["new_id"] <= 99999
    assert told(run, "search_messages", keyword="HI")["results"][-1] == {"receiver_id": "USR002", "message": "Hi"}
    assert told(run, "add_contact", user_name="Eve")["user_id"] == "USR005"
    run = opened("TicketAPI")
    assert told(run, "create_ticket", title="T").keys() == {"error"}
    told(run, "ticket_login", username="u", password="p")
    assert told(run, "create_ticket", title="T")["id"] == 1
    told(run, "resolve_ticket", ticket_id=1, resolution="done")
    assert told(run, "get_ticket", ticket_id=1)["resolution"] == "done"
    run = opened("TwitterAPI")
    assert told(run, "authenticate_twitter", username="john", password="?") == {"authentication_status": False}
    told(run, "authenticate_twitter", username="john", password="john123")
    names = ["@a"]
    told(run, "post_tweet", content="Hello", mentions=names)
    told(run, "mention", tweet_id=0, mentioned_usernames=["@b"])
    assert names == ["@a"]
    assert told(run, "get_tweet", tweet_id=0)["mentions"] == ["@a", "@b"]
    assert told(run, "get_user_stats", username="john")["tweet_count"] == 1


def test_numbers_are_computed():
    run = opened("MathAPI")
    assert told(run, "mean", numbers=[1, 2]) == {"result": 1.5}
    assert told(run, "standard_deviation", numbers=[1, 3]) == {"result": 1.0}
    assert told(run, "divide", a=1, b=0).keys() == {"error"}
    assert "3.0" in run.call(Call("logarithm", {"value": 1000, "base": 10, "precision": 10}))
    assert "1.4142" in run.call(Call("square_root", {"number": 2, "precision": 5}))
    assert told(run, "imperial_si_conversion", value=100, unit_in="celsius", unit_out="fahrenheit") == {"result": 212.0}


HEAVY = [
    ("power", {"base": 10, "exponent": 10**9}),
    ("power", {"base": 2, "exponent": -(10**9)}),
    ("round_number", {"number": 5, "decimal_places": -(10**9)}),
    ("logarithm", {"value": 2, "base": 3, "precision": 10**9}),
    ("square_root", {"number": 2, "precision": MAX_PRECISION + 1}),
]


@pytest.mark.parametrize(("name", "arguments"), HEAVY)
def test_no_number_takes_long(name, arguments):
    run = opened("MathAPI")
    started = time.process_time()
    run.call(Call(name, arguments))
    assert time.process_time() - started < 2


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**6)
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["a.txt", "d"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)
CONFIG = {"GorillaFileSystem": TREE, "VehicleControlAPI": {"doorStatus": LOCKED}}


@given(st.data())
def test_no_argument_makes_a_service_raise_and_equal_calls_leave_equal_states(data):
    runs = [Run(list(SERVICES), CONFIG, None) for _ in range(2)]
    functions = sorted(runs[0]._functions.items())
    for _ in range(data.draw(st.integers(1, 6))):
        name, function = data.draw(st.sampled_from(functions))
        names = function.__func__.__code__.co_varnames[1 : function.__func__.__code__.co_argcount]
        arguments = {one: data.draw(VALUES) for one in names if data.draw(st.integers(0, 4))}
        answers = {run.call(Call(name, arguments)) for run in runs}
        assert len(answers) == 1
    assert runs[0].differs(runs[1]) is None


def test_an_unknown_function_or_argument_is_told():
    run = files()
    assert run.call(Call("fly", {})) == "Error: there is no function 'fly'"
    assert run.call(Call("same", {})) == "Error: there is no function 'same'"
    assert "unexpected keyword" in run.call(Call("ls", {"x": 1}))


def test_each_gold_response_must_be_met_as_often_as_gold_got_it():
    row = {"involved_classes": ["MathAPI"], "initial_config": {}}
    add = Call("add", {"a": 1, "b": 1})
    for times, verdict in [(1, "response_mismatch"), (2, None), (3, None)]:
        dialogue = Dialogue(row, [[add, add]])
        dialogue.call([add] * times)
        assert dialogue.end_turn() == verdict
