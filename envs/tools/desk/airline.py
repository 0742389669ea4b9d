"""The airline of tau2-bench: what its tools do to reservations, users and seats, with the original's changes of state.

As there, the tools check hardly any rule of the policy, a change of flights leaves the seats as they are, and a
cancelled reservation's refunds are noted in the reservation alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from acgym.envs.tools.desk.records import Record, Records
from acgym.envs.tools.desk.tools import CALCULATE, TRANSFER, Tool, fields, listed, method_of, text, whole
from acgym.envs.tools.tau2_refused import Refused
from acgym.types import Json

NOW = "2024-05-15T15:00:00"
"""The policy's present."""
_NEW_RESERVATIONS = ("HATHAT", "HATHAU", "HATHAV")
_NEW_CERTIFICATES = ("certificate_3221322", "certificate_3221323", "certificate_3221324")
_CABINS = ("basic_economy", "economy", "business")
_AIRPORTS = {
    "SFO": "San Francisco", "JFK": "New York", "LAX": "Los Angeles", "ORD": "Chicago", "DFW": "Dallas", "DEN": "Denver",
    "SEA": "Seattle", "ATL": "Atlanta", "MIA": "Miami", "BOS": "Boston", "PHX": "Phoenix", "IAH": "Houston",
    "LAS": "Las Vegas", "MCO": "Orlando", "EWR": "Newark", "CLT": "Charlotte", "MSP": "Minneapolis", "DTW": "Detroit",
    "PHL": "Philadelphia", "LGA": "New York, LaGuardia",
}  # fmt: skip


def book(
    records: Records,
    user_id: str,
    flights: Sequence[Mapping[str, str]],
    passengers: Sequence[Mapping[str, str]],
    payment_methods: Sequence[Mapping[str, Any]],
    cabin: str,
    insurance: str,
    nonfree_baggages: int,
    **rest: Json,
) -> Json:
    """Book a reservation whose payments add up to its price; takes seats, gift cards' money and whole certificates."""
    user = records.get("users", user_id)
    number = next((key for key in _NEW_RESERVATIONS if records.find("reservations", key) is None), None)
    if number is None:
        raise Refused("no more reservations can be made")
    legs = [_leg(records, flight, cabin, len(passengers)) for flight in flights]
    each = sum(leg["price"] for leg in legs) + (30 if insurance == "yes" else 0)
    price = each * len(passengers) + 50 * nonfree_baggages
    for payment in payment_methods:
        method = method_of(user, payment["payment_id"])
        if method["source"] in ("gift_card", "certificate") and method["amount"] < payment["amount"]:
            raise Refused(f"{payment['payment_id'][:60]!r} does not hold so much")
    paid = sum(payment["amount"] for payment in payment_methods)
    if paid != price:
        raise Refused(f"the price is {price}, the payments come to {paid}")
    user = records.edit("users", user_id)
    for payment in payment_methods:
        _use(user, payment["payment_id"], payment["amount"])
    for flight in flights:
        day = records.edit("flights", flight["flight_number"])["dates"][flight["date"]]
        day["available_seats"][cabin] -= len(passengers)
    reservation = {
        "reservation_id": number, "user_id": user_id, **rest, "cabin": cabin, "flights": legs,
        "passengers": deepcopy(list(passengers)), "payment_history": deepcopy(list(payment_methods)),
        "created_at": NOW, "nonfree_baggages": nonfree_baggages, "insurance": insurance,
    }  # fmt: skip
    records.put("reservations", number, reservation)
    user["reservations"].append(number)
    return reservation


def cancel(records: Records, reservation_id: str) -> Json:
    """Cancel a reservation; each payment is noted once more as a refund."""
    reservation = records.edit("reservations", reservation_id)
    paid = reservation["payment_history"]
    paid += [{"payment_id": payment["payment_id"], "amount": -payment["amount"]} for payment in paid]
    reservation["status"] = "cancelled"
    return reservation


def change_flights(
    records: Records, reservation_id: str, cabin: str, flights: Sequence[Mapping[str, str]], payment_id: str
) -> Json:
    """Give a reservation other flights or another cabin; legs that stay keep their price, the difference is settled."""
    reservation = records.get("reservations", reservation_id)
    count = len(reservation["passengers"])
    legs = []
    for flight in flights:
        kept = next(
            (leg for leg in reservation["flights"] if cabin == reservation["cabin"]
             and (leg["flight_number"], leg["date"]) == (flight["flight_number"], flight["date"])),
            None,
        )  # fmt: skip
        legs.append(_leg(records, flight, cabin, count) if kept is None else deepcopy(kept))
    before = sum(leg["price"] for leg in reservation["flights"])
    price = (sum(leg["price"] for leg in legs) - before) * count
    _settle(records, reservation_id, payment_id, price)
    reservation = records.edit("reservations", reservation_id)
    reservation.update(flights=legs, cabin=cabin)
    return reservation


