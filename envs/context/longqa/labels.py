"""Many-shot classification with invented labels: things in a museum's list, sorted by what the examples show."""

from __future__ import annotations

from acgym.draw import Draw
from acgym.envs.context.longqa.archive import Archive, Order
from acgym.envs.names import distinct_names

_STUFF = {
    "metal": ("iron", "brass", "tin", "copper", "zinc", "lead", "steel", "bronze"),
    "wood": ("oak", "beech", "pine", "walnut", "ash", "birch", "maple", "cherry"),
    "cloth": ("linen", "wool", "cotton", "silk", "felt", "velvet", "hemp", "canvas"),
    "earth": ("clay", "slate", "marble", "brick", "granite", "chalk", "sandstone", "porcelain"),
}
_STATE = {
    "broken": ("cracked", "torn", "bent", "split", "chipped", "burst", "worn through"),
    "whole": ("sound", "intact", "unharmed", "as new", "undamaged", "complete", "in good order"),
}
_THINGS = ("bowl", "box", "lamp", "ring", "cover", "frame", "toy", "sign", "handle", "tray", "figure", "plate", "stand")
_SIZES = ("small", "large", "long", "round", "flat", "heavy", "narrow", "tall")
_FROM = ("mill", "school", "ship", "church", "farm", "station", "theatre", "bakery", "court", "inn")
_YEARS = (1780, 1930)


def labels(order: Order) -> Archive:
    """Draw examples with their labels and things without, whose labels are asked for.

    What decides is the stuff (level 1 and 2: which of four; from level 3 on which two of the four,
    together with whether the thing is broken); words seldom come again, sizes, places and years decide nothing.
    """
    draw, joined = order.draw, order.level >= 3
    names = distinct_names(draw, order.split, 4)
    stuffs = draw.shuffled(sorted(_STUFF))
    asked = 3 + (order.level >= 2) + (order.level >= 4)

    def one(fresh: bool, turn: int | None = None) -> tuple[str, str]:
        kind, state = draw.pick(stuffs), draw.pick(("broken", "whole"))
        if turn is not None:  # the first examples show every stuff in both states
            kind, state = stuffs[turn % 4], ("broken", "whole")[turn // 4]
        # The last words of each list stand only in the things that are asked for.
        words = _STUFF[kind][-2:] if fresh and order.level >= 4 else _STUFF[kind][: None if order.level < 4 else -2]
        label = names[2 * (stuffs.index(kind) // 2) + (state == "broken")] if joined else names[stuffs.index(kind)]
        return _thing(draw, draw.pick(words), draw.pick(_STATE[state])), label

    tests = [one(True) for _ in range(asked)]
    left = order.words - 40 * asked
    lines: list[str] = []
    while left > 0 or len(lines) < 8:
        said, label = one(False, len(lines) if len(lines) < 8 else None)
        lines.append(f"{said} -> {label}")
        left -= len(lines[-1].split())
    told = "\n".join(draw.shuffled(lines))
    listed = "\n".join(f"{i}. {said}" for i, (said, _) in enumerate(tests, 1))
    question = f"Which labels do these {asked} things get?\n{listed}"
    places = ", ".join("LABEL" for _ in tests)
    form = f"The last line of your reply must be: Answer: {places} (one label for each thing, in the order asked)"
    return Archive("few-shot", told, question, form, "values", [label for _, label in tests])


def _thing(draw: Draw, stuff: str, state: str) -> str:
    size, thing, place = draw.pick(_SIZES), draw.pick(_THINGS), draw.pick(_FROM)
    year = draw.between(*_YEARS)
    return draw.pick((
        f"A {size} {thing} of {stuff} from the {place}, about {year}, {state}",
        f"{thing.capitalize()}, {stuff}, {size}, {state}; {place}, {year}",
        f"From the {place}: a {size} {thing}, {state}, made of {stuff} in {year}",
    ))  # fmt: skip
