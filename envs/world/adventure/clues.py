"""What has to be understood: riddles, numbers told over several notes, poems of an order, words torn in two."""

from __future__ import annotations

from functools import cache
from itertools import combinations

from acgym.draw import Draw
from acgym.envs.world.adventure.setting import FOLDER
from acgym.envs.world.adventure.world import article
from acgym.types import Split

_COUNTS = {
    1: "the suns in the sky",
    2: "the wings of a sparrow",
    3: "the corners of a triangle",
    4: "the legs of a horse",
    5: "the fingers of one hand",
    6: "the legs of a beetle",
    7: "the days of a week",
    8: "the legs of a spider",
    9: "the months until a child is born",
}
_PLACES = ("first", "second", "third")
_NUMBERS = ("nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@cache
def _rows(kind: str, split: Split) -> tuple[tuple[str, ...], ...]:
    """Read rows of the common library that belong to a split."""
    lines = (FOLDER / "common.txt").read_text("utf-8").splitlines()
    head = f"{kind} {split} "
    return tuple(
        tuple(field.strip() for field in line[len(head) :].split("|")) for line in lines if line.startswith(head)
    )


def riddles(draw: Draw, split: Split, count: int) -> list[tuple[str, ...]]:
    """Draw riddles: an answer that can be carried, what it looks like, and the riddle."""
    return draw.sample(_rows("riddle", split), count)


def code_clues(draw: Draw, level: int, name: str) -> tuple[str, list[str]]:
    """Draw a number of three different figures, and clues that together fix it.

    At levels 1 and 2 there are two clues, each with its figures as words. From level 3 on there are three: one figure
    is told as a count of something, one by its distance from that, one as a sum or a distance. The first clue cannot
    be spared: the others leave three numbers at least.
    """
    digits = draw.sample(range(1, 10), 3)
    value = "".join(map(str, digits))
    if level < 3:
        first = f"The {name}: {_NUMBERS[digits[0]]}, then {_NUMBERS[digits[1]]}. The last figure is written elsewhere."
        return value, [first, f"The {name} ends with {article(_NUMBERS[digits[2]])}."]
    i, j, k = draw.shuffled(range(3))
    known, second = digits[i], digits[j] - digits[i]
    if digits[i] + digits[j] == digits[k]:
        last, how = f"its {_PLACES[k]} figure is the other two added up", (1, 1, 0)
    elif digits[k] == 2 * digits[j]:
        last, how = f"its {_PLACES[k]} figure is twice its {_PLACES[j]}", (0, 2, 0)
    else:
        last = f"its {_PLACES[k]} figure is {_apart(digits[k], digits[j])} its {_PLACES[j]}"
        how = (0, 1, digits[k] - digits[j])
    options = [n for n in range(1, 10) if 0 < n + second < 10 and 0 < how[0] * n + how[1] * (n + second) + how[2] < 10]
    if len(options) < 3:
        return code_clues(draw, level, name)
    clues = [
        f"The {name}: its {_PLACES[i]} figure is the number of {_COUNTS[known]}.",
        f"The {name}: its {_PLACES[j]} figure is {_apart(digits[j], digits[i])} its {_PLACES[i]}.",
        f"The {name}: {last}.",
    ]
    return value, clues


def _apart(figure: int, other: int) -> str:
    return f"{_NUMBERS[abs(figure - other)]} {'more' if figure > other else 'less'} than"


def weights_of(draw: Draw, count: int, wanted: int) -> tuple[list[int], list[int]]:
    """Draw weights, and the first of them as those that are wanted: no others add up to the same."""
    while True:
        weights = draw.sample((2, 3, 4, 5, 7, 9, 12), count)
        target = sum(weights[:wanted])
        sums = [sum(some) for size in range(1, count + 1) for some in combinations(weights, size)]
        if sums.count(target) == 1:
            return weights, weights[:wanted]


def lever_poem(draw: Draw, split: Split, level: int) -> tuple[list[str], str]:
    """Draw signs of levers in the order in which they are to be pulled, and a verse that tells the order."""
    count = 3 if level < 3 else 4
    signs = draw.sample(_rows("signs", split)[0], count)
    kind = "verse3" if count == 3 else "verse4"
    verse = draw.pick(_rows(kind, split))[0]
    return signs, verse.format(**dict(zip("abcd", signs, strict=False))).replace(" / ", " / ")


def word_halves(draw: Draw, split: Split) -> tuple[str, str, str, str]:
    """Draw a word; what stands on the left and on the right half of the sheet; a half of another sheet."""
    (left, right), (_, stray) = (word.split("-") for word in draw.sample(_rows("words", split)[0], 2))
    colour, other = draw.sample(("blue", "yellow", "green", "grey"), 2)
    first = f"[the left half of a {colour} sheet] ... and the word for it begins {left.upper()}-"
    second = f"[the right half of a {colour} sheet] ... and the word for it ends -{right.upper()}"
    return (
        left + right,
        first,
        second,
        f"[the right half of a {other} sheet] ... and the word for it ends -{stray.upper()}",
    )
