"""Puzzles that make a passage: a gap to cross, a machine to mend, a plant to grow, ice to melt."""

from __future__ import annotations

from acgym.envs.world.adventure.build import LEVEL, Builder, bar


def gap(b: Builder, size: int) -> None:
    """A drop or a gap that is crossed on a rope."""
    base, way = b.free_way(("down", *LEVEL))
    name, look, anchor, anchor_look = b.next("gap")
    flag = b.flag("crossed")
    rope = b.need(b.next("rope"))
    barred = f"The {name} is in the way: nobody could climb or jump that without something to hold on to."
    bar(b, name, base, look, way, flag, f"The {name} cuts off the way {way}.", f"The {rope} hangs over the {name}.")
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
    still, moved = f"The {name} stands still, and with it the way {way}.", f"{result} The way {way} is free."
    bar(b, name, base, f"{look} The part that was missing is in its place.", way, flag, still, moved)
    plate = b.flag("plate")
    b.rule("examine", name, "", [f"!{fitted}"], [["set", plate]], text)
    b.step(base, f"examine {name}", [plate, fitted, flag])
    b.things[name].update(refuses="It does not fit there.")
    part = b.need((right[0], right[1]))
    b.rule(
        "put tie", part, name, [], [["move", part, "gone"], ["set", fitted]], f"The {part} fits. Now start the {name}."
    )
    for row in parts[1:]:
        b.item((row[0], row[1]), b.somewhere())
        b.rule("put tie", row[0], name, [], [], f"The {row[0]} does not fit.", "refused")
    b.rule("push pull turn", name, "", [fitted, f"!{flag}"], [["set", flag]], moved)
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
    bar(b, name, base, look, way, flag, f"The {name} droops here, under an opening far {way}.", grown)
    b.add(well, b.draw.pick([room for room in b.lighted() if room != base] or [base]), well_look)
    room = b.things[well]["at"]
    fill(b, vessel, well, full)
    b.step(room, f"fill {vessel} from {well}", [full, flag], (vessel,))
    b.rule("pour water put", vessel, name, [full], [["clear", full], ["set", flag]], f"The earth drinks. {grown}")
    b.rule("pour water put", vessel, name, [], [], f"The {vessel} is empty.", "too_early")
    b.step(base, f"pour {vessel} on {name}", [flag], (vessel,))
    b.grow(base, way, (flag,), f"The opening is far out of reach, and the {name} is far too small to climb.", size)


def ice(b: Builder, size: int) -> None:
    """A way that is frozen shut: water must be fetched, heated and poured on it."""
    base, way = b.free_way((*LEVEL, "up", "down"))
    name, look = b.next("ice")
    flag = b.flag("thawed")
    kettle = b.need(b.next("kettle"))
    well, well_look = b.next("well")
    stove, stove_look = b.next("stove")
    full, hot = f"full:{kettle}", f"hot:{kettle}"
    bar(b, name, base, look, way, flag, f"The {name} shuts the way {way}.", f"The {name} is free of ice.")
    rooms = b.lighted()
    b.add(well, b.draw.pick(rooms), well_look)
    b.add(stove, b.draw.pick(rooms), f"{stove_look} It is hot.")
    fill(b, kettle, well, full)
    b.step(b.things[well]["at"], f"fill {kettle} from {well}", [full, flag], (kettle,))
    b.rule(
        "put",
        kettle,
        stove,
        [full],
        [["set", hot]],
        f"You hold the {kettle} on the {stove} until it boils, and take it up again.",
    )
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


def fill(b: Builder, vessel: str, well: str, full: str) -> None:
    """Let a vessel be filled at a source."""
    b.rule("fill put", vessel, well, [f"!{full}"], [["set", full]], f"You fill the {vessel} from the {well}.")
    b.rule("fill put", vessel, well, [], [], f"The {vessel} is full.", "already")
