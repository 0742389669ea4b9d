"""Jobs in the calendar."""

from __future__ import annotations

from acgym.envs.tools.operation.job import Job, Made, Maker, changed, gone, new
from acgym.envs.tools.operation.office import Conditions, Office
from acgym.envs.tools.operation.pools import EVENTS, ROOMS
from acgym.envs.tools.voices import kept
from acgym.types import Json

Found = tuple[str, dict[str, Json], str, list[Made], tuple[str, Conditions, list[str]]]
"""Id, event, what it is called, look-ups, description."""


def find_event(office: Office) -> Found | None:
    """Choose an event; its day is said where its title alone does not tell it, and sometimes anyway."""
    key = office.fresh("event")
    if key is None:
        return None
    event = office.state["event"][key]
    conditions: Conditions = [["title", "is", event["title"]]]
    called = f'"{event["title"]}"'
    if len(office.meant("event", conditions)) > 1 or office.draw.chance(0.2):
        conditions.append(["day", "is", event["day"]])
        called = f"{kept(called)} on {office.say_day(event['day'])}"
    else:
        called = kept(called)
    if office.take("event", conditions) != [key]:
        return None
    return key, event, called, [["search_events", {"title": event["title"]}]], ("event", conditions, [key])


def move(office: Office, vague: bool) -> Job | None:
    """Move an event to another day and time."""
    found = find_event(office)
    if found is None:
        return None
    key, event, called, looks, about = found
    day, start, _ = office.slot()
    whole = office.draw.chance(0.5) and not vague
    taken = any(e["day"] == day and e["room"] == event["room"] for e in office.now["event"].values())
    if taken or (day, start) == (event["day"], event["start"]):
        return None
    if whole:
        says = office.draw.pick((
            "Move {e} to {d}, {h}.", "{e} cannot stay where it is. It is on {d} at {h} now.",
            "Please put {e} off to {d}, starting at {h}.", "Can {e} be on {d} at {h} instead? Change it.",
        )).format(e=called, d=office.say_day(day), h=kept(start))  # fmt: skip
        cells = {"day": day, "start": start}
    else:
        if start == event["start"] or not _free(office, key, event, start):
            return None
        says = office.draw.pick((
            "Let {e} begin at {h}, on the same day.", "{e} has to start at {h}, on the day that it is on.",
            "Please move {e} to {h}, the day is fine.", "Change the time of {e} to {h}, nothing else.",
        ) if not vague else (
            "{e} has to start at the time that we agreed on, and stay on its day.",
            "Change the time of {e}, and not its day, as I told you.",
        )).format(e=called, h=kept(start))  # fmt: skip
        cells = {"start": start}
    ask = {"words": ["time", "when", "start", "begin", "hour"], "question": "At what time should it start?",
           "answer": f"It should start at {start}."}  # fmt: skip
    acts: list[Made] = [["move_event", {"event_id": key, **cells}]]
    return Job(says, looks, acts, [changed("event", key, **cells)], [about], ask if vague else None)


def _free(office: Office, key: str, event: dict[str, Json], start: str) -> bool:
    """Say whether an event's room is its own all day, so that it may start at another time."""
    same = [k for k, e in office.now["event"].items() if (e["day"], e["room"]) == (event["day"], event["room"])]
    return same == [key] and start != event["start"]


def cancel(office: Office, vague: bool) -> Job | None:
    """Cancel an event."""
    found = find_event(office)
    if found is None:
        return None
    key, _, called, looks, about = found
    says = office.draw.pick((
        "Cancel {e}.", "{e} will not take place. Take it out of the calendar.", "Please call off {e}.",
        "We do not need {e} any more, so remove it from the calendar.",
    )).format(e=called)  # fmt: skip
    return Job(says, looks, [["cancel_event", {"event_id": key}]], [gone("event", key)], [about])


def invite(office: Office, vague: bool) -> Job | None:
    """Invite somebody, or take an invitation back."""
    found = find_event(office)
    if found is None:
        return None
    key, event, called, looks, about = found
    if office.draw.chance(0.5):
        who = office.other(*event["people"])
        says = office.draw.pick((
            "{p} should come to {e} too and needs an invitation.", "Invite {p} to {e}.",
            "Add {p} to those invited to {e}.",
            "I forgot {p} when I set up {e}. Please invite.",
        ))  # fmt: skip
        name, way = "invite_person", "push"
    else:
        who = office.draw.pick(event["people"])
        says = office.draw.pick((
            "{p} is not needed at {e}. Take the invitation back.", "Take {p} off the list for {e}.",
            "{p} does not have to come to {e} after all, so uninvite.",
            "Please remove {p} from {e}. The rest still come.",
        ))  # fmt: skip
        name, way = "uninvite_person", "pull"
    want = {"table": "event", "id": key, way: {"people": who}}
    acts: list[Made] = [[name, {"event_id": key, "people": who}]]
    return Job(says.format(p=kept(who), e=called), looks, acts, [want], [about])


