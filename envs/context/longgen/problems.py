"""Word problems with whole numbers, one to five steps each, from templates written here."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from acgym.draw import Draw


class Problem(NamedTuple):
    """A question and its answer, a whole number."""

    text: str
    answer: int


Maker = Callable[[Draw, str, str], Problem]


def _till(d: Draw, p: str, q: str) -> Problem:
    a, b, c = d.between(12, 40), d.between(3, 9), d.between(2, 9)
    return Problem(f"{p} has {a} eggs, uses {b} for a cake and gives {c} to {q}. How many are left?", a - b - c)


def _rows(d: Draw, p: str, q: str) -> Problem:
    a, b, c = d.between(4, 12), d.between(5, 14), d.between(2, 9)
    return Problem(
        f"{p} sets {a} rows of {b} chairs and {c} chairs along the wall. How many chairs is that?", a * b + c
    )


def _pages(d: Draw, p: str, q: str) -> Problem:
    a, b = d.between(12, 35), d.between(4, 9)
    return Problem(f"A book has {a * b} pages. {p} reads {a} pages a day. How many days does the whole book take?", b)


def _change(d: Draw, p: str, q: str) -> Problem:
    a, b, note = d.between(3, 9), d.between(4, 12), d.pick((100, 200))
    return Problem(f"{p} buys {a} jars at {b} crowns each and pays with a note of {note} crowns. How much comes back?",
                   note - a * b)  # fmt: skip


def _older(d: Draw, p: str, q: str) -> Problem:
    a, b = d.between(8, 30), d.between(3, 20)
    return Problem(f"{p} is {a} years old and {b} years younger than {q}. How old will {q} be in {a} years?", 2 * a + b)


def _boxes(d: Draw, p: str, q: str) -> Problem:
    a, b, c = d.between(6, 12), d.between(5, 11), d.between(1, 5)
    return Problem(f"{p} packs {a * b + c} apples into bags of {a}. How many apples do not fill a bag?", c)


def _wages(d: Draw, p: str, q: str) -> Problem:
    a, b, c, e = d.between(3, 6), d.between(4, 8), d.between(11, 19), d.between(10, 60)
    return Problem(f"{p} works {a} days a week, {b} hours a day, for {c} crowns an hour, and pays {e} crowns a week "
                   f"for the "
                   f"bus. What is left of a week's pay?", a * b * c - e)  # fmt: skip


def _train(d: Draw, p: str, q: str) -> Problem:
    a, b, c = d.between(40, 90), d.between(2, 5), d.between(20, 60)
    c += (a * b + c) % 2  # so that half of it is whole
    return Problem(
        f"A train goes {a} km an hour for {b} hours and then {c} km more. {q} drives half that distance and "
        f"{a} km besides. How many km does {q} drive?",
        (a * b + c) // 2 + a,
    )


def _twice(d: Draw, p: str, q: str) -> Problem:
    a, b, c = d.between(5, 20), d.between(2, 5), d.between(2, 9)
    return Problem(f"{p} picked {a} baskets of plums. {q} picked {b} times as many but {c} of them were spoiled. "
                   f"How many "
                   f"good baskets did the two pick together?", a + a * b - c)  # fmt: skip


def _tank(d: Draw, p: str, q: str) -> Problem:
    a, b, c, e = d.between(6, 12), d.between(2, 5), d.between(5, 12), d.between(20, 60)
    return Problem(f"There are {e} litres in a large tank. A pipe brings {a} litres a minute and a leak loses {b} "
                   f"litres a "
                   f"minute. How many litres are in it after {c} minutes?", e + c * (a - b))  # fmt: skip


def _fence(d: Draw, p: str, q: str) -> Problem:
    a, b, c = d.between(6, 20), d.between(5, 15), d.between(2, 4)
    return Problem(f"{p} fences a garden of {a} by {b} metres and leaves a gate of {c} metres open. How many metres "
                   f"of fence "
                   f"are needed?", 2 * (a + b) - c)  # fmt: skip


def _share(d: Draw, p: str, q: str) -> Problem:
    a, b, c = d.between(3, 8), d.between(6, 15), d.between(2, 5)
    return Problem(f"{p} and {a - 1} friends share {a * b} nuts equally. {p} gives {c} of those to {q}, who had "
                   f"none. How "
                   f"many more nuts has {p} than {q} then?", b - 2 * c)  # fmt: skip


def _shop(d: Draw, p: str, q: str) -> Problem:
    a, b, c, e = d.between(2, 6), d.between(12, 30), d.between(2, 6), d.between(5, 11)
    off = d.pick((10, 20, 50))
    whole = (a * b + c * e) * 10
    return Problem(f"{p} buys {a} shirts at {b * 10} crowns and {c} belts at {e * 10} crowns. The shop takes {off} "
                   f"percent "
                   f"off. What does {p} pay, in whole crowns?", whole * (100 - off) // 100)  # fmt: skip


def _bakery(d: Draw, p: str, q: str) -> Problem:
    a, b, c, e = d.between(3, 7), d.between(12, 24), d.between(5, 20), d.between(2, 6)
    left = a * b - c
    return Problem(f"A bakery makes {a} trays of {b} rolls. {c} are burnt. {p} buys {e} of the good ones for each of 4 "
                   f"guests and {q} buys 3. How many good rolls are left?", left - 4 * e - 3)  # fmt: skip


def _stairs(d: Draw, p: str, q: str) -> Problem:
    a, b, c = d.between(5, 12), d.between(14, 22), d.between(2, 4)
    return Problem(f"A tower has {a} flights of {b} steps. {p} has climbed {c} flights and {b // 2} steps. How many "
                   f"steps "
                   f"are still to come?", (a - c) * b - b // 2)  # fmt: skip


def _clock(d: Draw, p: str, q: str) -> Problem:
    a, b, c, e, walk = (
        d.between(8, 14),
        d.between(2, 5),
        d.between(2, 11) * 5,
        d.between(1, 11) * 5,
        d.between(3, 9) * 5,
    )
    reached = c + e + walk + 60 * b
    return Problem(f"{p} begins work at {a}:{c}, works {b} hours and {e} minutes without a break and then walks "
                   f"home for "
                   f"{walk} minutes. How many minutes after {a + 1}:00 does {p} reach home?", reached - 60)  # fmt: skip


def _recipe(d: Draw, p: str, q: str) -> Problem:
    a, b, c = d.between(2, 5), d.between(3, 6), d.between(2, 6)
    people = a * c
    return Problem(f"A soup for {a} people needs {b} carrots and twice as many leeks. {p} cooks for {people} "
                   f"people. How many "
                   f"carrots and leeks are that together?", 3 * b * c)  # fmt: skip


def _garden(d: Draw, p: str, q: str) -> Problem:
    a, b, c, e = d.between(4, 9), d.between(6, 12), d.between(2, 5), d.between(2, 4)
    return Problem(f"{p} plants {a} rows of {b} beans. Snails eat {c} plants in every row. Each plant that is left "
                   f"bears {e} "
                   f"pods on Monday and twice as many on Tuesday. How many pods are that in all?",
                   a * (b - c) * 3 * e)  # fmt: skip


def _club(d: Draw, p: str, q: str) -> Problem:
    a, b, c = d.between(20, 60), d.between(3, 12), d.between(2, 8)
    return Problem(f"A club has {a} members. {b} leave, then twice as many join as have left, and {p} brings {c} "
                   f"friends "
                   f"who join too. How many members has it now?", a + b + c)  # fmt: skip


def _print(d: Draw, p: str, q: str) -> Problem:
    a, b, c, e = d.between(12, 30), d.between(3, 8), d.between(2, 6), d.between(5, 20)
    return Problem(f"{q} prints {a} sheets a minute. After {b} minutes the press stops for {c} minutes, then it "
                   f"runs for "
                   f"{b + c} minutes more. {e} sheets are spoiled. How many good sheets are there?",
                   a * (2 * b + c) - e)  # fmt: skip


def _ferry(d: Draw, p: str, q: str) -> Problem:
    a, b, c = d.between(3, 6), d.between(8, 15), d.between(2, 7)
    return Problem(f"A ferry with {b} seats crosses {a} times and is full each time but the last, when {c} seats "
                   f"stay empty. "
                   f"A seat costs 4 crowns. How many crowns are taken?", 4 * (a * b - c))  # fmt: skip


def _savings(d: Draw, p: str, q: str) -> Problem:
    a, b, c, weeks = d.between(6, 15), d.between(2, 5), d.between(10, 40), d.between(4, 9)
    return Problem(f"{p} saves {a} crowns a week and {q} {b} crowns a week more than {p}. {q} has {c} crowns "
                   f"already. How much "
                   f"more than {p} has {q} after {weeks} weeks, if {p} began with nothing?", b * weeks + c)  # fmt: skip


def _paint(d: Draw, p: str, q: str) -> Problem:
    a, b, c, rate = d.between(4, 9), d.between(2, 4), d.between(3, 8), d.between(2, 4)
    area = 2 * a * b * rate
    return Problem(f"{p} paints two walls, each {a * rate} metres long and {b} metres high. A pot is enough for "
                   f"{rate} square "
                   f"metres and costs {c} crowns. What do the pots cost?", area // rate * c)  # fmt: skip


def _library(d: Draw, p: str, q: str) -> Problem:
    a, b, c, e = d.between(5, 9), d.between(20, 40), 3 * d.between(10, 30), d.between(4, 12)
    return Problem(
        f"A library has {a} shelves of {b} books. {c} books are lent out, and a third as many are at the binder. "
        f"{p} brings {e} of the lent books back. How many books stand on the shelves?",
        a * b - c - c // 3 + e,
    )


EASY: tuple[Maker, ...] = (_till, _rows, _pages, _change, _older, _boxes, _fence, _stairs, _club)
MEDIUM: tuple[Maker, ...] = (_wages, _twice, _share, _recipe, _ferry, _savings, _tank, _bakery)
HARD: tuple[Maker, ...] = (_train, _shop, _garden, _print, _paint, _library, _clock)
POOLS = {1: EASY, 2: EASY + MEDIUM, 3: EASY + MEDIUM + HARD, 4: MEDIUM + HARD, 5: MEDIUM + HARD}


def problem(draw: Draw, level: int, one: str, other: str) -> Problem:
    """Draw a problem of a level about two people; its answer is a whole number from 1 up."""
    while True:
        found = draw.pick(POOLS[level])(draw, one, other)
        if found.answer > 0:
            return found
