"""Records to be written as JSON: books of orders, loans, boats and beds, each entry told in a sentence or two."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from acgym.draw import Draw
from acgym.envs.context.people import ordinal
from acgym.envs.spoken import MONTHS
from acgym.types import Json

_WARES = (
    "lamps",
    "ropes",
    "tiles",
    "bowls",
    "hinges",
    "brushes",
    "buckets",
    "candles",
    "baskets",
    "mirrors",
    "ladders",
)
_BOATS = ("Heron", "Herring", "Curlew", "Kestrel", "Kittiwake", "Petrel", "Plover", "Tern", "Teal", "Wigeon", "Widgeon")
_BOOKS = ("On Bridges", "On Bread", "The Salt Road", "The Silk Road", "A Year of Frost", "A Year of Frogs",
          "Small Engines",
          "Still Waters", "Clock and Compass", "The Bee Book", "The Bell Book")  # fmt: skip
_PLANTS = ("leeks", "beans", "carrots", "beets", "kale", "onions", "peas", "radishes", "spinach", "parsnips")


class Book(NamedTuple):
    """A kind of record."""

    name: str
    rules: tuple[str, ...]
    """What the fields mean, a line each."""
    entry: Callable[[Draw, int, str], tuple[str, dict[str, Json]]]
    """Draw an entry from its number and a person: how it is told, and the record."""


def _day(draw: Draw) -> date:
    return date(2031, 1, 1) + timedelta(days=draw.below(360))


def _said(draw: Draw, day: date) -> str:
    month = MONTHS[day.month - 1]
    return draw.pick((f"{day.day} {month}", f"{month} {day.day}", f"the {ordinal(day.day)} of {month}"))


def _order(draw: Draw, number: int, person: str) -> tuple[str, dict[str, Json]]:
    ware, count, price, day = draw.pick(_WARES), draw.between(2, 30), draw.between(3, 40), _day(draw)
    paid, express = draw.chance(0.5), draw.chance(0.4)
    said = draw.pick((
        f"Order {number}: {person} wants {count} {ware} at {price} crowns apiece, placed on {_said(draw, day)}.",
        f"On {_said(draw, day)} {person} ordered {count} {ware} (order {number}); one costs {price} crowns.",
        f"{count} {ware} for {person}, {price} crowns each, order {number}, dated {_said(draw, day)}.",
    ))  # fmt: skip
    said += (
        draw.pick((" The money is here.", " It has been paid."))
        if paid
        else draw.pick((" Nothing has been paid.", " The money is still to come."))
    )
    said += " It goes by express." if express else ""
    total = count * price + (25 if express else 0)
    return said, {
        "id": number, "customer": person, "ware": ware, "count": count, "date": day.isoformat(),
        "total": total, "paid": paid,
    }  # fmt: skip


def _loan(draw: Draw, number: int, person: str) -> tuple[str, dict[str, Json]]:
    book, day, weeks = draw.pick(_BOOKS), _day(draw), draw.between(1, 4)
    renewed = draw.chance(0.4)
    said = draw.pick((
        f"Loan {number}: {person} took {book!r} on {_said(draw, day)} for {weeks} weeks.",
        f"{book!r} went to {person} on {_said(draw, day)}, for {weeks} weeks; that is loan {number}.",
        f"{person} has {book!r} since {_said(draw, day)} (loan {number}, {weeks} weeks).",
    )).replace("1 weeks", "1 week")  # fmt: skip
    said += " It was renewed once." if renewed else ""
    due = day + timedelta(weeks=weeks * (2 if renewed else 1))
    first, last = person.split()
    return said, {
        "id": number, "reader": f"{last}, {first}", "title": book, "taken": day.isoformat(), "due": due.isoformat(),
        "renewed": renewed,
    }  # fmt: skip


def _hire(draw: Draw, number: int, person: str) -> tuple[str, dict[str, Json]]:
    boat, hour, hours, people = draw.pick(_BOATS), draw.between(8, 14), draw.between(1, 5), draw.between(1, 6)
    jackets = draw.chance(0.5)
    said = draw.pick((
        f"Hire {number}: the {boat} for {person} from {hour}:00, {hours} hours, {people} on board.",
        f"{person} takes the {boat} at {hour}:00 for {hours} hours with {people} on board, hire {number}.",
        f"At {hour}:00 the {boat} goes out under hire {number}: {person}, {people} on board, back after {hours} hours.",
    )).replace(" 1 hours", " 1 hour")  # fmt: skip
    said += " They want life jackets." if jackets else ""
    return said, {
        "id": number, "boat": boat, "name": person, "start": f"{hour:02d}:00", "end": f"{hour + hours:02d}:00",
        "price": 12 * hours + (3 * people if jackets else 0), "jackets": people if jackets else 0,
    }  # fmt: skip


def _bed(draw: Draw, number: int, person: str) -> tuple[str, dict[str, Json]]:
    plant, rows, each, day = draw.pick(_PLANTS), draw.between(2, 9), draw.between(5, 20), _day(draw)
    lost, wet = draw.between(1, 6), draw.chance(0.5)
    said = draw.pick((
        f"Bed {number} belongs to {person}: {rows} rows of {plant}, {each} to a row, sown on {_said(draw, day)}.",
        f"{person} has sown {plant} in bed {number} on {_said(draw, day)}, {rows} rows with {each} in each.",
        f"Sown on {_said(draw, day)} in bed {number}: {plant}, {each} in each of {rows} rows. It is the bed of "
        f"{person}.",
    ))  # fmt: skip
    said += f" {lost} plants did not come up."
    said += draw.pick((" The ground is wet.", " It stands in the wet.")) if wet else " The ground is dry."
    return said, {
        "id": number, "keeper": person, "plant": plant, "sown": day.isoformat(), "plants": rows * each - lost,
        "water": "no" if wet else "yes",
    }  # fmt: skip


BOOKS = (
    Book("orders", (
        '"id": number of the order', '"customer": full name', '"ware": as told', '"count": how many',
        '"date": YYYY-MM-DD, in 2031', '"total": crowns in all, 25 more by express', '"paid": true or false',
    ), _order),
    Book("loans", (
        '"id": number of the loan', '"reader": "Last name, First name"', '"title": without quotes',
        '"taken": YYYY-MM-DD, in 2031',
        '"due": YYYY-MM-DD, the day taken plus the weeks, or plus twice the weeks if renewed',
        '"renewed": true or false',
    ), _loan),
    Book("hires", (
        '"id": number of the hire', '"boat": its name', '"name": full name', '"start": HH:MM', '"end": HH:MM',
        '"price": 12 crowns an hour, and 3 for each life jacket',
        '"jackets": how many, one for each on board if wanted, else 0',
    ), _hire),
    Book("beds", (
        '"id": number of the bed', '"keeper": full name', '"plant": as told', '"sown": YYYY-MM-DD, in 2031',
        '"plants": how many came up', '"water": "yes" for dry ground, else "no"',
    ), _bed),
)  # fmt: skip
