"""What happens in an episode of LongAgent: threads of messages laid over the turns, each with what must be answered."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from acgym.draw import Draw
from acgym.envs.context.longagent import words as w
from acgym.envs.context.longagent.cast import Cast
from acgym.types import Json, Split

NOTHING = "nothing"


class Shape(NamedTuple):
    """What a level asks."""

    turns: int
    load: int  # threads to remember: facts, promises, rules, tallies
    changes: float  # chance that a fact, a promise or a rule changes before it is needed
    kinds: tuple[str, ...]  # kinds of thread, drawn in turn


SHAPES = {
    1: Shape(10, 3, 0.0, ("fact", "fact", "promise")),
    2: Shape(20, 5, 0.3, ("fact", "promise", "fact", "negative", "fact")),
    3: Shape(40, 10, 0.5, ("fact", "promise", "rule", "fact", "negative", "fact", "promise")),
    4: Shape(70, 16, 0.6, ("fact", "promise", "rule", "tally", "hops", "fact", "negative")),
    5: Shape(120, 30, 0.7, ("fact", "promise", "rule", "tally", "hops", "fact", "negative", "fact")),
}
TURNS_PER_THREAD = 3
"""Fewest turns for each thread to remember, so that all of them find room."""
MOST_THREADS = 150
WORK = 0.25
"""Share of work to be done at once among the messages that need no memory; the others are small talk."""


class Event(NamedTuple):
    """One message of a thread."""

    text: str
    wanted: str | None = None
    """What must be answered; None where nothing is asked."""
    old: tuple[str, ...] = ()
    """Values that were right before a change."""
    told: bool = True
    """Whether what it says must be remembered; the distance of a question counts from the last such message."""


class Thread(NamedTuple):
    """Messages that belong together, in their order."""

    kind: str
    events: list[Event]


def script(draw: Draw, split: Split, shape: Shape, distance: int | None) -> list[dict[str, Json]]:
    """Draw an episode: for each turn its message, what it wants, and how far back what it needs was told.

    Args:
        draw: source of all choices.
        split: whose people talk.
        shape: how many turns and threads of which kinds.
        distance: turns between the last message that a question needs and the question; None for any. Kept as nearly
            as the other threads leave room.
    """
    cast = Cast(draw, split)
    threads = _threads(draw, cast, shape)
    rows: list[dict[str, Json] | None] = [None] * shape.turns
    free = list(range(shape.turns))
    for thread in draw.shuffled(threads):
        spots = _spots(draw, free, [event.wanted is None for event in thread.events], distance)
        last: int | None = None
        for spot, event in zip(spots, thread.events, strict=True):
            free.pop(bisect_left(free, spot))
            row: dict[str, Json] = {"kind": thread.kind if event.wanted is not None else "note", "text": event.text}
            if event.wanted is not None:
                row.update(wanted=event.wanted, old=list(event.old), distance=None if last is None else spot - last)
            elif event.told:
                last = spot
            rows[spot] = row
    return [row or _work(draw, cast) for row in rows]


def _threads(draw: Draw, cast: Cast, shape: Shape) -> list[Thread]:
    """Draw the threads; those that would not fit into the turns are drawn without changes."""
    kinds, threads, left = _kinds(shape), [], shape.turns
    for i, kind in enumerate(kinds):
        thread = _MAKERS[kind](draw, cast, shape)
        if len(thread.events) > left - 2 * (len(kinds) - i - 1):
            thread = _fact(draw, cast, shape._replace(changes=0.0))
        threads.append(thread)
        left -= len(thread.events)
    return threads


def _kinds(shape: Shape) -> list[str]:
    kinds = [shape.kinds[i % len(shape.kinds)] for i in range(shape.load)]
    seen = {"rule": 0, "tally": 0}
    limits = {"rule": len(w.RULES), "tally": len(w.STOCK)}
    for i, kind in enumerate(kinds):  # each rule and each stock is told of once
        if kind in seen:
            seen[kind] += 1
            if seen[kind] > limits[kind]:
                kinds[i] = "fact"
    return kinds


def _spots(draw: Draw, free: Sequence[int], tells: Sequence[bool], distance: int | None) -> list[int]:
    """Choose turns for a thread's messages, in order; with a distance, telling and asking lie so far apart."""
    count = len(tells)
    if distance is None:
        return sorted(draw.sample(free, count))
    before = next((i for i in range(count) if not tells[i]), count) - 1  # the last message before the first question
    asks = count - 1 - before
    latest = max(before, min(len(free) - 1 - asks, bisect_left(free, free[-1] - distance - asks + 1)))
    at = draw.between(before, latest)
    ask = bisect_left(free, free[at] + distance)
    ask = max(at + 1, min(ask, len(free) - asks))
    if ask > at + 1 and free[at] + distance - free[ask - 1] < free[ask] - free[at] - distance:
        ask -= 1
    return [*sorted(draw.sample(free[:at], before)), free[at], *free[ask : ask + asks]]


def _work(draw: Draw, cast: Cast) -> dict[str, Json]:
    """Draw a message that needs no memory: small talk, or work with three numbers to do at once."""
    if not draw.chance(WORK):
        return {"kind": "talk", "text": cast.talk()}
    said, how = draw.pick(w.SUMS)
    numbers = [draw.between(11, 89) for _ in range(3)]
    text = said.format(a=numbers[0], b=numbers[1], c=numbers[2], p=cast.passer())
    result = {"max": max(numbers), "min": min(numbers), "middle": sorted(numbers)[1]}.get(how, sum(numbers))
    return {"kind": "work", "text": text, "wanted": str(result), "old": [], "distance": 0}


F = TypeVar("F", w.Family, w.Promise)


