"""The travel agency: a session, credit cards, flights, bookings, insurance and a budget."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import date, datetime
from random import Random

from acgym.envs.tools.bfcl.services.base import Service
from acgym.envs.tools.bfcl.services.routes import AIRPORTS, FARES, NEAREST, RATES
from acgym.types import Json

_CLASSES = {"economy": 1, "business": 2, "first": 5}
TODAY = date(2026, 1, 1)
"""The day on which a traveller must be of age; fixed, so that an episode is the same on any day."""


class Travel(Service):
    """The service ``TravelAPI``."""

    DEFAULTS = {  # noqa: RUF012  (declared ClassVar by the base)
        "credit_card_list": {},
        "booking_record": {},
        "access_token": None,
        "token_type": None,
        "token_expires_in": None,
        "token_scope": None,
        "user_first_name": None,
        "user_last_name": None,
        "budget_limit": None,
    }

    def __init__(self, config: Mapping[str, Json], extension: Mapping[str, Json] | None = None) -> None:
        super().__init__(config, extension)
        self._random = Random(config.get("random_seed", 141053))
        if extension is not None:
            for held, name in (("credit_card_list", "CREDIT_CARD"), ("booking_record", "BOOKING_RECORD")):
                for key, row in extension[f"{name}_EXTENSION"].items():
                    self.state[held].setdefault(key, deepcopy(row))

    def authenticate_travel(
        self,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        grant_type: str,
        user_first_name: str,
        user_last_name: str,
    ) -> Json:
        """Open a session; any secret will do."""
        self.state |= {
            "token_expires_in": 2,
            "access_token": str(self._random.randint(100000, 999999)),
            "token_type": "Bearer",
            "token_scope": grant_type,
            "user_first_name": user_first_name,
            "user_last_name": user_last_name,
        }
        told = {"expires_in": 2, "access_token": self.state["access_token"], "token_type": "Bearer"}
        return {**told, "scope": grant_type}

    def travel_get_login_status(self) -> Json:
        """Tell whether a session is open."""
        return {"status": self.state["token_expires_in"] not in (None, 0)}

    def _refused(self, access_token: str) -> dict[str, Json] | None:
        """Return the error of a token that does not open anything."""
        if self.state["token_expires_in"] == 0:
            return {"error": "the token has expired"}
        return {"error": "the token is not valid"} if access_token != self.state["access_token"] else None

    def get_budget_fiscal_year(
        self,
        lastModifiedAfter: str | None = None,
        includeRemoved: str | None = None,
    ) -> Json:
        """Tell the fiscal year of the budget."""
        return {"budget_fiscal_year": "2018"}

    def register_credit_card(
        self,
        access_token: str,
        card_number: str,
        expiration_date: str,
        cardholder_name: str,
        card_verification_number: int,
    ) -> Json:
        """Register a card, which comes with a balance."""
        if self.state["token_expires_in"] is None:
            return {"error": "there is no session"}
        refused = self._refused(access_token)
        if refused:
            return refused
        if card_number in self.state["credit_card_list"]:
            return {"error": "the card is registered already"}
        card_id = str(self._random.randint(100000000000, 999999999999))
        self.state["credit_card_list"][card_id] = {
            "card_number": card_number,
            "expiration_date": expiration_date,
            "cardholder_name": cardholder_name,
            "card_verification_number": card_verification_number,
            "balance": self._random.randint(10000, 99999),
        }
        return {"card_id": card_id}

    @staticmethod
    def _fare(travel_from: str, travel_to: str, travel_date: str, travel_class: str) -> tuple[float, float]:
        """Return the fare, and what every economy dollar is multiplied with: the class, and dates of even digit sum."""
        if (travel_from, travel_to) not in FARES:
            raise ValueError("there is no flight between these airports")
        if travel_class not in _CLASSES:
            raise ValueError("there is no such class; the classes are economy, business and first")
        even = sum(int(char) for char in travel_date if char.isdigit()) % 2 == 0
        factor = _CLASSES[travel_class] * (2 if even else 1)
        return float(FARES[travel_from, travel_to] * factor), factor

    def get_flight_cost(self, travel_from: str, travel_to: str, travel_date: str, travel_class: str) -> Json:
        """Tell the fare of a flight."""
        fare, factor = self._fare(travel_from, travel_to, travel_date, travel_class)
        if self._extension is None:
            return {"travel_cost_list": [fare]}
        return {"travel_cost_list": [float(base * factor) for base in FARES.values()]}

    def get_credit_card_balance(self, access_token: str, card_id: str) -> Json:
        """Tell the balance of a card."""
        refused = self._refused(access_token)
        if refused:
            return refused
        cards = self.state["credit_card_list"]
        if card_id not in cards:
            return {"error": f"the card is not registered; the cards are {list(cards)}"}
        return {"card_balance": cards[card_id]["balance"]}

    def book_flight(
        self,
        access_token: str,
        card_id: str,
        travel_date: str,
        travel_from: str,
        travel_to: str,
        travel_class: str,
    ) -> Json:
        """Book a flight and pay it by card."""
        refused = self._refused(access_token)
        why = refused["error"] if refused else self._not_bookable(card_id, travel_date, travel_from, travel_to)
        if why is None:
            try:
                fare, _ = self._fare(travel_from, travel_to, travel_date, travel_class)
            except ValueError as error:
                why = str(error)
            else:
                why = self._not_payable(card_id, fare)
        if why is not None:
            return {"booking_status": False, "error": why}
        self.state["credit_card_list"][card_id]["balance"] -= fare
        booking_id = str(self._random.randint(1000000, 9999999))
        transaction_id = str(self._random.randint(10000000, 99999999))
        self.state["booking_record"][booking_id] = {
            "card_id": card_id,
            "travel_date": travel_date,
            "travel_from": travel_from,
            "travel_to": travel_to,
            "travel_class": travel_class,
            "travel_cost": fare,
            "transaction_id": transaction_id,
        }
        told = {"booking_id": booking_id, "transaction_id": transaction_id, "booking_status": True}
        return {**told, "booking_history": {} if self._extension is None else self.state["booking_record"]}

    def _not_bookable(self, card_id: str, travel_date: str, travel_from: str, travel_to: str) -> str | None:
        card = self.state["credit_card_list"].get(card_id)
        if card is None:
            return "the card is not registered"
        if "balance" not in card:
            return "the card has no balance"
        for airport in (travel_from, travel_to):
            if airport not in AIRPORTS:
                return f"there is no airport {airport}"
        try:
            datetime.strptime(travel_date, "%Y-%m-%d")
        except ValueError:
            return "the date must be YYYY-MM-DD"
        return None

    def _not_payable(self, card_id: str, fare: float) -> str | None:
        balance, limit = self.state["credit_card_list"][card_id]["balance"], self.state["budget_limit"]
        if balance < fare:
            return "the balance does not suffice"
        return "the balance is below the budget limit" if limit is not None and balance < limit else None

    def retrieve_invoice(
        self, access_token: str, booking_id: str | None = None, insurance_id: str | None = None
    ) -> Json:
        """Show the invoice of a booking."""
        refused = self._refused(access_token)
        if refused:
            return refused
        booking = self.state["booking_record"].get(booking_id)
        if booking is None:
            return {"error": "there is no such booking"}
        names = ("travel_date", "travel_from", "travel_to", "travel_class", "travel_cost", "transaction_id")
        return {"invoice": {"booking_id": booking_id, **{name: booking[name] for name in names}}}

    def get_booking_history(self, access_token: str) -> Json:
        """Show all bookings."""
        return self._refused(access_token) or {"booking_history": self.state["booking_record"]}

    def list_all_airports(self) -> Json:
        """List the airports."""
        return list(AIRPORTS)

    def cancel_booking(self, access_token: str, booking_id: str) -> Json:
        """Cancel a booking and pay the fare back."""
        refused = self._refused(access_token)
        if refused:
            return {"cancel_status": False, **refused}
        booking = self.state["booking_record"].get(booking_id)
        if booking is None:
            return {"cancel_status": False, "error": "there is no such booking"}
        self.state["credit_card_list"][booking["card_id"]]["balance"] += booking["travel_cost"]
        del self.state["booking_record"][booking_id]
        return {"cancel_status": True}

    def compute_exchange_rate(self, base_currency: str, target_currency: str, value: float) -> Json:
        """Convert between US dollars and another currency."""
        if base_currency == "USD" and target_currency in RATES:
            return {"exchanged_value": float(value * RATES[target_currency])}
        if target_currency == "USD" and base_currency in RATES:
            return {"exchanged_value": round(value / RATES[base_currency], 2)}
        raise ValueError("there is no rate for these currencies")

    def verify_traveler_information(
        self, first_name: str, last_name: str, date_of_birth: str, passport_number: str
    ) -> Json:
        """Say whether a traveller is the user, of age, and has a passport of the United States."""
        user = (self.state["user_first_name"], self.state["user_last_name"])
        why = None
        if user != (first_name, last_name):
            why = f"the traveller must be {user[0]} {user[1]}, not {first_name} {last_name}"
        else:
            try:
                born = datetime.strptime(date_of_birth, "%Y-%m-%d")
            except ValueError:
                why = "the date of birth must be YYYY-MM-DD"
            else:
                age = TODAY.year - born.year - ((TODAY.month, TODAY.day) < (born.month, born.day))
                if age < 18:
                    why = "the traveller must be 18 or older"
                elif not passport_number.startswith("US"):
                    why = "the passport must be of the United States"
        return (
            {"verification_status": True}
            if why is None
            else {
                "verification_status": False,
                "verification_failure": why,
            }
        )

    def set_budget_limit(self, access_token: str, budget_limit: float) -> Json:
        """Limit the budget."""
        refused = self._refused(access_token)
        if refused:
            return refused
        self.state["budget_limit"] = float(budget_limit)
        return {"budget_limit": self.state["budget_limit"]}

    def get_nearest_airport_by_city(self, location: str) -> Json:
        """Tell the airport of a city."""
        return {"nearest_airport": NEAREST.get(location, "Unknown")}

    def purchase_insurance(
        self, access_token: str, insurance_type: str, booking_id: str, insurance_cost: float, card_id: str
    ) -> Json:
        """Insure a booking and pay by card, into debt if need be."""
        refused, limit = self._refused(access_token), self.state["budget_limit"]
        why = refused["error"] if refused else None
        if why is None and limit is not None and limit < insurance_cost:
            why = "the insurance exceeds the budget limit"
        elif why is None and booking_id not in self.state["booking_record"]:
            why = "there is no such booking"
        elif why is None and card_id not in self.state["credit_card_list"]:
            why = "the card is not registered"
        if why is not None:
            return {"insurance_status": False, "error": why}
        self.state["credit_card_list"][card_id]["balance"] -= insurance_cost
        return {"insurance_id": str(self._random.randint(100000000, 999999999)), "insurance_status": True}

    def contact_customer_support(self, booking_id: str, message: str) -> Json:
        """Write to the customer support about a booking."""
        if booking_id not in self.state["booking_record"]:
            return {"error": "there is no such booking"}
        return {"customer_support_message": "your message has arrived and will be answered soon"}

    def get_all_credit_cards(self) -> Json:
        """Show all cards."""
        return {"credit_card_list": self.state["credit_card_list"]}