def change_baggages(
    records: Records, reservation_id: str, total_baggages: int, nonfree_baggages: int, payment_id: str
) -> Json:
    """Change the bags of a reservation; 50 dollars for each bag more that is not free."""
    reservation = records.get("reservations", reservation_id)
    _settle(records, reservation_id, payment_id, 50 * max(0, nonfree_baggages - reservation["nonfree_baggages"]))
    reservation = records.edit("reservations", reservation_id)
    reservation.update(total_baggages=total_baggages, nonfree_baggages=nonfree_baggages)
    return reservation


def change_passengers(records: Records, reservation_id: str, passengers: Sequence[Mapping[str, str]]) -> Json:
    """Replace the passengers of a reservation by as many others."""
    if len(passengers) != len(records.get("reservations", reservation_id)["passengers"]):
        raise Refused("the number of passengers cannot be changed")
    reservation = records.edit("reservations", reservation_id)
    reservation["passengers"] = deepcopy(list(passengers))
    return reservation


def send_certificate(records: Records, user_id: str, amount: int) -> Json:
    """Give a user a travel certificate."""
    held = records.get("users", user_id)["payment_methods"]
    number = next((key for key in _NEW_CERTIFICATES if key not in held), None)
    if number is None:
        raise Refused("no more certificates can be given")
    methods = records.edit("users", user_id)["payment_methods"]
    methods[number] = {"source": "certificate", "id": number, "amount": amount}
    return methods[number]


def search(records: Records, origin: str, destination: str, date: str) -> Json:
    """List the flights between two airports on a day that can be booked."""
    return _direct(records, date, origin, destination)


def search_one_stop(records: Records, origin: str, destination: str, date: str) -> Json:
    """List pairs of flights that can be booked, the second after the first has landed at an airport between."""
    found = []
    for first in _direct(records, date, origin, None):
        lands = first["scheduled_arrival_time_est"]
        after = f"{date[:-2]}{int(date[-2:]) + 1:02}" if "+1" in lands and date[-2:].isdecimal() else date
        for second in _direct(records, after, first["destination"], destination):
            if second["scheduled_departure_time_est"] >= lands:
                found.append([{**first, "date": date}, {**second, "date": after}])
    return found


def status(records: Records, flight_number: str, date: str) -> Json:
    """Say how a flight stands on a day."""
    return _day(records, flight_number, date)["status"]


def _direct(records: Records, date: str, origin: str, destination: str | None) -> list[Record]:
    shown = ("flight_number", "origin", "destination", "scheduled_departure_time_est", "scheduled_arrival_time_est")
    found = []
    for _, flight in records.rows("flights"):
        day = flight["dates"].get(date)
        fits = flight["origin"] == origin and destination in (None, flight["destination"])
        if fits and day is not None and day["status"] == "available":
            found.append({**{name: flight[name] for name in shown}, **deepcopy(day)})
    return found


def _day(records: Records, flight_number: str, date: str) -> Record:
    day: Record | None = records.get("flights", flight_number)["dates"].get(date)
    if day is None:
        raise Refused(f"flight {flight_number[:60]} does not fly on {date[:60]}")
    return day


def _leg(records: Records, flight: Mapping[str, str], cabin: str, passengers: int) -> Record:
    """Return a flight as a reservation holds it.

    Raises:
        Refused: if it cannot be booked, or has too few seats.
    """
    number, date = flight["flight_number"], flight["date"]
    day, row = _day(records, number, date), records.get("flights", number)
    if day["status"] != "available":
        raise Refused(f"flight {number} on {date} cannot be booked: {day['status']}")
    if day["available_seats"][cabin] < passengers:
        raise Refused(f"flight {number} on {date} has too few seats")
    places = {"origin": row["origin"], "destination": row["destination"]}
    return {**places, "flight_number": number, "date": date, "price": day["prices"][cabin]}


