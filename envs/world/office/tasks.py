"""Draws an office day: its jobs, the documents that they need, and others that nobody needs."""

from __future__ import annotations

from collections.abc import Callable

from acgym.draw import Draw
from acgym.envs.world.office.expenses import expenses
from acgym.envs.world.office.figures import question, report
from acgym.envs.world.office.letters import letters
from acgym.envs.world.office.papers import filing, retention
from acgym.envs.world.office.staff import Job, Office, in_words
from acgym.types import Json, Split, Task

KINDS: dict[str, Callable[[Office], Job]] = {
    "expenses": expenses,
    "mail": letters,
    "retention": retention,
    "filing": filing,
    "question": question,
    "report": report,
}
JOBS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6}
"""Level -> number of jobs, each of another kind."""
_NOTES = {
    "/handbook/parking.txt": "Parking\n\nPlaces 1 to 6 are for visitors. Bicycles stand under the roof of hall 2.\n",
    "/handbook/keys.txt": "Keys\n\nWho loses a key tells the porter on the same day. Keys are never lent.\n",
    "/handbook/kitchen.txt": "Kitchen\n\nCups go into the machine. On Friday at noon the fridge is emptied.\n",
    "/notes/todo.txt": "water the fern\nring the tax office\nnew batteries for the clock\n",
    "/notes/old-limits.txt": "Up to 50 EUR we decide ourselves (this was so in 2019, now see the handbook).\n",
    "/projects/gate/plan.txt": "The gate opens inwards. The posts are set in May, the gate is hung in June.\n",
    "/projects/gate/costs.csv": "what,eur\nposts,420\nwings,1310\nlock,95\n",
    "/projects/canteen/menu.txt": "Monday soup, Tuesday pasta, Wednesday fish, Thursday dumplings.\n",
}


def draw_day(draw: Draw, split: Split, level: int) -> Task:
    """Draw the work of a day."""
    office = Office(draw, split, level)
    kinds = draw.shuffled(tuple(KINDS))
    jobs = [KINDS[kind](office) for kind in kinds[: JOBS[level]]]
    if level >= 3:  # work of other days, which must be left alone
        for kind in kinds[JOBS[level] :]:
            KINDS[kind](office)
    for path, text in _NOTES.items():
        office.files.setdefault(path, text)
    rows: list[list[Json]] = []
    plan: list[list[Json]] = []
    lines = []
    for n, job in enumerate(jobs, 1):
        numbered = [
            [cell.replace("{job}", str(n)) if isinstance(cell, str) else cell for cell in row] for row in job.rows
        ]
        rows += numbered
        lines.append(f"{n}. {job.text.replace('{job}', str(n))}")
        reads = list(job.reads)
        for row, act in zip(numbered, job.acts, strict=True):
            plan.append([reads, row, act.replace("{job}", str(n))])
            reads = []
    data = {
        "level": level,
        "today": in_words(office.today),
        "files": dict(sorted(office.files.items())),
        "folders": office.folders,
        "staff": [one.name for one in office.people],
        "tickets": office.tickets,
        "mail": office.mail,
        "templates": office.templates,
        "jobs": len(jobs),
        "plan": plan,
    }
    return Task(
        " + ".join([job.kind for job in jobs]) if level < 3 else f"{len(jobs)} jobs", "\n".join(lines), data, rows
    )
