"""Facts, rules and actions of a planning domain in words, and an action's words back into its name and objects."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from acgym.envs.world.planning.ground import Fact
from acgym.envs.world.planning.pddl import Literal, Schema

_SENTENCES = {
    # gripper and blocks
    ("room", 1): "{} is a room",
    ("ball", 1): "{} is a ball",
    ("gripper", 1): "{} is a gripper",
    ("at-robby", 1): "the robot is in {}",
    ("at", 2): "{} is at {}",
    ("carry", 2): "{} is carried by {}",
    ("on-table", 1): "{} is on the table",
    ("ontable", 1): "{} is on the table",
    ("on", 2): "{} is on {}",
    ("arm-empty", 0): "the arm is empty",
    ("handempty", 0): "the hand is empty",
    ("holding", 1): "{} is held",
    # barman
    ("holding", 2): "hand {} holds {}",
    ("handempty", 1): "hand {} is empty",
    ("contains", 2): "{} contains {}",
    ("used", 2): "{} was used for {}",
    ("dispenses", 2): "{} dispenses {}",
    ("shaker-empty-level", 2): "{} is at level {} when it is empty",
    ("shaker-level", 2): "{} is at level {}",
    ("next", 2): "level {} is followed by level {}",
    ("unshaked", 1): "{} is not shaken",
    ("shaked", 1): "{} is shaken",
    ("cocktail-part1", 2): "the first part of {} is {}",
    ("cocktail-part2", 2): "the second part of {} is {}",
    # tyreworld
    ("isopen", 1): "{} is open",
    ("have", 1): "you have {}",
    ("in", 2): "{1} is in {0}",
    ("loose", 2): "{} is loose on {}",
    ("tight", 2): "{} is tight on {}",
    ("on-ground", 1): "{} is on the ground",
    ("not-on-ground", 1): "{} is not on the ground",
    ("not-inflated", 1): "{} is not inflated",
}
"""Predicate and number of arguments -> a sentence; others are said by :func:`_plain`."""
_TOKEN = re.compile(r"[^\s(),.:;!?'\"`*]+")


def sentence(fact: Fact | Literal) -> str:
    """Say a fact in words, without capital and full stop; a negative literal with "it is not so that" before it."""
    predicate, arguments = fact[0], fact[1]
    form = _SENTENCES.get((predicate, len(arguments)))
    words = form.format(*arguments) if form else _plain(predicate, arguments)
    return f"it is not so that {words}" if isinstance(fact, Literal) and not fact.positive else words


def _plain(predicate: str, arguments: tuple[str, ...]) -> str:
    name = predicate.replace("-", " ").replace("_", " ")
    if len(arguments) == 1:
        return f"{arguments[0]} is {name}"
    return f"{name} of {', '.join(arguments)}" if arguments else name


def sentences(facts: Iterable[Fact]) -> str:
    """Say facts as sentences, sorted, so that the order tells nothing."""
    return " ".join(f"{words[:1].upper()}{words[1:]}." for words in sorted(map(sentence, facts)))


def action_words(name: str, arguments: Iterable[str]) -> str:
    """Write an action as the agent is to say it: its name, then its objects."""
    return " ".join([name, *arguments])


def rule(schema: Schema) -> str:
    """Say what an action needs and does, in one line; its variables are upper-case words."""
    shown = {each.name: each.name[1:].upper() for each in schema.parameters}

    def said(literals: Iterable[Literal], positive: bool) -> str:
        filled = [
            each._replace(arguments=tuple(shown.get(name, name) for name in each.arguments), positive=True)
            for each in literals
            if each.positive is positive
        ]
        return "; ".join(
            "{} is the same as {}".format(*each[1]) if each[0] == "=" else sentence(each) for each in filled
        )

    kinds = [f"{shown[e.name]} is a {' or '.join(e.types)}" for e in schema.parameters if e.types != ("object",)]
    needs = "; ".join(part for part in (*kinds, said(schema.precondition, True)) if part)
    parts = {
        "needs": needs or "nothing",
        "and that it is not so that": said(schema.precondition, False),
        "then": said(schema.effect, True),
        "no longer": said(schema.effect, False),
    }
    told = ". ".join(f"{name[:1].upper()}{name[1:]}: {text}" for name, text in parts.items() if text)
    return f"{action_words(schema.name, shown.values())}. {told}."


def read_action(text: str, names: Collection[str], objects: Collection[str]) -> tuple[str, tuple[str, ...]] | None:
    """Read an action from a reply.

    What stands after the last ``Action:`` counts, or else the last line in which an action is named. Case, brackets
    and commas do not matter, and words that name neither an action nor an object are passed over ("stack a on b").

    Returns:
        The action's name and all objects said after it, in order; None if no action is named.
    """
    said = text.lower().rpartition("action:")[2]
    for line in reversed(said.strip().split("\n")):
        words = _TOKEN.findall(line)
        for i, word in enumerate(words):
            if word in names:
                return word, tuple(each for each in words[i + 1 :] if each in objects)
    return None