def _use(user: Record, payment_id: str, amount: float) -> None:
    method = user["payment_methods"].get(payment_id)
    if method is not None and method["source"] == "gift_card":
        method["amount"] -= amount
    elif method is not None and method["source"] == "certificate":
        del user["payment_methods"][payment_id]


def _settle(records: Records, reservation_id: str, payment_id: str, price: int) -> None:
    """Pay or refund a change of a reservation."""
    user_id = records.get("reservations", reservation_id)["user_id"]
    method = method_of(records.get("users", user_id), payment_id)
    if method["source"] == "certificate":
        raise Refused("a certificate cannot pay for a change")
    if method["source"] == "gift_card":
        if method["amount"] < price:
            raise Refused("the gift card does not hold so much")
        records.edit("users", user_id)["payment_methods"][payment_id]["amount"] -= price
    if price != 0:
        payment = {"payment_id": payment_id, "amount": price}
        records.edit("reservations", reservation_id)["payment_history"].append(payment)


_USER, _RESERVATION = {"user_id": text("Id of the user.")}, {"reservation_id": text("Id of the reservation.")}
_FLIGHT = fields(flight_number=text("Number of the flight."), date=text("Day of departure, YYYY-MM-DD."))
_PERSON = fields(first_name=text("First name."), last_name=text("Last name."), dob=text("Birthday, YYYY-MM-DD."))
_PAYMENT = fields(payment_id=text("Id of a payment method of the user."), amount=whole("Dollars."))
_FROM_TO = {"origin": text("Airport, three letters."), "destination": text("Airport, three letters.")}
_ON = {"date": text("Day, YYYY-MM-DD.")}
_FLIGHTS = {"flights": listed("All flights of the reservation, in order, those that stay included.", _FLIGHT)}
_PASSENGERS = {"passengers": listed("All passengers.", _PERSON)}
_CABIN = {"cabin": text("Cabin of all flights.", *_CABINS)}
_BAGS = {
    "total_baggages": whole("Checked bags in all."), "nonfree_baggages": whole("Those that are paid, 50 dollars each."),
}  # fmt: skip
_PAYS = {"payment_id": text("Id of a gift card or credit card of the user, for what is to be paid or refunded.")}

AIRLINE: dict[str, Tool] = {
    "get_user_details": Tool("Show a user: payment methods, membership, saved passengers, reservations.", _USER,
                             lambda records, user_id: records.get("users", user_id)),
    "get_reservation_details": Tool("Show a reservation.", _RESERVATION,
                                    lambda records, reservation_id: records.get("reservations", reservation_id)),
    "get_flight_status": Tool("Say how a flight stands on a day.", {"flight_number": text("Its number."), **_ON},
                              status),
    "list_all_airports": Tool("List the airports and their cities.", {}, lambda _: dict(_AIRPORTS)),
    "search_direct_flight": Tool("List direct flights that can be booked.", {**_FROM_TO, **_ON}, search),
    "search_onestop_flight": Tool("List pairs of flights with one stop that can be booked.", {**_FROM_TO, **_ON},
                                  search_one_stop),
    "book_reservation": Tool(
        "Book a reservation. The payments must come to its price: flights and insurance (30 dollars) for each "
        "passenger, and bags.",
        {
            **_USER, **_FROM_TO, "flight_type": text("Kind of trip.", "round_trip", "one_way"), **_CABIN, **_FLIGHTS,
            **_PASSENGERS, "payment_methods": listed("What pays how much.", _PAYMENT), **_BAGS,
            "insurance": text("Whether with travel insurance.", "yes", "no"),
        },
        book),
    "cancel_reservation": Tool("Cancel a whole reservation.", _RESERVATION, cancel),
    "update_reservation_flights": Tool("Change the flights or the cabin of a reservation.",
                                       {**_RESERVATION, **_CABIN, **_FLIGHTS, **_PAYS}, change_flights),
    "update_reservation_baggages": Tool("Change the checked bags of a reservation.",
                                        {**_RESERVATION, **_BAGS, **_PAYS}, change_baggages),
    "update_reservation_passengers": Tool("Change who flies, not how many.", {**_RESERVATION, **_PASSENGERS},
                                          change_passengers),
    "send_certificate": Tool("Give a user a travel certificate as a compensation.",
                             {**_USER, "amount": whole("Dollars.")}, send_certificate),
    "calculate": CALCULATE,
    "transfer_to_human_agents": TRANSFER,
}  # fmt: skip
"""Name -> tool, in the order in which an agent is told of them."""
