"""Puzzles of somebody in the way: a guard with a riddle, a doorkeeper who knows by dress, a beast."""

from __future__ import annotations

from acgym.envs.world.adventure.build import LEVEL, Builder, a
from acgym.envs.world.adventure.clues import riddles


def guard(b: Builder, size: int) -> None:
    """Somebody bars the way until given what a riddle means."""
    base, way = b.free_way(LEVEL)
    flag = b.flag("passed")
    heard = b.flag("riddle")
    right, *others = riddles(b.draw, b.split, 3 if b.level < 3 else 5)
    talk = f'The {{who}} says: "Nobody goes {way} who has not brought me what I am thinking of. {right[2]}"'
    who = b.person(base, talk, refuses="")
    b.things[who].update(
        refuses=f'The {who} shakes a head. "That is not what I am thinking of."', flag=flag,
        line=f"The {who} bars the way {way} and seems to want something.", done=f"The {who} lets you go {way} now.",
    )  # fmt: skip
    b.rule("talk", who, "", [f"!{flag}"], [["set", heard]], talk.replace("{who}", who))
    item = b.need((right[0], right[1]))
    b.step(base, f"talk to {who}", [heard, flag])
    done = [["move", item, "gone"], ["set", flag]]
    b.rule("give", item, who, [], done, f'"Ah, {a(item)}! That is it." The {who} steps aside.')
    b.step(base, f"give {item} to {who}", [flag], (item,))
    b.some([(row[0], row[1]) for row in others])
    b.grow(base, way, (flag,), f"The {who} does not let you pass.", size)


def disguise(b: Builder, size: int) -> None:
    """A person who lets pass only who is dressed as a clue says."""
    base, way = b.free_way(LEVEL)
    flag = b.flag("passed")
    right, *others = b.draw.shuffled(b.setting.rows["dress"])[:3]
    who = b.person(
        base, '{who} says: "Only those who are expected. I know them by what they wear."'.replace("{who}", "The {who}")
    )
    b.things[who].update(
        flag=flag, line=f"The {who} looks you over and bars the way {way}.", done=f"The {who} nods: you may go {way}."
    )
    dress = b.need((right[0], right[1]), dress=True)
    for row in others:
        b.item((row[0], row[1]), b.somewhere(), dress=True)
    b.clue(f"Tell nobody: the {who} lets in {right[2]}, and no one else.", who, b.somewhere())
    b.step(None, f"wear {dress}", [f"worn:{dress}", flag], (dress,))
    b.step(base, f"go {way}", [flag])
    b.grow(
        base, way, (f"worn:{dress}", flag), f'The {who} says: "You are not expected, dressed like that."', size, flag
    )


def beast(b: Builder, size: int) -> None:
    """An animal in the way that a certain food lures off."""
    base, way = b.free_way(LEVEL)
    name, look, line = b.next("animal")
    flag = b.flag("lured")
    right, *others = b.draw.shuffled(b.setting.rows["food"])[: 3 if b.level > 1 else 2]
    b.add(
        name, base, look, person=True, talk=f"The {name} does not answer, but pricks up its ears.",
        refuses=f"The {name} sniffs at it and turns away.", flag=flag, line=f"{line} It will not let you go {way}.",
        done=f"The {name} lies in a corner and chews.",
    )  # fmt: skip
    food = b.need((right[0], right[1]))
    b.some([(row[0], row[1]) for row in others])
    b.clue(
        f"You want to get past the {name}? It cannot resist {right[2]}; all else leaves it cold.",
        name,
        b.somewhere(),
    )
    b.rule(
        "give put", food, name, [], [["move", food, "gone"], ["set", flag]],
        f"The {name} snatches the {food} and carries it off into a corner. The way {way} is free.",
    )  # fmt: skip
    b.step(base, f"give {food} to {name}", [flag], (food,))
    b.grow(base, way, (flag,), f"The {name} is in the way and will not move.", size)
