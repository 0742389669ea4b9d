"""Jobs about data: questions that lists and logs answer, and lists to be written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from acgym.envs.names import words
from acgym.envs.world.office.staff import Job, Office, half, in_words
from acgym.types import Json

_STATES = words("open paid late cancelled")
_COUNTRIES = words("Norway Portugal Latvia Austria Ireland Slovenia Iceland Cyprus")
_REPORTS = words("monday backlog overview morning weekly board stock review")


class Order(NamedTuple):
    """A row of /data/orders.csv."""

    number: int
    customer: str
    country: str
    amount: int
    state: str


class Data(NamedTuple):
    """What the lists and logs hold."""

    orders: list[Order]
    contacts: dict[str, str]
    """Customer -> the person there whom one rings."""
    entries: list[tuple[str, str, str]]
    """Date, time, name: who came in, in order."""


def write_data(office: Office) -> Data:
    """Write orders, customers and the log of the door, once an office."""
    if "data" in office.made:
        made: Data = office.made["data"]
        return made
    draw = office.draw
    customers = office.companies[: 5 if office.level < 4 else 8]
    country = {one: draw.pick(half(_COUNTRIES, office.split)) for one in customers}
    orders = []
    for _ in range({1: 12, 2: 18, 3: 30, 4: 45, 5: 60}[office.level]):
        customer = draw.pick(customers)
        state = draw.pick(_STATES)
        orders.append(Order(office.number(), customer, country[customer], draw.between(40, 2500), state))
    rows = [f"{one.number},{one.customer},{one.country},{one.amount},{one.state}" for one in draw.shuffled(orders)]
    office.files["/data/orders.csv"] = "\n".join(["number,customer,country,amount,state", *rows, ""])
    names = [f"{one.name.split()[0]} {other.name.split()[1]}" for one, other in
             zip(office.people, [*office.people[3:], *office.people[:3]], strict=True)]  # fmt: skip
    contacts = dict(zip(customers, names, strict=False))
    office.files["/data/customers.csv"] = "\n".join(
        ["customer,contact", *(f"{c},{p}" for c, p in contacts.items()), ""]
    )
    entries: list[tuple[str, str, str]] = []
    for back in range(4, 0, -1):
        day = office.days_ago(back, back).isoformat()
        minute = 420
        for _ in range(draw.between(5, 7 if office.level < 4 else 11)):
            minute += draw.between(1, 25)
            entries.append((day, f"{minute // 60:02}:{minute % 60:02}", draw.pick(office.people).name))
    office.files["/logs/door.log"] = "".join([f"{day} {time} {name} came in\n" for day, time, name in entries])
    data = Data(orders, contacts, entries)
    office.made["data"] = data
    return data


Made = tuple[str, str, list[str]]
"""A question, its answer, and the commands that show what it rests on."""
_ORDERS, _DOOR = "cat /data/orders.csv", "cat /logs/door.log"


def _count(office: Office, data: Data) -> Made:
    one = office.draw.pick(data.orders)
    found = sum(order.country == one.country and order.state == one.state for order in data.orders)
    asked = office.say(
        [f"How many orders from {one.country} are {one.state}?"],
        [f"{one.country}: how many {one.state} orders are there?"],
    )
    return asked, str(found), [_ORDERS]


def _door_people(office: Office, data: Data) -> Made:
    day = office.draw.pick(data.entries)[0]
    found = len({name for date, _, name in data.entries if date == day})
    shown = in_words(office.today.fromisoformat(day))
    asked = office.say(
        [f"How many different people came in by the door on {shown}?"],
        [f"On {shown}, how many people were in the house?"],
    )
    return asked, str(found), [_DOOR]


def _door_first(office: Office, data: Data) -> Made:
    day = office.draw.pick(data.entries)[0]
    first = office.draw.chance(0.5)
    name = [name for date, _, name in data.entries if date == day][0 if first else -1]
    shown = in_words(office.today.fromisoformat(day))
    which = "first" if first else "last"
    asked = office.say([f"Who was the {which} to come in on {shown}?"], [f"Who came in {which} on {shown}?"])
    return asked, name, [_DOOR]


def _owed(office: Office, data: Data) -> Made:
    customer = office.draw.pick(data.orders).customer
    left = sum(order.amount for order in data.orders if order.customer == customer and order.state in ("open", "late"))
    contact = data.contacts[customer]
    asked = office.say(
        [f"{contact} rings and wants to know what their firm has still to pay us, open and late together, in EUR."],
        [f"What do the orders of the firm where {contact} works come to that are open or late, in EUR?"],
    )
    return asked, str(left), ["cat /data/customers.csv", _ORDERS]


def _most(office: Office, data: Data) -> Made | None:
    state = office.draw.pick(_STATES)
    counts = Counter(order.customer for order in data.orders if order.state == state).most_common(2)
    if len(counts) < 2 or counts[0][1] == counts[1][1]:
        return None
    asked = office.say(
        [f"Who should we ring at the customer that has more {state} orders than any other?"],
        [f"Which contact belongs to the customer with the most orders that are {state}?"],
    )
    return asked, data.contacts[counts[0][0]], [_ORDERS, "cat /data/customers.csv"]


def _team_in(office: Office, data: Data) -> Made:
    day = office.draw.pick(data.entries)[0]
    team = office.draw.pick([one.team for one in office.people if one.team != "Office"])
    there = {name for date, _, name in data.entries if date == day}
    found = sum(one.team == team and one.name in there for one in office.people)
    shown = in_words(office.today.fromisoformat(day))
    asked = office.say(
        [f"How many people of {team} came in on {shown}?"], [f"{team} on {shown}: how many of them were here?"]
    )
    return asked, str(found), [_DOOR, "cat /staff/people.csv"]


_EASY: tuple[Callable[[Office, Data], Made | None], ...] = (_count, _door_people, _door_first)
_HARD: tuple[Callable[[Office, Data], Made | None], ...] = (_owed, _most, _team_in)


def question(office: Office) -> Job:
    """Answer a question from lists and logs; ``{job}`` in the commands is the number that the job gets."""
    data = write_data(office)
    made = None
    while made is None:
        made = office.draw.pick(_EASY if office.level <= 2 else _HARD)(office, data)
    asked, value, reads = made
    hint = " The lists are in /data, the log of the door is in /logs." if office.level <= 2 else ""
    rows: list[list[Json]] = [["answer", "{job}", value]]
    return Job("question", f"{asked} Say it with: answer {{job}} ...{hint}", rows, reads, [f"answer {{job}} {value}"])


def report(office: Office) -> Job:
    """Write the numbers of certain orders into a file."""
    data = write_data(office)
    draw = office.draw
    name = f"/reports/{draw.pick(half(_REPORTS, office.split))}-{office.number()}.txt"
    least = draw.pick((300, 500, 800, 1000))
    found: list[Order] = []
    while not 1 <= len(found) <= 12:
        one, least = draw.pick(data.orders), draw.pick((300, 500, 800, 1000, 1500))
        found = [order for order in data.orders if order.state == one.state]
        if office.level >= 3:
            found = [order for order in found if order.amount > least]
        if office.level >= 4:
            found = [order for order in found if order.country != one.country]
    what = f"{one.state} orders"
    if office.level >= 3:
        what += f" of more than {least} EUR"
    if office.level >= 4:
        what += f" that do not come from {one.country}"
    asked = office.say(
        [f"Write the numbers of all {what} into {name}, one a line, the smallest first, nothing else."],
        [f"{name} shall list all {what}: their numbers only, each on a line of its own, in ascending order."],
    )
    numbers = sorted(order.number for order in found)
    hint = " The orders are in /data/orders.csv." if office.level <= 2 else ""
    text = "".join([f"{number}\n" for number in numbers])
    act = f"printf '{text.encode('unicode_escape').decode()}' > {name}"
    return Job("report", asked + hint, [["file", name, text]], [_ORDERS], [act])
