"""Calls to compare verdicts on: gold answers of the leaderboard's rows, and gold with one thing changed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from acgym.envs.tools.bfcl.dialogue import Dialogue
from acgym.envs.tools.bfcl.env import BFCL
from acgym.envs.tools.bfcl.gold import gold_calls
from acgym.scorers.bfcl import match
from acgym.types import Call

Calls = list[tuple[str, dict[str, Any]]]


def changed(value: Any, rng: random.Random) -> Any:
    """Return another value, near the old one or far from it."""
    if isinstance(value, bool):
        return rng.choice([not value, str(value), int(value)])
    if isinstance(value, int | float):
        return rng.choice([value + 1, -value - 1, float(value), str(value), [value], int(value), value * 1.5])
    if isinstance(value, str):
        forms = [value + "x", value.upper(), f" {value}.", value[:-1], value.replace("'", '"'), 7, [value], None, ""]
        return rng.choice([*forms, value.replace(" ", "_"), value.split(" ")[0]])
    if isinstance(value, list):
        mixed = rng.sample(value, len(value))
        return rng.choice([value[:-1], value + value[:1], mixed, [changed(one, rng) for one in value], str(value), []])
    if isinstance(value, dict):
        if not value:
            return {"x": 1}
        key = rng.choice(sorted(value))
        fewer = {name: held for name, held in value.items() if name != key}
        return rng.choice([fewer, {**value, "x": 1}, {**value, key: changed(value[key], rng)}, [value], str(value)])
    return "x"


def one_changed(calls: Calls) -> Iterator[Calls]:
    """Give the calls with each one dropped, doubled, and exchanged with its neighbour."""
    for i, call in enumerate(calls):
        yield calls[:i] + calls[i + 1 :]
        yield [*calls[: i + 1], deepcopy(call), *calls[i + 1 :]]
        if i + 1 < len(calls):
            yield [*calls[:i], calls[i + 1], call, *calls[i + 2 :]]


def argument_changed(calls: Calls, rng: random.Random) -> Iterator[Calls]:
    """Give the calls with each argument changed, and with each left out."""
    for i, (name, arguments) in enumerate(calls):
        for key in arguments:
            others = {other: value for other, value in arguments.items() if other != key}
            for now in ({**arguments, key: changed(arguments[key], rng)}, others):
                yield [*calls[:i], (name, now), *calls[i + 1 :]]


def muddled(calls: Calls, names: list[str], rng: random.Random) -> Calls:
    """Return calls with one to three random changes."""
    calls = deepcopy(calls)
    for _ in range(rng.randint(1, 3)):
        kind = rng.randrange(6)
        if not calls or kind == 0:
            calls.insert(rng.randint(0, len(calls)), (rng.choice(names), {}))
        elif kind == 1:
            del calls[rng.randrange(len(calls))]
        elif kind == 2:
            rng.shuffle(calls)
        else:
            i = rng.randrange(len(calls))
            name, arguments = calls[i]
            if kind == 3:
                calls[i] = (rng.choice(names), arguments)
            elif kind == 4 or not arguments:
                calls[i] = (name, {**arguments, rng.choice(["x", "file_name", "name", "amount"]): rng.choice([1, "a"])})
            else:
                key = rng.choice(sorted(arguments))
                calls[i] = (name, {**arguments, key: changed(arguments[key], rng)})
    return calls


def plain(calls: tuple[Call, ...] | list[Call]) -> Calls:
    return [(call.name, dict(call.arguments)) for call in calls]


def single_turn(env: BFCL, seed: int, at_random: int) -> Iterator[tuple[dict[str, Any], bool]]:
    """Give cases of a single-turn category with our verdicts; the first of each row is its gold answer."""
    rng = random.Random(seed)
    category = env.category
    for place in range(env.rows):
        env.reset(seed=place)
        functions, gold = env.task.data["functions"], env.task.reference
        said = plain(gold_calls(functions, gold, category.language))
        names = [function["name"] for function in functions]
        variants = [said, *one_changed(said), *argument_changed(said, rng)]
        variants += [muddled(said, names, rng) for _ in range(at_random)]
        for calls in variants:
            ours = match([Call(*call) for call in calls], functions, gold, category.kind, category.language) is None
            yield {"category": category.name, "id": env.task.data["id"], "calls": calls}, ours


def as_text(name: str, arguments: dict[str, Any]) -> str:
    """Write a call as the leaderboard runs it."""
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


def dialogues(env: BFCL, seed: int, at_random: int, arguments: int) -> Iterator[tuple[dict[str, Any], bool]]:
    """Give cases of a multi-turn category with our verdicts; ``arguments`` changed arguments are drawn for each row."""
    rng = random.Random(seed)
    for place in range(env.rows):
        env.reset(seed=place)
        names = [spec["function"]["name"] for spec in env.task.tools]
        gold = [plain([Call(*call) for call in turn]) for turn in env.task.reference]
        variants = [gold]
        by_argument = []
        for i, turn in enumerate(gold):
            variants += [[*gold[:i], other, *gold[i + 1 :]] for other in one_changed(turn)]
            by_argument += [[*gold[:i], other, *gold[i + 1 :]] for other in argument_changed(turn, rng)]
        variants += rng.sample(by_argument, min(arguments, len(by_argument)))
        for _ in range(at_random):
            i = rng.randrange(len(gold))
            variants.append([*gold[:i], muddled(gold[i], names, rng), *gold[i + 1 :]])
        for turns in variants:
            text = [[as_text(*call) for call in turn] for turn in turns]
            yield {"category": env.category.name, "id": env.task.data["id"], "turns": text}, right(env, turns)


def right(env: BFCL, turns: list[Calls]) -> bool:
    """Say whether a whole dialogue is right."""
    gold = [[Call(*call) for call in turn] for turn in env.task.reference]
    dialogue = Dialogue(env.task.data, gold, env._extension)
    for turn in turns:
        dialogue.call([Call(*call) for call in deepcopy(turn)])
        if dialogue.end_turn() is not None:
            return False
    return True
