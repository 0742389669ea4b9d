"""Puzzles that open a way: a lock, a guard, a code, a gap, a machine, a plant, levers, a balance, a dress, ice, a beast."""

from __future__ import annotations

from collections.abc import Callable

from acgym.envs.world.adventure.build import LEVEL, Builder, a
from acgym.envs.world.adventure.clues import code_clues, lever_poem, riddles, word_halves

Gate = Callable[[Builder, int], None]


def lock(b: Builder, size: int) -> None:
    """A locked door; its key is hidden, and a clue says where."""
    base, way = b.free_way(LEVEL)
    door, look = b.next("door")
    key = b.next("key")
    flag = b.flag("open")
    room = b.draw.pick(b.lighted())
    fixture, where = b.hide(room)
    cache = f"cache {b.count}"
    _line(b, door, base, look, way, flag, f"The {door} to the {way} is locked.", f"The {door} to the {way} stands open.")
    b.things[door].update(lock=f"The {door} is locked. It needs its key.")
    b.clue(f"The {key[0]} for the {door} is kept {where}.", key[0], b.place)
    b.item(key, cache)
    b.marks.append(key[0])
    b.fact(f"held:{key[0]}")
    found = f"found:{key[0]}"
    b.rule(
        "examine", fixture, "", [f"!{found}"], [["set", found], ["free", cache, "here"]],
        f"{b.things[fixture]['text']} You look more closely.",
    )  # fmt: skip
    b.step(room, f"examine {fixture}", [found])
    b.rule("unlock open", key[0], door, [], [["set", flag]], f"The {key[0]} turns. The {door} is open.")
    b.step(base, f"unlock {door} with {key[0]}", [flag], (key[0],))
    if b.level >= 3 and b.left("key"):
        b.some([b.next("key")])
    b.grow(base, way, (flag,), f"The {door} is locked.", size)


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


def gap(b: Builder, size: int) -> None:
    """A drop or a gap that is crossed on a rope."""
    base, way = b.free_way(("down", *LEVEL))
    name, look, anchor, anchor_look = b.next("gap")
    flag = b.flag("crossed")
    rope = b.need(b.next("rope"))
    barred = f"The {name} is in the way: nobody could climb or jump that without something to hold on to."
    _line(b, name, base, look, way, flag, f"The {name} cuts off the way {way}.", f"The {rope} hangs over the {name}.")
    b.add(anchor, base, anchor_look)
    b.rule(
        "tie put", rope, anchor, [], [["move", rope, "gone"], ["set", flag]],
        f"You knot the {rope} to the {anchor} and test it with your weight. It holds. The way {way} is free.",
    )  # fmt: skip
    b.rule("tie put", rope, name, [], [], f"It needs something firm to be tied to, not the {name}.", "refused")
    b.step(base, f"tie {rope} to {anchor}", [flag], (rope,))
    b.grow(base, way, (flag,), barred, size)


def machine(b: Builder, size: int) -> None:
    """A machine with a missing part; of several parts a plate names the one that fits."""
    base, way = b.free_way((*LEVEL, "up"))
    name, look, result = b.next("machine")
    parts = b.draw.shuffled(b.setting.rows["part"])[: 2 if b.level < 3 else 3]
    flag, fitted = b.flag("runs"), "fitted"
    right = parts[0]
    text = f"{look} A part is missing. On a plate stands: replace only by one that {right[2]}."
    _line(
        b, name, base, text, way, flag, f"The {name} stands still, and with it the way {way}.", f"{result} The way {way} is free."
    )
    b.things[name].update(refuses="It does not fit there.")
    part = b.need((right[0], right[1]))
    b.rule("put tie", part, name, [], [["move", part, "gone"], ["set", fitted]], f"The {part} fits. Now start the {name}.")
    for row in parts[1:]:
        b.item((row[0], row[1]), b.somewhere())
        b.rule("put tie", row[0], name, [], [], f"The {row[0]} does not fit.", "refused")
    b.rule("push pull turn", name, "", [fitted, f"!{flag}"], [["set", flag]], f"{result} The way {way} is free.")
    b.rule("push pull turn use", name, "", [f"!{fitted}"], [], f"The {name} rattles: a part is missing.", "too_early")
    b.step(base, f"put {part} in {name}", [fitted], (part,))
    b.step(base, f"start {name}", [flag])
    b.grow(base, way, (flag,), f"Not while the {name} stands still.", size)


