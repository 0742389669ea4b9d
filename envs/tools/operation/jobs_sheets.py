"""Jobs in the spreadsheets."""

from __future__ import annotations

from acgym.envs.tools.operation.job import Job, Made, Maker, changed, gone, new
from acgym.envs.tools.operation.office import NUMBERS, SHEETS, Conditions, Office
from acgym.envs.tools.operation.pools import ITEMS
from acgym.envs.tools.voices import kept
from acgym.types import Json

Found = tuple[str, str, dict[str, Json], str, list[Made], tuple[str, Conditions, list[str]]]
"""Id, sheet, cells, the row's name, look-ups, description."""


def _row(office: Office) -> Found | None:
    key = office.fresh("row")
    if key is None:
        return None
    row = office.state["row"][key]
    sheet = row["sheet"]
    conditions: Conditions = [["sheet", "is", sheet], [SHEETS[sheet][0], "is", row[SHEETS[sheet][0]]]]
    if office.take("row", conditions) != [key]:
        return None
    looks: list[Made] = [["read_sheet", {"sheet": sheet}]]
    return key, sheet, row, row[SHEETS[sheet][0]], looks, ("row", conditions, [key])


def write(office: Office, vague: bool) -> Job | None:
    """Write a value into a cell."""
    found = _row(office)
    if found is None:
        return None
    key, sheet, row, label, looks, about = found
    column = office.draw.pick(SHEETS[sheet][1:])
    value = office.cells(sheet, label)[column]
    if value == row[column]:
        return None
    says = office.draw.pick((
        "In the sheet {s}, the {c} of {l} should be {v}.", "Set {c} to {v} for {l} in the sheet {s}.",
        "The sheet {s} is wrong about {l}: it should say {v} under {c}.",
        "Please write {v} under {c} for {l}, sheet {s}.",
        "{l}, sheet {s}: change the {c} to {v}.",
    ) if not vague else (
        "In the sheet {s}, write what I told you under {c} for {l}.",
        "Please change the {c} of {l} in the sheet {s} to what we agreed on.",
    )).format(s=kept(sheet), c=kept(column), l=kept(label), v=kept(value))  # fmt: skip
    ask = {"words": [column, "value", "number", "what should", "correct"], "question": f"What should {column} be?",
           "answer": f"It should be {value}."}  # fmt: skip
    acts: list[Made] = [["set_cell", {"row_id": key, "column": column, "value": value}]]
    return Job(says, looks, acts, [changed("row", key, **{column: value})], [about], ask if vague else None)


def bump(office: Office, vague: bool) -> Job | None:
    """Raise or lower a number."""
    found = _row(office)
    if found is None:
        return None
    key, sheet, row, label, looks, about = found
    column = next((c for c in SHEETS[sheet] if c in NUMBERS), None)
    if column is None:
        return None
    step = office.draw.between(2, 19)
    more = office.draw.chance(0.6) or row[column] < step
    value = row[column] + step if more else row[column] - step
    says = office.draw.pick((
        "Raise the {c} of {l} in the sheet {s} by {n}.", "Sheet {s}: add {n} to the {c} of {l}.",
        "For {l}, the sheet {s} says {n} too few under {c}; put that right.",
    ) if more else (
        "Lower the {c} of {l} in the sheet {s} by {n}.", "Sheet {s}: take {n} off the {c} of {l}.",
        "For {l}, the sheet {s} says {n} too many under {c}; put that right.",
    )).format(s=kept(sheet), c=kept(column), l=kept(label), n=kept(step))  # fmt: skip
    acts: list[Made] = [["set_cell", {"row_id": key, "column": column, "value": value}]]
    return Job(says, looks, acts, [changed("row", key, **{column: value})], [about])


def add(office: Office, vague: bool) -> Job | None:
    """Add a row."""
    sheet = office.draw.pick(list(office.sheets))
    known = {row[SHEETS[sheet][0]] for row in office.now["row"].values() if row["sheet"] == sheet}
    labels = [x for x in (office.people if "person" in SHEETS[sheet] else office.pool(ITEMS)) if x not in known]
    if not labels:
        return None
    cells = office.cells(sheet, office.draw.pick(labels))
    listed = ", ".join(f"{kept(column)} {kept(value)}" for column, value in cells.items())
    says = office.draw.pick((
        "Add a row to the sheet {s}: {x}.", "The sheet {s} needs one more row, with {x}.",
        "Please enter this into the sheet {s}: {x}.", "New line for the sheet {s}: {x}.",
    )).format(s=kept(sheet), x=listed)  # fmt: skip
    return Job(says, [], [["add_row", {"sheet": sheet, "cells": cells}]], [new("row", sheet=sheet, **cells)])


