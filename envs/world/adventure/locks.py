"""Puzzles that unlock a way: a lock, dials, levers, a balance, a word."""

from __future__ import annotations

from acgym.envs.world.adventure.build import LEVEL, Builder, a, bar
from acgym.envs.world.adventure.clues import code_clues, lever_poem, weights_of, word_halves


def lock(b: Builder, size: int) -> None:
    """A locked door; its key is hidden, and a clue says where."""
    base, way = b.free_way(LEVEL)
    door, look = b.next("door")
    key = b.next("key")
    flag = b.flag("open")
    bar(b, door, base, look, way, flag, f"The {door} to the {way} is locked.", f"The {door} to the {way} stands open.")
    b.things[door].update(lock=f"The {door} is locked. It needs its key.")
    if b.place in b.rooms and not b.rooms[b.place]["dark"]:
        _hide(b, key, door)
    else:
        b.need(key)
    b.rule("unlock open", key[0], door, [], [["set", flag]], f"The {key[0]} turns. The {door} is open.")
    b.step(base, f"unlock {door} with {key[0]}", [flag], (key[0],))
    if b.level >= 3 and b.left("key"):
        b.some([b.next("key")])
    b.grow(base, way, (flag,), f"The {door} is locked.", size)


def _hide(b: Builder, key: tuple[str, ...], door: str) -> None:
    """Hide a key under or behind what stands in the room that the last puzzle led to; a clue says so."""
    name, room = key[0], b.place
    fixture, where = b.hide(room)
    cache, found = f"cache {b.count}", f"found:{name}"
    b.clue(f"The {name} for the {door} is kept {where}.", name, b.somewhere())
    b.item(key, cache)
    b.marks.append(name)
    do = [["set", found], ["free", cache, "here"]]
    b.rule("examine", fixture, "", [f"!{found}"], do, f"{b.things[fixture]['text']} You look more closely.")
    b.step(room, f"examine {fixture}", [found])
    b.step(None, f"take {name}", [b.fact(f"held:{name}")], (name,))


def code(b: Builder, size: int) -> None:
    """A door with dials; its number is spread over several clues."""
    base, way = b.free_way(LEVEL)
    door, look = b.next("code")
    flag = b.flag("open")
    value = dials(b, door, base, look, flag, f"The {door} springs open.", [])
    b.things[door].update(
        line=f"The {door} closes the way {way}.", done=f"The {door} to the {way} stands open.",
        lock=f"The {door} is locked. It wants a number of three figures.",
    )  # fmt: skip
    b.step(base, f"set {door} to {value}", [flag])
    b.grow(base, way, (flag,), f"The {door} is locked. It wants a number.", size)


def dials(b: Builder, name: str, base: str, look: str, flag: str, right: str, more: list[list[str]]) -> str:
    """Add what is opened by a number, and the clues to it; return the number."""
    value, clues = code_clues(b.draw, b.level, name)
    hears = {
        "kind": "code", "value": value, "do": [["set", flag], *more], "right": right,
        "wrong": f"The dials of the {name} turn and click, and nothing opens.",
    }  # fmt: skip
    b.add(name, base, f"{look} Its three dials can be set to a number.", flag=flag, hears=hears)
    places = [b.place, *(b.somewhere() for _ in clues[1:])]
    for text, place in zip(clues, places, strict=True):
        b.clue(text, name, place)
    return value


def levers(b: Builder, size: int) -> None:
    """Levers that must be pulled in the order that a poem tells."""
    base, way = b.free_way(LEVEL)
    name, look, noun = b.next("levers")
    flag = b.flag("open")
    order, poem = lever_poem(b.draw, b.split, b.level)
    names = [f"{sign} {noun}" for sign in order]
    shown = b.draw.shuffled(names)
    text = f"{look} Beside it are {', '.join(f'the {n}' for n in shown[:-1])} and the {shown[-1]}."
    bar(b, name, base, text, way, flag, f"The {name} shuts the way {way}.", f"The {name} has opened the way {way}.")
    b.things[name].update(order=names)
    for lever in shown:
        b.add(lever, base, f"It is marked with {a(lever.removesuffix(f' {noun}'))}.", lever=name)
    b.clue(f"{poem}", name, b.place)
    b.step(base, name, [flag], special="levers")
    b.grow(base, way, (flag,), f"The {name} is shut. There are {noun}s beside it.", size)


def balance(b: Builder, size: int) -> None:
    """A pan that opens the way when exactly so many pounds lie in it."""
    base, way = b.free_way((*LEVEL, "up"))
    name, look, result = b.next("scale")
    flag = b.flag("open")
    weights, wanted = weights_of(b.draw, *((3, 2) if b.level < 3 else (4, 3)))
    text = f"{look} Words are cut into its rim: {sum(wanted)} pounds lift me, not one more or less."
    bar(b, name, base, text, way, flag, f"Something heavy shuts the way {way}; it hangs on the {name}.", result)
    rim = b.flag("rim")
    b.rule("examine", name, "", [f"!{flag}", f"!{rim}"], [["set", rim]], text)
    b.step(base, f"examine {name}", [rim, flag])
    b.things[name].update(box=True, scale={"target": sum(wanted), "do": [["set", flag]], "say": result})
    names = []
    for i, pounds in enumerate(weights):
        row = b.next("weight")
        more = f"{row[1]} It is marked: {pounds} pounds."
        if i == 0:
            names.append(b.need((row[0], more), weight=pounds))
        else:
            names.append(b.item((row[0], more), base if b.level < 2 else b.somewhere(), weight=pounds))
    b.step(base, name, [flag], special="scale", items=names[: len(wanted)])
    b.grow(base, way, (flag,), f"Something heavy shuts the way. It hangs on the {name}.", size)


def password(b: Builder, size: int) -> None:
    """Something that listens for a word, and the word is torn in two halves."""
    base, way = b.free_way((*LEVEL, "up", "down"))
    name, look, result = b.next("tube")
    flag = b.flag("spoken")
    word, first, second, stray = word_halves(b.draw, b.split)
    hears = {
        "kind": "word", "value": word, "do": [["set", flag]], "right": f"{result} The way {way} is free.",
        "wrong": f"The {name} stays silent. That was not the word.",
    }  # fmt: skip
    bar(b, name, base, f"{look} It waits for a word.", way, flag, f"The {name} guards the way {way}.", result)
    b.things[name].update(hears=hears)
    b.clue(first, name, b.place)
    b.clue(second, name, b.somewhere())
    if b.level >= 3:
        paper, paper_look = b.next("paper")
        b.item((paper, f'{paper_look} It says: "{stray}"'), b.somewhere())
    b.step(base, f"say {word} to {name}", [flag])
    b.grow(base, way, (flag,), f"The {name} wants to hear a word first.", size)
