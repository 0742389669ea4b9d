"""The simple heuristic of the grid: do what the mission names, in the order of its words, through whatever doors."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NAMED = re.compile(r"\b((?:red|green|blue|purple|yellow|grey|orange|white|black|pink) (?:ball|box|key|door))\b")
_SEEN = re.compile(r"^- the ([a-z]+ [a-z]+)(?: \((\w+)\))?:", re.MULTILINE)
_PUT = re.compile(r"\b(?:put|bring|set|place|carry|lay)\b[^.;:]*$")
_GO = re.compile(r"\b(?:go to|walk up to|stand in front of|head for|way to|find)\b[^.;:]*$")


def in_order_of_words(told: Sequence[str], replies: Sequence[str]) -> str:
    """Return the next action of a walker that goes through the names of the mission one by one.

    A thing that is seen is picked up, or gone to, by the words before its name; a second name behind "put" is gone to
    and the thing dropped, one step back. A door is opened. What is not seen is looked for through the
    doors, the least used first; locked ones are left.
    """
    mission = told[0].rpartition("\nMission: ")[2]
    goals = []
    for found in _NAMED.finditer(mission):
        before = mission[: found.start()][-60:].lower()
        put = _PUT.search(before)
        second = put is not None and bool(_NAMED.search(put[0]))
        goals.append((found[1], "beside" if second else "go" if _GO.search(before) and not put else "take"))
    now = told[-1]
    done = sum(reply == "Action: look" for reply in replies)
    name, what = goals[min(done, len(goals) - 1)] if goals else ("red ball", "go")
    seen = dict(_SEEN.findall(now))
    last = replies[-1].removeprefix("Action: ") if replies else ""
    if what == "beside" and last in (f"go to the {name}", "turn around", "move forward 1"):
        turned = sum(reply == "Action: turn around" for reply in replies[-3:])
        following = {f"go to the {name}": "turn around", "move forward 1": "turn around"}
        return f"Action: {following.get(last) or ('move forward 1' if turned == 1 else 'drop')}"
    if "put it down first" in now:
        return "Action: drop"
    if last in (f"go to the {name}", f"pick up the {name}", f"open the {name}") or (
        last == "drop" and what == "beside"
    ):
        return "Action: look"
    if name in seen:
        verb = "open" if name.endswith("door") else "pick up" if what == "take" else "go to"
        return f"Action: {verb} the {name}"
    doors = [(replies.count(f"Action: go through the {door}"), door) for door, state in seen.items() if state]
    doors = [(count, door) for count, door in doors if seen[door] != "locked"]
    if not doors:
        return "Action: turn left"
    door = min(doors)[1]
    state = seen[door]
    return f"Action: {'go through' if state == 'open' else 'open'} the {door}"