def delete(office: Office, vague: bool) -> Job | None:
    """Delete a row, or empty it."""
    found = _row(office)
    if found is None:
        return None
    key, sheet, _, label, looks, about = found
    if office.draw.chance(0.6):
        says = office.draw.pick((
            "Delete the row of {l} from the sheet {s}.", "{l} no longer belongs in the sheet {s}. Take the row out.",
            "Remove the line about {l} from the sheet {s}, please.",
        ))  # fmt: skip
        name, want = "delete_row", gone("row", key)
    else:
        says = office.draw.pick((
            "Empty all cells of the row of {l} in the sheet {s}, but leave the row there.",
            "Clear the row of {l} in the sheet {s}. The empty row has to stay.",
            "Nothing in the row of {l} in the sheet {s} is right. Empty it; I will fill the same row in by hand.",
        ))  # fmt: skip
        name, want = "clear_row", changed("row", key, **dict.fromkeys(SHEETS[sheet]))
    return Job(says.format(s=kept(sheet), l=kept(label)), looks, [[name, {"row_id": key}]], [want], [about])


def every(office: Office, vague: bool) -> Job | None:
    """Write a value into each row that has another value."""
    draw = office.draw
    options = [("Orders", "state", "ordered", "delivered"), ("Trips", "approved", "no", "yes"),
               ("Training", "passed", "no", "yes"), ("Orders", "state", "delivered", "paid")]  # fmt: skip
    options = [option for option in options if option[0] in office.sheets]
    if not options:
        return None
    sheet, column, old, value = draw.pick(options)
    over = draw.between(2, 5) * 100 if "euros" in SHEETS[sheet] and office.level > 3 else None
    conditions: Conditions = [["sheet", "is", sheet], [column, "is", old]]
    if over is not None:
        conditions.append(["euros", "under", over])
    keys = office.take("row", conditions)
    if keys is None or not 2 <= len(keys) <= 6:
        return None
    limit = "" if over is None else f" and less than {kept(over)} under {kept('euros')}"
    says = draw.pick((
        "In the sheet {s}, every row with {c} {o}{x} should get {c} {v}.",
        "Sheet {s}: wherever {c} is {o}{w}, change {c} to {v}.",
        "Go through the sheet {s}, and set {c} to {v} in each row that has {c} {o}{x}.",
    )).format(s=kept(sheet), c=kept(column), o=kept(old), v=kept(value), x=limit,
              w="" if over is None else f" and {kept('euros')} is less than {kept(over)}")  # fmt: skip
    acts: list[Made] = [["set_cell", {"row_id": key, "column": column, "value": value}] for key in keys]
    wants = [changed("row", key, **{column: value}) for key in keys]
    return Job(says, [["read_sheet", {"sheet": sheet}]], acts, wants, [("row", conditions, keys)])


def extreme(office: Office, vague: bool) -> Job | None:
    """Delete the row with the largest or smallest number."""
    draw = office.draw
    sheet = draw.pick(list(office.sheets))
    column = next(c for c in SHEETS[sheet] if c in NUMBERS)
    keys = office.meant("row", [["sheet", "is", sheet]])
    if office.used & set(keys) or office.meant("row", [["sheet", "is", sheet]]) != [
        key for key, row in office.now["row"].items() if row["sheet"] == sheet
    ]:
        return None
    highest = draw.chance(0.5)
    numbers = sorted((office.state["row"][key][column] for key in keys), reverse=highest)
    if numbers[0] == numbers[1]:
        return None
    conditions: Conditions = [["sheet", "is", sheet], [column, "is", numbers[0]]]
    key = office.meant("row", conditions)[0]
    office.used |= set(keys)
    says = draw.pick((
        "Take the row with the {w} {c} out of the sheet {s}.", "In the sheet {s}, delete the row with the {w} {c}.",
        "Sheet {s}: whichever row has the {w} {c}, delete it.",
    )).format(w="highest" if highest else "lowest", c=kept(column), s=kept(sheet))  # fmt: skip
    looks: list[Made] = [["read_sheet", {"sheet": sheet}]]
    return Job(says, looks, [["delete_row", {"row_id": key}]], [gone("row", key)],
               [("row", conditions, [key]), ("row", conditions[:1], keys)])  # fmt: skip


JOBS = (
    Maker(1, ("sheets",), write, True), Maker(1, ("sheets",), bump), Maker(1, ("sheets",), add),
    Maker(1, ("sheets",), delete), Maker(2, ("sheets",), every), Maker(3, ("sheets",), extreme),
)  # fmt: skip