def create(office: Office, vague: bool) -> Job | None:
    """Put a new event into the calendar."""
    draw = office.draw
    titles = [t for t in office.pool(EVENTS) if not any(e["title"] == t for e in office.now["event"].values())]
    day, start, room = office.slot()
    event: dict[str, Json] = {
        "title": draw.pick(titles), "day": day, "start": start, "minutes": draw.pick((30, 45, 60, 90)), "room": room,
        "people": draw.sample(office.people, draw.between(1, 2)),
    }  # fmt: skip
    says = draw.pick((
        'Put "{t}" into the calendar: {d} at {h}, {m} minutes, room {r}, with {p}.',
        'We need a new meeting, "{t}", on {d} from {h}, for {m} minutes, in the room {r}. Invite {p}.',
        'Set up "{t}" with {p} on {d}. It starts at {h}, takes {m} minutes, and is in the room {r}.',
        'I would like to have "{t}" in room {r} on {d} at {h}, {m} minutes long. Those invited: {p}.',
    ) if not vague else (
        'Put "{t}" into the calendar: {d} at the time that we agreed on, {m} minutes, room {r}, with {p}.',
        'We need a new meeting, "{t}", on {d} at the usual hour, for {m} minutes, in the room {r}. Invite {p}.',
        'Set up "{t}" with {p} on {d}. You know the time. It takes {m} minutes, and is in the room {r}.',
    )).format(t=kept(event["title"]), d=office.say_day(day), h=kept(start), m=kept(event["minutes"]), r=kept(room),
              p=" and ".join(map(kept, event["people"])))  # fmt: skip
    ask = {"words": ["time", "when", "start", "begin", "hour"], "question": "At what time should it start?",
           "answer": f"It should start at {start}."}  # fmt: skip
    return Job(says, [], [["create_event", event]], [new("event", **event)], [], ask if vague else None)


def room(office: Office, vague: bool) -> Job | None:
    """Put an event into another room."""
    found = find_event(office)
    if found is None:
        return None
    key, event, called, looks, about = found
    busy = {e["room"] for e in office.now["event"].values() if e["day"] == event["day"]}
    free = [r for r in office.pool(ROOMS) if r not in busy]
    if not free:
        return None
    where = office.draw.pick(free)
    says = office.draw.pick((
        "{e} moves to the room {r}.", "Change the room of {e} to {r}.", "Please book the room {r} for {e} instead.",
        "{e} is in the wrong room, it should be in {r}.",
    ) if not vague else (
        "{e} is in the wrong room. Put it into the one that I told you about.",
        "Please book the other room for {e}, the one that we talked about.",
    )).format(e=called, r=kept(where))  # fmt: skip
    ask = {"words": ["room", "where"], "question": "Which room should it be in?", "answer": f"Put it into {where}."}
    acts: list[Made] = [["change_room", {"event_id": key, "room": where}]]
    return Job(says, looks, acts, [changed("event", key, room=where)], [about], ask if vague else None)


def copy(office: Office, vague: bool) -> Job | None:
    """Have the same event once more on another day."""
    found = find_event(office)
    if found is None:
        return None
    key, event, called, looks, about = found
    day = office.workday(office.draw.between(2, 9))
    busy = any((e["day"], e["room"]) == (day, event["room"]) for e in office.now["event"].values())
    if busy or any(e["title"] == event["title"] and e["day"] == day for e in office.now["event"].values()):
        return None
    says = office.draw.pick((
        "Have {e} once more on {d}, all else the same. The first one stays.",
        "{e} should take place a second time, on {d}. Copy it.",
        "Repeat {e} on {d}: same time, same room, same people, beside the one that we have.",
    )).format(e=called, d=office.say_day(day))  # fmt: skip
    acts: list[Made] = [["copy_event", {"event_id": key, "day": day}]]
    return Job(says, looks, acts, [new("event", **{**event, "day": day})], [about])


def day_of(office: Office, vague: bool) -> Job | None:
    """Cancel all events of somebody on a day."""
    draw = office.draw
    who, day = draw.pick(office.people), office.workday(draw.between(1, 9))
    conditions: Conditions = [["people", "has", who], ["day", "is", day]]
    keys = office.take("event", conditions)
    if keys is None or not 2 <= len(keys) <= 4:
        return None
    says = draw.pick((
        "{p} is ill on {d}. Cancel all events of that day to which {p} is invited.",
        "Everything with {p} on {d} is off. Take it out of the calendar, and leave the rest.",
        "Call off each meeting on {d} that {p} is invited to.",
    )).format(p=kept(who), d=office.say_day(day))  # fmt: skip
    looks: list[Made] = [["search_events", {"people": who, "day": day}]]
    acts: list[Made] = [["cancel_event", {"event_id": key}] for key in keys]
    return Job(says, looks, acts, [gone("event", key) for key in keys], [("event", conditions, keys)])


JOBS = (
    Maker(1, ("calendar",), move, True), Maker(1, ("calendar",), cancel), Maker(1, ("calendar",), invite),
    Maker(1, ("calendar",), create, True), Maker(1, ("calendar",), room, True), Maker(2, ("calendar",), copy),
    Maker(2, ("calendar",), day_of),
)  # fmt: skip
