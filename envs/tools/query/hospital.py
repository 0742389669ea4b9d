"""A hospital rota: wards, nurses, their shifts, leave and skills."""

from __future__ import annotations

from acgym.envs.names import words
from acgym.envs.tools.query.schema import (
    Day,
    Domain,
    Family,
    Names,
    People,
    Pick,
    Ref,
    Table,
    Tool,
    Whole,
    count,
    named,
    of,
    to,
    top,
    value,
    where,
)  # fmt: skip

_WARDS = words(
    "Maple Ward|Cardiac Unit|Rowan Ward|Day Surgery|Stroke Unit|Children's Ward|Hazel Ward|Burns Unit|Maternity|"
    "Elm Ward|Renal Unit|Admissions|Eye Clinic|Willow Ward|Recovery|Chest Unit|Juniper Ward|Spinal Unit|"
    "Cedar Ward|Short Stay",
    "|",
)

TABLES = {
    "ward": Table("WD", 5, {
        "name": Names(_WARDS), "floor": Whole(0, 7), "beds": Whole(8, 36), "head": Ref("nurse"),
    }, "name"),
    "nurse": Table("NU", 10, {
        "name": People(), "grade": Pick(("staff nurse", "senior nurse", "charge nurse")), "home_ward": Ref("ward"),
        "joined_on": Day("2009-01-01", "2029-12-31"),
    }, "name"),
    "shift": Table("SH", 44, {
        "nurse": Ref("nurse"), "ward": Ref("ward"), "day": Day("2031-03-01", "2031-04-30"),
        "kind": Pick(("day", "evening", "night")), "hours": Whole(6, 12),
    }, unique=("nurse", "day")),
    "leave": Table("LV", 14, {
        "nurse": Ref("nurse"), "first_day": Day("2031-01-05", "2031-12-20"), "days": Whole(1, 15),
        "reason": Pick(("holiday", "training", "illness")),
    }),
    "skill": Table("SK", 18, {
        "nurse": Ref("nurse"), "skill": Pick(("dialysis", "ventilation", "wound care", "infusion pumps")),
        "passed_on": Day("2021-01-01", "2030-12-31"),
    }, unique=("nurse", "skill")),
}  # fmt: skip

TOOLS = (
    Tool("find_wards", "Finds wards by name; without one, gives all.", "ward",
         {"name": ("name", "has", "the name or a part of it")}, ("name",)),
    Tool("get_ward", "Gives the record of one ward.", "ward", {"ward_id": ("id", "is", "id of the ward")},
         ("*",), ("ward_id",), one=True),
    Tool("find_nurses", "Finds nurses by name; without one, gives all.", "nurse",
         {"name": ("name", "has", "the name or a part of it")}, ("name",)),
    Tool("get_nurse", "Gives the record of one nurse.", "nurse", {"nurse_id": ("id", "is", "id of the nurse")},
         ("*",), ("nurse_id",), one=True),
    Tool("list_nurses_of_ward", "Lists the nurses whose home ward this is; they may work shifts elsewhere.", "nurse",
         {"ward_id": ("home_ward", "is", "id of the ward"), "grade": ("grade", "is", "only nurses of this grade")},
         ("name",), ("ward_id",)),
    Tool("list_shifts_of_nurse", "Lists the shifts that one nurse is down for, on any ward.", "shift",
         {"nurse_id": ("nurse", "is", "id of the nurse"), "kind": ("kind", "is", "kind of shift")},
         ("ward", "day", "kind", "hours"), ("nurse_id",)),
    Tool("list_shifts_on_ward", "Lists the shifts on one ward, whoever works them.", "shift",
         {"ward_id": ("ward", "is", "id of the ward"), "from_day": ("day", "min", "first day, YYYY-MM-DD"),
          "to_day": ("day", "max", "last day, YYYY-MM-DD")}, ("nurse", "day", "kind", "hours"), ("ward_id",)),
    Tool("list_leave", "Lists leave, of one nurse, for one reason, or all.", "leave",
         {"nurse_id": ("nurse", "is", "id of the nurse"), "reason": ("reason", "is", "reason of the leave")}, ("*",)),
    Tool("list_skills", "Lists skills that nurses passed an exam in, of one nurse, of one skill, or all.", "skill",
         {"nurse_id": ("nurse", "is", "id of the nurse"), "skill": ("skill", "is", "skill")}, ("*",)),
)  # fmt: skip

_W, _P = named("ward", "name", "$w"), named("nurse", "name", "$p")
_HOME, _ON_WARD, _SHIFTS = of(_W, "nurse", "home_ward"), of(_W, "shift", "ward"), of(_P, "shift", "nurse")
_SKILLED = to(where(["all", "skill"], "skill", "is", "$k"), "nurse")

