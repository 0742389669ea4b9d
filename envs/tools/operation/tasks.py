"""Draws the tasks: an office, jobs in it, policies, what the user forgets, and the words of the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from acgym.draw import Draw
from acgym.envs.tools.operation import jobs_across, jobs_calendar, jobs_mail, jobs_sheets, jobs_tickets
from acgym.envs.tools.operation.functions import APPS, TWINS, spec
from acgym.envs.tools.operation.goal import Goal
from acgym.envs.tools.operation.job import Job, Maker
from acgym.envs.tools.operation.office import Office, meant
from acgym.envs.tools.operation.policies import POLICIES, forbidden
from acgym.envs.tools.operation.pools import ROOMS
from acgym.envs.tools.operation.world import World, copied
from acgym.envs.tools.voices import VOICES, dress, kept
from acgym.types import Json, Split, Task


class Shape(NamedTuple):
    """How large the tasks of a level are."""

    apps: int
    jobs: int
    tools: int
    policies: int
    forbidden: float
    """Chance that a policy forbids a job."""
    forgets: float
    """Chance that the user forgets something, for each job where that can be."""
    turns: tuple[int, int]
    """Fewest and most instalments in which the user asks."""
    calls: int
    """Most calls that the oracle makes."""


SHAPES = {
    1: Shape(1, 1, 6, 0, 0.0, 0.0, (1, 1), 8),
    2: Shape(2, 2, 10, 0, 0.0, 0.25, (1, 1), 14),
    3: Shape(3, 3, 16, 3, 0.4, 0.3, (1, 1), 20),
    4: Shape(4, 4, 24, 4, 0.5, 0.3, (1, 2), 28),
    5: Shape(4, 8, 37, 5, 0.6, 0.3, (2, 3), 36),
}
_MAKERS: tuple[Maker, ...] = (
    *jobs_mail.JOBS, *jobs_calendar.JOBS, *jobs_sheets.JOBS, *jobs_tickets.JOBS, *jobs_across.JOBS,
)  # fmt: skip
_NAMES = {maker: f"{maker.make.__module__.rpartition('_')[2]} {maker.make.__name__}" for maker in _MAKERS}
_MORE = (
    "One more thing.", "While you are at it:", "There is something else.", "And now this:", "Before you go:",
    "Next on my list:", "I have another one for you.", "I also need this done:", "That leaves the rest:",
    "Now to something else.", "Wait, there is more.", "Since you are here:", "On we go.", "This came in just now:",
    "I nearly forgot.", "Right, what else.", "You are quick. Then:", "Still with me? Good, here is more.",
)  # fmt: skip
"""How a further instalment begins."""


_GUARDS = {
    "kept meeting": (("cancel_event",), "read_event", "event_id"),
    "large meeting": (("move_event",), "read_event", "event_id"),
    "noted": (("solve_ticket", "close_ticket"), "read_ticket", "ticket_id"),
}  # fmt: skip
"""Policy that rests on what a search does not show -> the functions concerned, the one that shows it, its argument."""


@dataclass
class _Drawn:
    """A job, and what came of it."""

    maker: Maker
    job: Job
    forbidden: bool = False


def draw_operation(draw: Draw, split: Split, level: int) -> Task:
    """Draw a task.

    Returns:
        A task. Its ``data`` holds ``state``, ``sheets``, ``today``, ``policies`` (kind, value, text) and ``turns``
        (what the user says in each instalment). Its ``reference`` is a list of instalments, each a list of jobs with
        ``looks``, ``acts``, ``wants``, ``about``, ``ask`` (see :class:`~acgym.envs.tools.operation.job.Job`) and
        ``forbidden``.
    """
    shape = SHAPES[level]
    while True:
        office = Office(draw, split, level, tuple(draw.sample(tuple(APPS), shape.apps)))
        office.open()
        drawn = _jobs(office, shape)
        if drawn is None or not _consistent(office, drawn):
            continue
        policies = _policies(office, drawn, shape)
        if policies is not None:
            _guard(drawn, policies)
            task = _task(office, drawn, policies, shape)
            if _works(task):
                return task


def _jobs(office: Office, shape: Shape) -> list[_Drawn] | None:
    """Draw the jobs one after the other, each in the state that the former ones leave."""
    draw = office.draw
    makers = [m for m in _MAKERS if m.level <= office.level and set(m.apps) <= set(office.apps)]
    drawn: list[_Drawn] = []
    for _ in range(12 * shape.jobs):
        maker = draw.pick(makers)
        known = [d.maker for d in drawn]
        if known.count(maker) > (office.level > 4):
            continue
        forgot = sum(d.job.ask is not None for d in drawn)
        vague = maker.forgets and forgot < office.level // 2 and draw.chance(shape.forgets)
        used = set(office.used)
        job = maker.make(office, vague)
        if job is None or not _done(office, job):
            office.used = used
            continue
        drawn.append(_Drawn(maker, job))
        if len(drawn) == shape.jobs:
            calls = sum(len(d.job.looks) + len(d.job.acts) for d in drawn)
            return drawn if calls <= shape.calls else None
    return None


def _done(office: Office, job: Job) -> bool:
    """Do a job in the office as it is now; say whether no call was refused."""
    world = World(office.now, office.sheets, office.today.isoformat())
    world._made = sum(key not in office.state[table] for table, rows in office.now.items() for key in rows)
    if any("error" in world.call(name, args) for name, args in job.acts):
        return False
    office.now = world.state
    return True


def _consistent(office: Office, drawn: list[_Drawn]) -> bool:
    """Say whether the words of each job mean the same rows at the beginning and, of those left, at the end."""
    for each in drawn:
        for table, conditions, ids in each.job.about:
            told = [c for c in conditions if c[1] not in ("newest", "oldest")]
            before = set(meant(office.state, table, told))
            if told == conditions and before != set(ids):
                return False
            if set(meant(office.now, table, told)) - before:
                return False
    return True


def _policies(office: Office, drawn: list[_Drawn], shape: Shape) -> list[Json] | None:
    """Draw policies and mark the jobs that they forbid; None if a job would be forbidden in part."""
    if not shape.policies:
        return []
    for _ in range(4):
        chosen = _chosen(office, drawn, shape)
        bars = [_bars(office, chosen, each) for each in drawn]
        if all(not any(bar) or (all(bar) and each.job.ask is None) for bar, each in zip(bars, drawn, strict=True)):
            for each, bar in zip(drawn, bars, strict=True):
                each.forbidden = any(bar)
            return chosen
    return None


def _chosen(office: Office, drawn: list[_Drawn], shape: Shape) -> list[Json]:
    """Choose policies: with the chance that the level states, one that forbids something; else ones that do not."""
    draw = office.draw
    moved = [args.get("event_id") for d in drawn for name, args in d.job.acts if name in ("move_event", "copy_event")]
    rooms = {office.state["event"][key]["room"] for key in moved}
    candidates = [policy for kind in POLICIES for policy in _put(office, kind) if policy["value"] not in rooms]
    bites = draw.chance(shape.forbidden)
    chosen: list[Json] = []
    for policy in draw.shuffled(candidates):
        if policy["kind"] in [other["kind"] for other in chosen]:
            continue
        hit = any(any(_bars(office, [policy], each)) for each in drawn)
        if (hit and bites) or (not hit and len(chosen) < shape.policies - bites):
            chosen.append(policy)
            bites = bites and not hit
        if len(chosen) == shape.policies:
            break
    return draw.shuffled(chosen)


def _put(office: Office, kind: str) -> list[Json]:
    """Return the policies of a kind, one for each value."""
    policy = POLICIES[kind]
    if policy.app not in office.apps:
        return []
    customers = list(dict.fromkeys(row["customer"] for row in office.state["ticket"].values()))
    values: dict[str | None, list[Json]] = {
        None: [None], "person": list(office.people), "room": list(office.pool(ROOMS)), "sheet": list(office.sheets),
        "customer": customers,
    }  # fmt: skip
    text = office.draw.pick(policy.texts)
    return [{"kind": kind, "value": value, "text": text.format(v=value)} for value in values[policy.values]]


def _bars(office: Office, policies: list[Json], each: _Drawn) -> list[bool]:
    today = office.today.isoformat()
    return [forbidden(policies, name, args, office.state, today) for name, args in each.job.acts]


def _guard(drawn: list[_Drawn], policies: list[Json]) -> None:
    """Add the look-ups without which nobody knows whether a policy forbids a job."""
    kinds = [policy["kind"] for policy in policies]
    for each in drawn:
        for name, args in each.job.acts:
            for kind, (acts, look, key) in _GUARDS.items():
                made = [look, {key: args.get(key)}]
                if kind in kinds and name in acts and made not in each.job.looks:
                    each.job.looks.append(made)


def _task(office: Office, drawn: list[_Drawn], policies: list[Json], shape: Shape) -> Task:
    draw = office.draw
    count = min(draw.between(*shape.turns), len(drawn))
    cuts = sorted(draw.sample(range(1, len(drawn)), count - 1)) if count > 1 else []
    groups = [drawn[i:j] for i, j in zip([0, *cuts], [*cuts, len(drawn)], strict=True)]
    voice = draw.pick(VOICES)
    taken_back = _taken_back(office) if voice.corrects else None
    turns = []
    for i, group in enumerate(groups):
        said = [each.job.says.replace(f"on {kept('tomorrow')}", kept("tomorrow")) for each in group]
        if i:
            turns.append(dress(draw, voice._replace(before=_MORE, corrects=False), said))
        else:
            turns.append(dress(draw, voice, said, taken_back))
    reference = [
        [
            {
                "looks": each.job.looks, "acts": each.job.acts, "wants": each.job.wants,
                "about": [list(row) for row in each.job.about], "ask": each.job.ask, "forbidden": each.forbidden,
            }
            for each in group
        ]
        for group in groups
    ]  # fmt: skip
    data = {
        "state": office.state, "sheets": office.sheets, "today": office.today.isoformat(), "policies": policies,
        "turns": turns,
    }  # fmt: skip
    kind = " + ".join(sorted(_NAMES[each.maker] for each in drawn))
    if office.level > 2:
        barred, asked = any(each.forbidden for each in drawn), any(each.job.ask for each in drawn)
        kind = f"{len(drawn)} jobs" + ", one forbidden" * barred + ", one left unsaid" * asked
    return Task(kind, turns[0], data, reference, tuple(spec(name) for name in _offered(office, drawn, shape)))


def _taken_back(office: Office) -> str | None:
    """Return the words of a job that nobody wants done."""
    makers = [m for m in _MAKERS if m.level <= office.level and len(m.apps) == 1 and m.apps[0] in office.apps]
    state = copied(office.state)
    for _ in range(8):
        job = office.draw.pick(makers).make(office, False)
        if job is not None:
            office.state = state
            return job.says
    office.state = state
    return None


def _offered(office: Office, drawn: list[_Drawn], shape: Shape) -> list[str]:
    """Choose the functions that the agent has, in random order: the needed ones, those like them, and others."""
    draw = office.draw
    names = list(dict.fromkeys(name for each in drawn for name, _ in [*each.job.looks, *each.job.acts]))
    twins = [other for pair in TWINS for name, other in (pair, pair[::-1]) if name in names and other not in names]
    apps = [app for app in APPS if {function.name for function in APPS[app]} & set(names)]
    near = [f.name for app in apps for f in APPS[app]]
    far = [f.name for app in APPS for f in APPS[app]]
    for pool in (draw.shuffled(twins), draw.shuffled(near), draw.shuffled(far)):
        for name in pool:
            if len(names) < shape.tools and name not in names:
                names.append(name)
    return draw.shuffled(names)


def _works(task: Task) -> bool:
    """Say whether what is wanted comes about by the calls for it, none of which is refused."""
    world = World(task.data["state"], task.data["sheets"], task.data["today"])
    for turn in task.reference:
        for job in turn:
            if not job["forbidden"] and any("error" in world.call(name, args) for name, args in job["acts"]):
                return False
    goal = goal_of(task)
    return all(goal.held(world.state)) and not goal.wrong(world.state)


def goal_of(task: Task) -> Goal:
    """Return what the office of a task should become."""
    wants = [want for turn in task.reference for job in turn if not job["forbidden"] for want in job["wants"]]
    return Goal(task.data["state"], wants, task.data["today"])