def plant(b: Builder, size: int) -> None:
    """A thirsty plant that one can climb when it has been watered."""
    base, way = b.free_way(("up",))
    name, look, grown = b.next("plant")
    well, well_look = b.next("well")
    flag = b.flag("grown")
    vessel = b.need(b.next("vessel"))
    full = f"full:{vessel}"
    _line(b, name, base, look, way, flag, f"The {name} droops here, under an opening far {way}.", grown)
    b.add(well, b.draw.pick([room for room in b.lighted() if room != base] or [base]), well_look)
    room = b.things[well]["at"]
    fill(b, vessel, well, full)
    b.step(room, f"fill {vessel} from {well}", [full, flag], (vessel,))
    b.rule("pour water put", vessel, name, [full], [["clear", full], ["set", flag]], f"The earth drinks. {grown}")
    b.rule("pour water put", vessel, name, [], [], f"The {vessel} is empty.", "too_early")
    b.step(base, f"pour {vessel} on {name}", [flag], (vessel,))
    b.grow(base, way, (flag,), f"The opening is far out of reach, and the {name} is far too small to climb.", size)


def fill(b: Builder, vessel: str, well: str, full: str) -> None:
    """Let a vessel be filled at a source."""
    b.rule("fill put", vessel, well, [f"!{full}"], [["set", full]], f"You fill the {vessel} from the {well}.")
    b.rule("fill put", vessel, well, [], [], f"The {vessel} is full.", "already")


def levers(b: Builder, size: int) -> None:
    """Levers that must be pulled in the order that a poem tells."""
    base, way = b.free_way(LEVEL)
    name, look, noun = b.next("levers")
    flag = b.flag("open")
    order, poem = lever_poem(b.draw, b.split, b.level)
    names = [f"{sign} {noun}" for sign in order]
    shown = b.draw.shuffled(names)
    text = f"{look} Beside it are {', '.join(f'the {n}' for n in shown[:-1])} and the {shown[-1]}."
    _line(b, name, base, text, way, flag, f"The {name} shuts the way {way}.", f"The {name} has opened the way {way}.")
    b.things[name].update(order=names)
    for lever in shown:
        b.add(lever, base, f"A {noun} marked with a {lever.rpartition(' ' + noun)[0]}.", lever=name)
    b.clue(f"{poem}", name, b.place)
    b.step(base, name, [flag], special="levers")
    b.grow(base, way, (flag,), f"The {name} is shut. There are {noun}s beside it.", size)


def balance(b: Builder, size: int) -> None:
    """A pan that opens the way when exactly so many pounds lie in it."""
    base, way = b.free_way((*LEVEL, "up"))
    name, look, result = b.next("scale")
    flag = b.flag("open")
    weights = b.draw.sample((2, 3, 5, 7, 9, 12), 3 if b.level < 3 else 4)
    wanted = weights[: 2 if b.level < 3 else 3]
    text = f"{look} Words are cut into its rim: {sum(wanted)} pounds lift me, not one more or less."
    _line(b, name, base, text, way, flag, f"Something heavy shuts the way {way}; it hangs on the {name}.", result)
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


