"""Electric circuits: parts with two ends, loops in series, Ohm's law; lamps light, or burn out."""

from __future__ import annotations

from acgym.envs.world.lab.state import Lab, Thing, the

LIT, BURNT = 0.75, 1.6
"""Shares of its voltage at which a lamp begins to light, and above which it burns out."""
OPEN = 1e9
"""Ohms of what does not conduct."""

End = tuple[str, str]


def ends_of(part: Thing) -> tuple[str, str]:
    """Return the names of a part's two ends."""
    return ("+", "-") if part.more.get("volts") is not None else ("1", "2")


def partner(lab: Lab, end: End) -> End | None:
    """Return the end that an end is connected with."""
    for one, other in lab.joins:
        if one == end:
            return other
        if other == end:
            return one
    return None


def free_ends(lab: Lab, part: Thing) -> list[str]:
    """Return the ends of a part that are not connected."""
    return [end for end in ends_of(part) if partner(lab, (part.name, end)) is None]


def loop_of(lab: Lab, name: str) -> list[tuple[Thing, int]] | None:
    """Return the closed loop through a part, each part with +1 if it is passed from - (or 1) to +, else -1.

    None where the part lies in no closed loop.
    """
    passed: list[tuple[Thing, int]] = []
    part, entered = lab.things[name], ends_of(lab.things[name])[0]
    while True:
        one, other = ends_of(part)
        left = other if entered == one else one
        volts_up = left == "+"
        passed.append((part, 1 if volts_up else -1))
        following = partner(lab, (part.name, left))
        if following is None:
            return None
        if following[0] == name:
            return passed
        part, entered = lab.things[following[0]], following[1]


def current(lab: Lab, name: str) -> float:
    """Return the current in ampere through a part; 0 where it lies in no closed loop."""
    loop = loop_of(lab, name)
    if loop is None:
        return 0.0
    volts = sum(sign * (part.more.get("volts") or 0.0) for part, sign in loop)
    return float(abs(volts) / sum(float(part.more["ohms"]) for part, _ in loop))


def share(lab: Lab, lamp: Thing) -> float:
    """Return the voltage over a lamp as a share of what it is made for."""
    return current(lab, lamp.name) * float(lamp.more["ohms"]) / float(lamp.more["needs"])


def lit(lab: Lab, lamp: Thing) -> bool:
    """Say whether a lamp lights."""
    return not lamp.more.get("burnt") and LIT <= share(lab, lamp) <= BURNT


def settle(lab: Lab) -> list[str]:
    """Let current flow: burn out lamps, note what has been observed; return what is seen, a sentence each."""
    said = []
    for lamp in lab.of_kind("part"):
        if lamp.more.get("needs") is None or loop_of(lab, lamp.name) is None or not lab.at_hand(lamp.name):
            continue
        if not lamp.more.get("burnt") and share(lab, lamp) > BURNT:
            lamp.more["burnt"], lamp.more["ohms"] = True, OPEN
            said.append(f"{the(lamp.name, True)} flashes and burns out.")
        elif lit(lab, lamp):
            lab.observe(f"lit:{lamp.name}")
            said.append(f"{the(lamp.name, True)} lights up.")
        else:
            said.append(f"{the(lamp.name, True)} stays dark.")
        _note_tests(lab, lamp)
    return said


def _note_tests(lab: Lab, lamp: Thing) -> None:
    """Note which parts of a lamp's loop have been tested: lit shows that all conduct.

    A dark lamp shows that one part does not conduct only if all others are known to, or are known to work: then a
    wire in its place would have lit the lamp.
    """
    loop = loop_of(lab, lamp.name) or []
    if lit(lab, lamp):
        for part, _ in loop:
            lab.observe(f"tested:{part.name}")
        return
    unknown = [part for part, _ in loop if part.more.get("unknown") and f"tested:{part.name}" not in lab.seen]
    if len(unknown) == 1:
        rest = [(part, sign) for part, sign in loop if part is not unknown[0]]
        volts = abs(sum(sign * (part.more.get("volts") or 0.0) for part, sign in rest))
        ohms = sum(float(part.more["ohms"]) for part, _ in rest)
        over = volts / ohms * float(lamp.more["ohms"]) / float(lamp.more["needs"])
        if LIT <= over <= BURNT:
            lab.observe(f"tested:{unknown[0].name}")


def connect(lab: Lab, one: Thing, other: Thing, ends: tuple[str, ...]) -> tuple[str, str | None]:
    """Connect two parts by free ends; a + goes to a - unless the ends are named. Only cells need no wire between."""
    if one is other:
        return f"{the(one.name, True)} cannot be connected with itself.", "wrong_part"
    cells = one.more.get("volts") is not None and other.more.get("volts") is not None
    if not (cells or one.more.get("wire") or other.more.get("wire")):
        return (
            f"{the(one.name, True)} and {the(other.name)} do not fit together: put a wire between them.",
            "wrong_part",
        )
    first, second = free_ends(lab, one), free_ends(lab, other)
    for part, free in ((one, first), (other, second)):
        if not free:
            return f"Both ends of {the(part.name)} are connected. Disconnect it first.", "no_free_end"
    mine, theirs = first[0], second[0]
    asked = list(ends)
    if asked and "+" in ends_of(one):
        mine = asked.pop(0)
    if asked and "+" in ends_of(other):
        theirs = asked.pop(0)
    if mine not in first or theirs not in second:
        return "That end is connected already. Disconnect it first.", "no_free_end"
    if cells and mine == theirs and not ends:  # a + goes to a - where it can
        mine, theirs = next(((a, b) for a in first for b in second if a != b), (mine, theirs))
    lab.joins.append(((one.name, mine), (other.name, theirs)))
    for part in (one, other):
        part.at = lab.here
    shown = [the(part.name) + (f" ({end})" if end in "+-" else "") for part, end in ((one, mine), (other, theirs))]
    return " ".join([f"You connect {shown[0]} with {shown[1]}.", *settle(lab)]), None


def disconnect(lab: Lab, part: Thing) -> bool:
    """Take a part out of its circuit; say whether it was in one."""
    before = len(lab.joins)
    lab.joins = [join for join in lab.joins if part.name not in (join[0][0], join[1][0])]
    return len(lab.joins) < before
