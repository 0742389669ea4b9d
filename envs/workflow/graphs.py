"""Plans for the workflow environment: which step needs which, what the steps are called, and how they are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import permutations
from typing import NamedTuple

from acgym.draw import Draw
from acgym.envs.names import distinct_names, in_split, names
from acgym.types import Json, Split

_WORDS = {
    "verbs": "boil cut wash serve mix bake fry peel chop grate pour stir heat cool dry fold roll press weigh fill "
    "open close clean paint sand glue drill mend sew knit pick pack lift carry sort stack check bring tie shake",
    "nouns": "leek bread soup pot pan bowl plate spoon onion bean carrot apple pear plum lemon rice flour dough butter "
    "cheese milk honey salt pepper garlic potato pumpkin melon grape cake pie jam sauce tea coffee juice broth table "
    "shelf door window fence roof wall floor carpet curtain shirt coat sock glove scarf bag box jar bottle cup tray",
    "looks": "old new red blue green white black yellow large small round flat long short thick thin",
}
VERBS, NOUNS, LOOKS = (tuple(words.split()) for words in _WORDS.values())


class Size(NamedTuple):
    """What a level draws."""

    needed: tuple[int, int]
    """Fewest and most steps that the goal needs, itself included."""
    extra: int
    """Steps that it does not need."""
    style: str
    """How needs are told; see :func:`say_steps`."""


SIZES = {
    1: Size((3, 4), 1, "needs"),
    2: Size((5, 5), 3, "needs"),
    3: Size((6, 7), 4, "sentences"),
    4: Size((8, 9), 5, "prose"),
    5: Size((10, 12), 6, "materials"),
}


class Plan(NamedTuple):
    """A goal and what it takes, in numbers: step i is the i-th on the list that the agent sees."""

    needs: list[list[int]]
    """For each step the steps that it needs."""
    goal: int
    order: list[int]
    """The needed steps in execution order, the goal last."""


def draw_plan(draw: Draw, split: Split, level: int) -> Plan:
    """Draw a plan; needs and listing together are a layout, and no layout is in both splits."""
    size = SIZES[level]
    needed = draw.between(*size.needed)
    if level == 1:
        return draw.pick(small_plans(split, needed))
    while True:
        needs = _draw_needs(draw, needed, size.extra)
        plan = _listed(needs, draw.shuffled(range(len(needs))))
        if in_split(layout(plan.needs, plan.goal), split):
            return plan


def layout(needs: Sequence[Sequence[int]], goal: int) -> str:
    """Name the layout of a plan: what decides its split."""
    return f"{goal} {needs}"


@cache
def small_plans(split: Split, needed: int) -> tuple[Plan, ...]:
    """List all level-1 plans of a split: trees of 3 or 4 needed steps, each with at most two needs, and one more step.

    The one more step needs nothing or one of the others. 40 to 48 and about 600 plans for evaluation, thrice as many
    for training.
    """
    trees = {3: ((0, 0), (0, 1)), 4: ((0, 0, 1), (0, 0, 2), (0, 1, 1), (0, 1, 2))}[needed]
    plans = []
    for users in trees:
        needs: list[list[int]] = [[] for _ in range(needed)]
        for step, user in enumerate(users, 1):
            needs[user].append(step)
        for extra in ([], *([i] for i in range(needed))):
            for spots in permutations(range(needed + 1)):
                plan = _listed([*needs, extra], spots)
                if in_split(layout(plan.needs, plan.goal), split):
                    plans.append(plan)
    return tuple(plans)


def _draw_needs(draw: Draw, needed: int, extra: int) -> list[list[int]]:
    """Draw what each step needs: step 0 is the goal, every needed step has one or two users before it."""
    needs: list[list[int]] = [[] for _ in range(needed + extra)]
    for step in range(1, needed):
        users = [user for user in range(max(0, step - 4), step) if len(needs[user]) < 3]
        for user in draw.sample(users, 2 if len(users) > 1 and draw.chance(0.4) else 1):
            needs[user].append(step)
    for step in range(needed, needed + extra):
        needs[step] = draw.sample(range(1, step), draw.below(3))
    return needs


def _listed(needs: Sequence[Sequence[int]], spots: Sequence[int]) -> Plan:
    """Put step i at place ``spots[i]`` of the list."""
    moved: list[list[int]] = [[] for _ in needs]
    for step, below in enumerate(needs):
        moved[spots[step]] = [spots[other] for other in below]
    return Plan(moved, spots[0], execution_order(moved, spots[0]))


def execution_order(needs: Sequence[Sequence[int]], goal: int) -> list[int]:
    """Order the steps that the goal needs: the reverse of a breadth-first walk back from it.

    The walk visits a step when all needed steps that need it are visited, so each step comes after what it needs.
    """
    users = {goal: 0}
    stack = [goal]
    while stack:
        for below in needs[stack.pop()]:
            if below not in users:
                users[below] = 0
                stack.append(below)
            users[below] += 1
    walk = [goal]
    for step in walk:
        for below in needs[step]:
            users[below] -= 1
            if users[below] == 0:
                walk.append(below)
    return walk[::-1]


@cache
def _nouns_of(split: Split) -> dict[str, tuple[str, ...]]:
    """Say which nouns go with a verb: of all pairs of verb and noun none is in both splits."""
    return {verb: tuple(noun for noun in NOUNS if in_split(f"{verb} {noun}", split)) for verb in VERBS}


def draw_texts(draw: Draw, split: Split, count: int, level: int) -> list[str]:
    """Draw the texts of steps, all different: ``boil leek``, from level 4 ``boil the red leek``.

    At level 1 no verb and no noun comes twice; above, about half of the steps share verb or noun with another, and
    from level 4 on also both.
    """
    nouns = _nouns_of(split)
    if level == 1:
        used: dict[str, str] = {}
        for verb in draw.sample(VERBS, count):
            noun = draw.pick(nouns[verb])
            while noun in used:
                noun = draw.pick(nouns[verb])
            used[noun] = f"{verb} {noun}"
        return list(used.values())
    drawn: dict[str, tuple[str, str]] = {}
    while len(drawn) < count:
        verb = draw.pick(VERBS)
        noun = draw.pick(nouns[verb])
        if drawn and draw.chance(0.5):
            near_verb, near_noun = draw.pick(list(drawn.values()))
            kind = draw.below(3 if level >= 4 else 2)
            verb = verb if kind == 1 else near_verb
            noun = near_noun if kind else draw.pick(nouns[verb])
        if noun in nouns[verb]:
            text = f"{verb} the {draw.pick(LOOKS)} {noun}" if level >= 4 else f"{verb} {noun}"
            drawn[text] = (verb, noun)
    return draw.shuffled(list(drawn))


def draw_telling(draw: Draw, split: Split, plan: Plan, level: int) -> dict[str, Json]:
    """Draw what a style needs beside the plan: the order of the sentences, or the names of the materials."""
    style = SIZES[level].style
    told: dict[str, Json] = {"style": style}
    if style in ("sentences", "prose"):
        told["order"] = [[step, draw.below(2)] for step in draw.shuffled(range(len(plan.needs)))]
    if style == "materials":
        pool = names(split)
        made = dict.fromkeys(distinct_names(draw, split, 12))
        while len(made) < len(plan.needs):
            made[draw.pick(pool)] = None
        told["makes"] = list(made)
    return told


def say_steps(data: Mapping[str, Json]) -> str:
    """List the steps and tell what each needs.

    ``needs``: in brackets behind each step. ``sentences``, ``prose``: in sentences of their own, one a line or in one
    paragraph. ``materials``: each step makes a material, and takes those that the steps it needs make.
    """
    steps, needs, style = data["steps"], data["needs"], data["style"]
    if style == "needs":
        lines = [
            f"- {step} (needs: {', '.join([steps[i] for i in below]) if below else 'nothing'})"
            for step, below in zip(steps, needs, strict=True)
        ]
        return "Steps:\n" + "\n".join(lines)
    if style == "materials":
        makes = data["makes"]
        lines = [
            f'- {step} (takes: {", ".join(chr(34) + makes[i] + chr(34) for i in below) or "nothing"}; makes: "{made}")'
            for step, below, made in zip(steps, needs, makes, strict=True)
        ]
        return "Steps:\n" + "\n".join(lines)
    sentences = []
    for step, form in data["order"]:
        below = " and ".join(steps[i] for i in needs[step])
        if below:
            sentences.append(f"To {steps[step]}, first {below}." if form else f"Only after {below}: {steps[step]}.")
    listed = "\n".join(f"- {step}" for step in steps)
    return f"Steps:\n{listed}\nNeeds:\n" + ("\n" if style == "sentences" else " ").join(sentences)