def disguise(b: Builder, size: int) -> None:
    """A person who lets pass only who is dressed as a clue says."""
    base, way = b.free_way(LEVEL)
    flag = b.flag("passed")
    right, *others = b.draw.shuffled(b.setting.rows["dress"])[:3]
    who = b.person(base, '{who} says: "Only those who are expected. I know them by what they wear."'.replace("{who}", "The {who}"))
    b.things[who].update(
        flag=flag, line=f"The {who} looks you over and bars the way {way}.", done=f"The {who} nods: you may go {way}."
    )
    dress = b.item((right[0], right[1]), b.somewhere(), dress=True)
    for row in others:
        b.item((row[0], row[1]), b.somewhere(), dress=True)
    b.clue(f"Tell nobody: the {who} lets in {right[2]}, and no one else.", who, b.place)
    b.step(None, f"wear {dress}", [f"worn:{dress}", flag], (dress,))
    b.step(base, f"go {way}", [flag])
    b.grow(base, way, (f"worn:{dress}", flag), f'The {who} says: "You are not expected, dressed like that."', size, flag)


def ice(b: Builder, size: int) -> None:
    """A way that is frozen shut: water must be fetched, heated and poured on it."""
    base, way = b.free_way((*LEVEL, "up", "down"))
    name, look = b.next("ice")
    flag = b.flag("thawed")
    kettle = b.need(b.next("kettle"))
    well, well_look = b.next("well")
    stove, stove_look = b.next("stove")
    full, hot = f"full:{kettle}", f"hot:{kettle}"
    _line(b, name, base, look, way, flag, f"The {name} shuts the way {way}.", f"The {name} is free of ice.")
    rooms = b.lighted()
    b.add(well, b.draw.pick(rooms), well_look)
    b.add(stove, b.draw.pick(rooms), f"{stove_look} It is hot.")
    fill(b, kettle, well, full)
    b.step(b.things[well]["at"], f"fill {kettle} from {well}", [full, flag], (kettle,))
    b.rule("put", kettle, stove, [full], [["set", hot]], f"You hold the {kettle} on the {stove} until it boils, and take it up again.")
    b.rule("put", kettle, stove, [], [], f"The {kettle} is empty.", "too_early")
    b.step(b.things[stove]["at"], f"put {kettle} on {stove}", [hot, flag], (kettle,))
    b.rule(
        "pour put", kettle, name, [full, hot], [["clear", full], ["clear", hot], ["set", flag]],
        f"Steam hisses, the ice cracks and falls off. The way {way} is free.",
    )  # fmt: skip
    b.rule("pour put", kettle, name, [full], [], "Cold water would only make more ice.", "too_early")
    b.rule("pour put", kettle, name, [], [], f"The {kettle} is empty.", "too_early")
    b.step(base, f"pour {kettle} on {name}", [flag], (kettle,))
    b.grow(base, way, (flag,), f"The {name} is frozen shut.", size)


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
    food = b.item((right[0], right[1]), b.somewhere())
    b.some([(row[0], row[1]) for row in others])
    b.clue(f"You want to get past the {name}? It cannot resist {right[2]}; anything else leaves it cold.", name, b.place)
    b.rule(
        "give put", food, name, [], [["move", food, "gone"], ["set", flag]],
        f"The {name} snatches the {food} and carries it off into a corner. The way {way} is free.",
    )  # fmt: skip
    b.step(base, f"give {food} to {name}", [flag], (food,))
    b.grow(base, way, (flag,), f"The {name} is in the way and will not move.", size)


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
    _line(b, name, base, f"{look} It waits for a word.", way, flag, f"The {name} guards the way {way}.", result)
    b.things[name].update(hears=hears)
    b.clue(first, name, b.place)
    b.clue(second, name, b.somewhere())
    if b.level >= 3:
        paper, paper_look = b.next("paper")
        b.item((paper, f'{paper_look} It says: "{stray}"'), b.somewhere())
    b.step(base, f"say {word} to {name}", [flag])
    b.grow(base, way, (flag,), f"The {name} wants to hear a word first.", size)


def _line(b: Builder, name: str, base: str, look: str, way: str, flag: str, line: str, done: str) -> None:
    b.add(name, base, look, flag=flag, line=line, done=done)


GATES: dict[str, Gate] = {
    "lock": lock,
    "guard": guard,
    "code": code,
    "gap": gap,
    "machine": machine,
    "plant": plant,
    "levers": levers,
    "balance": balance,
    "disguise": disguise,
    "ice": ice,
    "beast": beast,
    "password": password,
}