def _pick(draw: Draw, cast: Cast, families: Sequence[F]) -> F:
    """Draw a family of which there is a subject left."""
    while True:
        family = draw.pick(families)
        if cast.has(family.subject, _purpose(family)):
            return family


def _purpose(family: w.Family | w.Promise) -> str:
    """Name what a subject is used for: what is kept for somebody excludes what somebody is to be handed."""
    if family.value == "thing":
        return "thing"
    return f"{'promise' if isinstance(family, w.Promise) else 'fact'} {family.value} {family.subject}"


def _fact(draw: Draw, cast: Cast, shape: Shape) -> Thread:
    family = _pick(draw, cast, w.FAMILIES)
    subject = cast.subject(family.subject, _purpose(family))
    values = [cast.value(family.value)]
    events = [Event(draw.pick(family.tells).format(s=subject, v=values[0]))]
    while len(values) < 3 and draw.chance(shape.changes):
        values.append(cast.value(family.value))
        events.append(Event(draw.pick(family.changes).format(s=subject, v=values[-1])))
    before = len(values) > 1 and draw.chance(0.4)
    asked = draw.pick(family.before if before else family.asks)
    wanted = values[-2 if before else -1]
    old = [value for value in values if value != wanted]
    return Thread("before" if before else "fact", [*events, Event(asked.format(s=subject), wanted, tuple(old))])


def _promise(draw: Draw, cast: Cast, shape: Shape) -> Thread:
    family = _pick(draw, cast, w.PROMISES)
    subject = cast.subject(family.subject, _purpose(family))
    value, old = cast.value(family.value), []
    events = [Event(draw.pick(family.tells).format(s=subject, v=value))]
    if draw.chance(shape.changes):
        old = [value]
        cancelled = draw.chance(0.4)
        value = NOTHING if cancelled else cast.value(family.value)
        said = draw.pick(family.cancels if cancelled else family.changes)
        events.append(Event(said.format(s=subject, v=value)))
    return Thread("promise", [*events, Event(draw.pick(family.happens).format(s=subject), value, tuple(old))])


def _negative(draw: Draw, cast: Cast, shape: Shape) -> Thread:
    """Something happens for which nothing was promised; something else is told first, often of a namesake."""
    family = _pick(draw, cast, w.PROMISES)
    subject = cast.subject(family.subject, _purpose(family))
    told = _pick(draw, cast, w.FAMILIES)
    other = cast.subject(told.subject, _purpose(told))
    note = Event(draw.pick(told.tells).format(s=other, v=cast.value(told.value)), told=False)
    return Thread("promise", [note, Event(draw.pick(family.happens).format(s=subject), NOTHING)])


def _rule(draw: Draw, cast: Cast, shape: Shape) -> Thread:
    rule = cast.rule()
    limit, (a, b) = cast.limit(rule), cast.outcomes(rule)
    events = [Event(draw.pick(rule.tells).format(limit=limit, a=a, b=b))]
    events.append(_case(draw, cast, rule, limit, a, b, ()))
    old: tuple[str, ...]
    if draw.chance(shape.changes):
        if draw.chance(0.5):
            limit = cast.limit(rule, limit)
            said, old = draw.pick(rule.new_limit).format(limit=limit), ()
        else:
            old, a = (a,), cast.value(rule.outcome)
            said = draw.pick(rule.new_outcome).format(a=a)
        events.append(Event(said))
        events.append(_case(draw, cast, rule, limit, a, b, old))
    events.append(_case(draw, cast, rule, limit, a, b, ()))
    return Thread("rule", events)


def _case(draw: Draw, cast: Cast, rule: w.Rule, limit: str, a: str, b: str, old: tuple[str, ...]) -> Event:
    over = draw.chance(0.5)
    n = cast.case(rule, limit, over)
    said = draw.pick(rule.cases).format(n=n, p=cast.passer(), f=draw.pick(w.FIRMS))
    return Event(said, a if over else b, old if over else ())


def _tally(draw: Draw, cast: Cast, shape: Shape) -> Thread:
    stock, out, events = cast.stock(), 0, []
    for i in range(draw.between(3, 5)):
        back = i > 1 and out > 3 and draw.chance(0.4)
        n = draw.between(2, out - 1) if back else draw.between(3, 19)
        out += -n if back else n
        said = draw.pick(w.TALLY_IN if back else w.TALLY_OUT)
        events.append(Event(said.format(n=n, s=stock, p=cast.passer())))
    return Thread("tally", [*events, Event(draw.pick(w.TALLY_ASK).format(s=stock), str(out))])


def _hops(draw: Draw, cast: Cast, shape: Shape) -> Thread:
    asked, value = draw.pick(w.TWO_HOPS)
    works = next(f for f in w.FAMILIES if (f.subject, f.value) == ("person", "room"))
    opens = next(f for f in w.FAMILIES if (f.subject, f.value) == ("room", value))
    if not cast.has("room", _purpose(opens)):
        return _fact(draw, cast, shape)
    subject = cast.subject("person", _purpose(works))
    room = cast.subject("room", _purpose(opens))
    wanted, old = cast.value(value), []
    events = [
        Event(draw.pick(works.tells).format(s=subject, v=room)),
        Event(draw.pick(opens.tells).format(s=room, v=wanted)),
    ]
    if draw.chance(0.5):
        events.reverse()
    if draw.chance(shape.changes):
        old, wanted = [wanted], cast.value(value)
        events.append(Event(draw.pick(opens.changes).format(s=room, v=wanted)))
    return Thread("hops", [*events, Event(asked.format(s=subject), wanted, tuple(old))])


_MAKERS: dict[str, Callable[[Draw, Cast, Shape], Thread]] = {
    "fact": _fact,
    "promise": _promise,
    "negative": _negative,
    "rule": _rule,
    "tally": _tally,
    "hops": _hops,
}