FAMILIES = (
    Family(1, value(_W, "beds"), {"w": "ward"}, (
        "How many beds does {w} have?", "What is the number of beds on {w}?", "{w}: how many beds is that?",
        "Tell me how many beds there are on {w}.")),
    Family(1, value(_P, "joined_on"), {"p": "nurse"}, (
        "When did {p} join the hospital?", "Since which day has {p} worked here?",
        "On what date did {p} start with us?", "What is the joining date of {p}?")),
    Family(1, value(_P, "grade"), {"p": "nurse"}, (
        "What grade is {p}?", "At which grade is {p} employed?", "Which grade does {p} have?",
        "{p}: staff nurse, senior nurse or charge nurse?")),
    Family(2, value(to(_W, "head"), "name"), {"w": "ward"}, (
        "Who is the head of {w}?", "Which nurse heads {w}?", "{w} is led by whom? I need a name.",
        "What is the name of the head nurse of {w}?")),
    Family(2, value(to(_P, "home_ward"), "name"), {"p": "nurse"}, (
        "Which ward is the home ward of {p}?", "To which ward does {p} belong?",
        "What is the name of {p}'s home ward?", "Where is {p} based, by home ward?")),
    Family(2, count(of(_P, "leave", "nurse")), {"p": "nurse"}, (
        "How many times is {p} down for leave?", "How many entries of leave does {p} have?",
        "Count the periods of leave of {p}.", "{p} is away how often, by the leave list?")),
    Family(3, count(where(_SHIFTS, "kind", "is", "$k")), {"p": "nurse", "k": "shift.kind"}, (
        "How many {k} shifts is {p} down for?", "Of the shifts of {p}, how many are {k} shifts?",
        "How often does {p} work the {k} shift on this rota?")),
    Family(3, ["sum", where(_SHIFTS, "day", "in", "$m"), "hours"], {"p": "nurse", "m": "shift.day month"}, (
        "How many hours does {p} work in {m}?", "Add up the hours of all shifts of {p} in {m}.",
        "What do the shifts of {p} in {m} come to, in hours?")),
    Family(3, value(top(_HOME, "joined_on", "min"), "name"), {"w": "ward"}, (
        "Of the nurses whose home ward is {w}, who has been with us longest?",
        "Who joined first among the nurses that belong to {w}?",
        "{w}: which of the nurses based there has the earliest joining date?")),
    Family(3, value(to(top(_ON_WARD, "day", "max"), "nurse"), "name"), {"w": "ward"}, (
        "Who works the last shift on {w} that the rota has?", "Which nurse is down for the latest shift on {w}?",
        "By date, who has the final shift on {w}?")),
    Family(3, count(to(where(_ON_WARD, "day", "in", "$m"), "nurse")), {"w": "ward", "m": "shift.day month"}, (
        "How many different nurses work at least one shift on {w} in {m}?",
        "In {m}, how many nurses appear on the rota of {w}? Each counts once.",
        "Count the nurses with any shift on {w} during {m}.")),
    Family(4, count(["minus", to(_ON_WARD, "nurse"), _HOME]), {"w": "ward"}, (
        "How many nurses work on {w} at some time although it is not their home ward?",
        "Of the nurses with shifts on {w}, how many come from another home ward?",
        "How many outsiders does {w} use, that is nurses with a shift there who belong to another ward?")),
    Family(4, count(["minus", _HOME, _SKILLED]), {"w": "ward", "k": "skill.skill"}, (
        "How many of the nurses who belong to {w} have not passed {k}?",
        "Of the nurses based on {w}, how many lack the skill {k}?",
        "How many nurses with {w} as their home ward have no exam in {k}?")),
    Family(4, count(["minus", _HOME, to(where(["all", "leave"], "reason", "is", "$r"), "nurse")]),
           {"w": "ward", "r": "leave.reason"}, (
        "How many nurses of {w}, by home ward, have no leave for {r}?",
        "Of the nurses whose home ward is {w}, how many are never down for {r} leave?",
        "{w}: how many of the nurses based there have not a single leave because of {r}?")),
    Family(4, count(["minus", to(_SHIFTS, "ward"), to(where(_SHIFTS, "kind", "is", "night"), "ward")]),
        {"p": "nurse"}, (
        "On how many wards does {p} have shifts, but never a night shift?",
        "{p} works on several wards. On how many of them only by day or in the evening?",
        "Count the wards where {p} works without any night shift.")),
    Family(5, value(["most", _HOME, "shift", "nurse", [["kind", "is", "$k"]], "max"], "name"),
           {"w": "ward", "k": "shift.kind"}, (
        "Of the nurses whose home ward is {w}, who has the most {k} shifts, wherever they are?",
        "Who among the nurses based on {w} works the {k} shift most often, on any ward?",
        "Home ward {w}: which of its nurses is down for the largest number of {k} shifts?")),
    Family(5, ["sum", ["minus", _ON_WARD, of(_HOME, "shift", "nurse")], "hours"], {"w": "ward"}, (
        "How many hours on {w} are worked by nurses whose home ward it is not?",
        "Add up the hours of all shifts on {w} that are done by nurses from other home wards.",
        "{w} borrows nurses from elsewhere. How many hours do their shifts there come to?")),
    Family(5, count(["minus", ["both", to(_ON_WARD, "nurse"), _SKILLED],
                     to(where(["all", "leave"], "reason", "is", "$r"), "nurse")]),
           {"w": "ward", "k": "skill.skill", "r": "leave.reason"}, (
        "How many nurses with shifts on {w} have passed {k} and have no leave for {r}?",
        "Of those who work on {w}, how many have the skill {k} and are never down for {r} leave?",
        "Count the nurses on the rota of {w} who have an exam in {k} but not one leave because of {r}.")),
    Family(5, value(to(top(of(to(where(_ON_WARD, "kind", "is", "$k"), "nurse"), "skill", "nurse"), "passed_on", "max"),
                       "nurse"), "name"), {"w": "ward", "k": "shift.kind"}, (
        "Of the nurses who do {k} shifts on {w}, who passed a skill most recently?",
        "Look at everybody with a {k} shift on {w}. Whose latest exam is the newest of all?",
        "Who, among the nurses doing at least one {k} shift on {w}, has the most recent exam in any skill?")),
)  # fmt: skip

DOMAIN = Domain("hospital", TABLES, TOOLS, FAMILIES)
