"""Logs and tables: joins over shifts, stops and members, with one right line among many."""

from __future__ import annotations

from acgym.draw import Draw
from acgym.envs.context.longqa.archive import ONE, Archive, Order
from acgym.envs.context.people import near_people, people

_MACHINES = tuple(f"{kind} {n}" for kind in ("press", "loom", "kiln", "pump") for n in range(1, 7))
_EVENTS = (
    "started",
    "stopped: no oil",
    "stopped: belt torn",
    "stopped: too hot",
    "stopped: door open",
    "cleaned",
    "checked",
)
_TOWNS = ("Ardley", "Ardlow", "Marbeck", "Marwick", "Thornby", "Thornley")
_TRADES = ("potter", "printer", "weaver", "joiner", "smith", "binder")


def log(order: Order) -> Archive:
    """Draw a log of several days with a shift book, and ask who was on duty at one event, or for a machine's stops."""
    draw = order.draw
    rows_left = max(12, order.words // 6)
    days = min(28, 3 + rows_left // 40)
    crew = near_people(draw, order.split, 6)
    shifts = [[draw.pick(crew) for _ in range(3)] for _ in range(days)]
    book = [f"Day {day}: early {a}, late {b}, night {c}" for day, (a, b, c) in enumerate(shifts, 1)]
    rows_left = max(12, (order.words - sum(len(line.split()) for line in book) - 20) // 6)
    times = sorted(draw.sample(range(days * 24 * 12), min(rows_left, days * 24 * 10)))
    rows = [(time, draw.pick(_MACHINES), draw.pick(_EVENTS)) for time in times]
    stops = [row for row in rows if row[2].startswith("stopped") and row[0] >= 72]  # from the first shift on
    told = "Shift book (early from 6:00, late from 14:00, night from 22:00 until 6:00 of the next day)\n" + "\n".join(
        book
    )
    told += "\n\nLog\n" + "\n".join(
        f"Day {t // 288 + 1}, {t % 288 // 12}:{t % 12 * 5:02d}: {m} {e}" for t, m, e in rows
    )
    if (order.level >= 2 and draw.chance(0.5)) or not stops:
        machine, reason = draw.pick(stops or rows)[1:]
        count = sum(m == machine and e == reason for _, m, e in rows)
        question = f"How many times did {machine} have the entry {reason!r}?"
        return Archive("multi: log", told, question, ONE, "value", str(count))
    machine = draw.pick(stops)[1]
    last = max(t for t, m, _ in stops if m == machine)
    day, hour = divmod(last // 12, 24)
    shift = 0 if 6 <= hour < 14 else 1 if 14 <= hour < 22 else 2
    who = shifts[day if hour >= 6 else day - 1][shift]
    question = f"Who was on duty when {machine} stopped for the last time, whatever for? Give the full name."
    return Archive("multi: log", told, question, ONE, "value", who, crew, place=100 * last / (days * 288))


def table(order: Order) -> Archive:
    """Draw a table of members and ask for the one whom two conditions and a comparison single out, or for a sum."""
    draw = order.draw
    count = max(8, min(700, (order.words - 10) // 7))
    pool = people(order.split)
    names = draw.sample(pool, min(count, len(pool)))
    rows = [
        (name, draw.pick(_TOWNS), draw.pick(_TRADES), draw.between(2001, 2029), fee)
        for name, fee in zip(names, _fees(draw, len(names)), strict=True)
    ]
    told = "Members\nname | village | trade | since | fee in crowns\n" + "\n".join(
        f"{name} | {town} | {trade} | {since} | {fee}" for name, town, trade, since, fee in rows
    )
    town, trade = draw.pick(rows)[1:3]
    chosen = [row for row in rows if row[1] == town and row[2] == trade]
    if order.level <= 2 or draw.chance(0.6):
        high = draw.chance(0.5)
        best = (max if high else min)(chosen, key=lambda row: row[4])
        question = f"Which {trade} of {town} pays the {'highest' if high else 'lowest'} fee? Give the full name."
        return Archive("multi: table", told, question, ONE, "value", best[0], [row[0] for row in chosen])
    year = draw.between(2006, 2026)
    total = sum(since < year for *_, since, _ in chosen)
    question = f"How many of the members of {town} who are {trade}s by trade have been members since before {year}?"
    return Archive("multi: table", told, question, ONE, "value", str(total))


def _fees(draw: Draw, count: int) -> list[int]:
    """Return fees without equals, so that there is one highest and one lowest."""
    return draw.sample(range(100, 100 + 3 * count + 200), count)
