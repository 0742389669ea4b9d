"""Puzzles that yield a thing: a dark room, a trade, a buried box, a safe, a block of wax, a grate."""

from __future__ import annotations

from collections.abc import Callable

from acgym.envs.world.adventure.build import Builder, a
from acgym.envs.world.adventure.locks import dials

Source = Callable[[Builder], None]


def dark(b: Builder) -> None:
    """A dark room; the lamp must be filled before it burns, and burns a while only."""
    lamp = b.need(b.next("lamp"))
    fuel, look = b.next("fuel")
    b.add(fuel, b.draw.pick(b.lighted()), look)
    b.lamp = {"name": lamp, "burn": 12 if b.level < 3 else 8}
    filled = b.flag("filled")
    b.rule("fill put pour", lamp, fuel, [], [["fuel"], ["set", filled]], f"You fill the {lamp} from the {fuel}.")
    b.step(b.things[fuel]["at"], f"fill {lamp} from {fuel}", [filled], (lamp,))
    room = b.dark_room()
    saw = b.fact(f"saw:{room}")
    b.step(room, "look", [saw], (lamp,))
    b.place = room


def trade(b: Builder) -> None:
    """People who swap: the first wants what the second has, and the second wants what you find."""
    wanted = b.need(b.next("trinket"))
    links = 1 if b.level < 3 else 2
    rows = [b.next("trinket") for _ in range(links - 1)]
    flags = [b.flag("traded") for _ in range(links)]
    cache = f"cache {b.count}"
    rooms = b.draw.sample(b.lighted(), links)
    for i in range(links):
        last = i == links - 1
        asks = wanted if i == 0 else rows[i - 1][0]
        offer = "what I have in my pocket" if last else f"my {rows[i][0]}"
        talk = f'The {{who}} says: "I would give {offer} for {a(asks)}."'
        who = b.person(rooms[i], talk)
        heard = b.flag("wish")
        b.rule("talk", who, "", [], [["set", heard]], talk.replace("{who}", who))
        b.step(rooms[i], f"talk to {who}", [heard, flags[i]])
        if last:
            do = [["move", asks, "gone"], ["set", flags[i]], ["free", cache, "you"]]
            say = f"The {who} takes the {asks} and empties a pocket into your hands."
        else:
            b.item(rows[i], f"pocket {i}")
            do = [["move", asks, "gone"], ["set", flags[i]], ["move", rows[i][0], "you"]]
            say = f"The {who} takes the {asks} and gives you the {rows[i][0]}."
        b.rule("give", asks, who, [], do, say)
        b.things[who].update(refuses=f'The {who} waves it away. "That is not what I asked for."')
        b.step(rooms[i], f"give {asks} to {who}", [flags[i]], (asks,))
    b.place = cache


def buried(b: Builder) -> None:
    """Something under the floor of a room that a map describes and does not name."""
    tool = b.item(b.next("tool"), b.somewhere())
    b.tool = tool
    flag = b.flag("dug")
    cache = f"cache {b.count}"
    room = b.draw.pick(b.lighted())
    told = b.clue(
        f"What I have hidden lies underfoot in the place {b.features[room]}, seven feet from the corner. "
        f"Dig with the {tool}.",
        "hidden thing", b.place,
    )  # fmt: skip
    do = [["set", flag], ["free", cache, "here"]]
    b.rule(
        "dig",
        f"@{room}",
        "",
        [told, f"!{flag}"],
        do,
        f"The {tool} bites. Something gives, and there is a hollow below.",
    )
    b.step(room, "dig", [flag], (tool,))
    b.place = cache


def safe(b: Builder) -> None:
    """A safe with dials, its number spread over several clues."""
    base = b.draw.pick(b.lighted())
    name, look = b.next("safe")
    flag = b.flag("open")
    cache = f"cache {b.count}"
    value = dials(b, name, base, look, flag, f"The {name} springs open.", [["free", cache, "here"]])
    b.things[name].update(lock=f"The {name} is locked. It wants a number of three figures.")
    b.step(base, f"set {name} to {value}", [flag])
    b.place = cache


def wax(b: Builder) -> None:
    """Something cast into a block that must be melted on a fire that must be lit first."""
    block = b.need(b.next("block"))
    heater, look = b.next("heater")
    matches = b.item(b.next("matches"), b.somewhere())
    room = b.draw.pick(b.lighted())
    lit, flag = b.flag("burning"), b.flag("melted")
    cache = f"cache {b.count}"
    b.add(heater, room, look, flag=lit, done_text=f"{look} A fire burns in it.")
    b.rule("light put", matches, heater, [f"!{lit}"], [["set", lit]], f"A flame, then a steady fire in the {heater}.")
    b.rule("light put", matches, heater, [], [], f"The {heater} is burning.", "already")
    b.step(room, f"light {heater} with {matches}", [lit], (matches,))
    do = [["move", block, "gone"], ["set", flag], ["free", cache, "here"]]
    b.rule("put light", block, heater, [lit], do, f"The {block} softens, slumps and runs away.")
    b.rule("put light", block, heater, [], [], f"The {heater} is cold.", "too_early")
    b.step(room, f"put {block} on {heater}", [flag], (block,))
    b.place = cache


def grate(b: Builder) -> None:
    """Something iron below a grate, to be fished for with a magnet on a string."""
    name, look = b.next("grate")
    room = b.draw.pick(b.lighted())
    magnet = b.need(b.next("magnet"))
    string = b.item(b.next("string"), b.somewhere())
    tied, flag = b.flag("tied"), b.flag("fished")
    cache = f"cache {b.count}"
    b.add(name, room, f"{look} Far down, too far for any arm, lies an iron box.")
    b.rule(
        "tie put",
        string,
        magnet,
        [f"!{tied}", f"has:{magnet}"],
        [["set", tied]],
        f"You tie the {string} to the {magnet}.",
    )
    b.rule("tie put", string, magnet, [tied], [], "They are tied together.", "already")
    b.step(None, f"tie {string} to {magnet}", [tied], (string, magnet))
    do = [["set", flag], ["free", cache, "you"]]
    b.rule(
        "put tie", magnet, name, [tied, f"has:{string}", f"!{flag}"], do,
        f"You let the {magnet} down on the {string}. Click. You pull an iron box up, and open it.",
    )  # fmt: skip
    b.rule("put tie", magnet, name, [flag], [], "Nothing more comes up.", "already")
    b.rule(
        "put tie", magnet, name, [], [], f"You would never see the {magnet} again: it hangs on nothing.", "too_early"
    )
    b.step(room, f"lower {magnet} into {name}", [flag], (magnet, string))
    b.place = cache


SOURCES: dict[str, Source] = {
    "dark": dark,
    "trade": trade,
    "buried": buried,
    "safe": safe,
    "wax": wax,
    "grate": grate,
}
