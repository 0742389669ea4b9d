"""Jobs in the ticket system."""

from __future__ import annotations

from datetime import date, timedelta

from acgym.envs.tools.operation.functions import PRIORITIES
from acgym.envs.tools.operation.job import Job, Made, Maker, changed, new
from acgym.envs.tools.operation.office import Conditions, Office
from acgym.envs.tools.operation.pools import CUSTOMERS, NOTES, TICKETS
from acgym.envs.tools.voices import kept
from acgym.types import Json

Found = tuple[str, dict[str, Json], str, list[Made], tuple[str, Conditions, list[str]]]
"""Id, ticket, what it is called, look-ups, description."""


def find_ticket(office: Office, *more: list[Json]) -> Found | None:
    """Choose a ticket; it is called by its title and customer."""
    key = office.fresh("ticket", list(more))
    if key is None:
        return None
    ticket = office.state["ticket"][key]
    conditions: Conditions = [["title", "is", ticket["title"]], ["customer", "is", ticket["customer"]]]
    if office.take("ticket", conditions) != [key]:
        return None
    called = office.draw.pick(('the ticket "{t}" of {c}', 'the ticket from {c} about "{t}"', '{c}\'s ticket "{t}"'))
    called = called.format(t=kept(ticket["title"]), c=kept(ticket["customer"]))
    return key, ticket, called, [["search_tickets", {"title": ticket["title"]}]], ("ticket", conditions, [key])


def _begun(text: str) -> str:
    """Write the first letter large, unless it is a name's."""
    return text[:1].upper() + text[1:]


def assign(office: Office, vague: bool) -> Job | None:
    """Give a ticket to somebody."""
    found = find_ticket(office)
    if found is None:
        return None
    key, ticket, called, looks, about = found
    who = office.other(ticket["assignee"])
    says = _begun(office.draw.pick((
        "{p} takes over {t}, so assign it.", "give {t} to {p}.", "{t} is now for {p} to work on.",
        "please assign {t} to {p}.",
    ) if not vague else (
        "{t} is with the wrong person. Assign it to the right one.",
        "please give {t} to the colleague that I mentioned.",
    )).format(p=kept(who), t=called))  # fmt: skip
    ask = {"words": ["who", "whom", "person", "colleague", "assign"], "question": "Who should take it over?",
           "answer": f"Give it to {who}."}  # fmt: skip
    acts: list[Made] = [["assign_ticket", {"ticket_id": key, "assignee": who}]]
    return Job(says, looks, acts, [changed("ticket", key, assignee=who)], [about], ask if vague else None)


def priority(office: Office, vague: bool) -> Job | None:
    """Set a ticket's priority."""
    found = find_ticket(office)
    if found is None:
        return None
    key, ticket, called, looks, about = found
    value = office.draw.pick([p for p in PRIORITIES if p != ticket["priority"]])
    says = _begun(office.draw.pick((
        "the priority of {t} is {v}.", "set {t} to priority {v}.", "treat {t} with the priority {v} from now on.",
        "{t} should have the priority {v} and no other.",
    ) if not vague else (
        "the priority of {t} is wrong. Set it as we agreed.", "please set the priority of {t} to what I told you.",
    )).format(t=called, v=kept(value)))  # fmt: skip
    ask = {"words": ["priority", "urgent", "high", "level"], "question": "Which priority should it have?",
           "answer": f"Its priority is {value}."}  # fmt: skip
    acts: list[Made] = [["set_priority", {"ticket_id": key, "priority": value}]]
    return Job(says, looks, acts, [changed("ticket", key, priority=value)], [about], ask if vague else None)


def due(office: Office, vague: bool) -> Job | None:
    """Set a due date, or put it off by some days."""
    found = find_ticket(office)
    if found is None:
        return None
    key, ticket, called, looks, about = found
    if office.level > 1 and office.draw.chance(0.5):
        days = office.draw.between(2, 12)
        day = (date.fromisoformat(ticket["due"]) + timedelta(days=days)).isoformat()
        looks.append(["read_ticket", {"ticket_id": key}])
        says = _begun(office.draw.pick((
            "put the due date of {t} off by {n} days.",
            "{t} may take {n} days longer than its due date says, so change the date.",
            "give {t} {n} more days until it is due.",
        )).format(t=called, n=kept(days)))  # fmt: skip
    else:
        day = office.workday(office.draw.between(1, 9))
        if day == ticket["due"]:
            return None
        says = _begun(office.draw.pick((
            "{t} has to be dealt with by {d}. Set the due date.", "set the due date of {t} to {d}.",
            "the new due date of {t} is {d}.", "{t} is due on {d} now.",
        )).format(t=called, d=office.say_day(day)))  # fmt: skip
    return Job(
        says, looks, [["set_due_date", {"ticket_id": key, "due": day}]], [changed("ticket", key, due=day)], [about]
    )


def status(office: Office, vague: bool) -> Job | None:
    """Solve a ticket, close it, or let it wait."""
    value = office.draw.pick(("solved", "closed", "waiting"))
    found = find_ticket(office, ["status", "not", value])
    if found is None:
        return None
    key, _, called, looks, about = found
    wordings, name = {
        "solved": (("the problem in {t} is gone, so mark it as solved.", "{t} has been fixed. Mark it as solved.",
                    "please set {t} to solved."), "solve_ticket"),
        "closed": (("close {t}, although there is no solution.", "there will be no solution for {t}. Close it.",
                    "{t} is not worth more of our time; close it unsolved."), "close_ticket"),
        "waiting": (("{t} can go no further until the customer has answered. Set it to waiting.", "put {t} on hold.",
                     "let {t} wait until the part has come; set it to waiting."), "hold_ticket"),
    }[value]  # fmt: skip
    says = _begun(office.draw.pick(wordings).format(t=called))
    return Job(says, looks, [[name, {"ticket_id": key}]], [changed("ticket", key, status=value)], [about])


def note(office: Office, vague: bool) -> Job | None:
    """Add a note for colleagues, or an answer for the customer."""
    found = find_ticket(office)
    if found is None:
        return None
    key, _, called, looks, about = found
    inside = office.draw.chance(0.5)
    text = office.sentence(NOTES) if inside else office.sentence()
    says = _begun(office.draw.pick((
        'for colleagues only: note "{x}" on {t}.', 'add the note "{x}" to {t}.',
        'write down "{x}" on {t}, where the customer does not see it.',
    ) if inside else (
        'answer the customer in {t}: "{x}".', 'tell the customer "{x}" by way of {t}.',
        '{t}: the customer should read "{x}" there as our answer.',
    )).format(t=called, x=kept(text)))  # fmt: skip
    name, column = ("add_note", "notes") if inside else ("answer_customer", "answers")
    want = {"table": "ticket", "id": key, "push": {column: text}}
    return Job(says, looks, [[name, {"ticket_id": key, column: text}]], [want], [about])


def create(office: Office, vague: bool) -> Job | None:
    """Open a ticket."""
    draw = office.draw
    titles = [t for t in office.pool(TICKETS) if not any(row["title"] == t for row in office.now["ticket"].values())]
    row = {"title": draw.pick(titles), "customer": draw.pick(office.pool(CUSTOMERS)), "priority": draw.pick(PRIORITIES),
           "assignee": office.other()}  # fmt: skip
    says = draw.pick((
        'Open a ticket for {c}: "{t}", priority {v}, for {p}.',
        '{c} called about "{t}". Make a ticket of that, priority {v}, assigned to {p}.',
        'We need a ticket "{t}" for the customer {c}. {p} works on it, and the priority is {v}.',
    ) if not vague else (
        'Open a ticket for {c}: "{t}", for {p}, with the priority that we agreed on.',
        '{c} called about "{t}". Make a ticket of that, assigned to {p}. I told you the priority.',
    )).format(c=kept(row["customer"]), t=kept(row["title"]), v=kept(row["priority"]),
        p=kept(row["assignee"]))  # fmt: skip
    ask = {"words": ["priority", "urgent", "level"], "question": "Which priority should it have?",
           "answer": f"Its priority is {row['priority']}."}  # fmt: skip
    want = new("ticket", **row, status="open")
    return Job(says, [], [["open_ticket", row]], [want], [], ask if vague else None)


def every(office: Office, vague: bool) -> Job | None:
    """Hand over all open tickets of somebody, or raise all of a customer's."""
    draw = office.draw
    if draw.chance(0.5):
        who = draw.pick(office.people[3:])
        conditions: Conditions = [["assignee", "is", who], ["status", "is", "open"]]
        to = office.other(who)
        says = draw.pick((
            "{p} is leaving. Give all open tickets of {p} to {q}.", "Every open ticket that {p} works on goes to {q}.",
            "{q} takes over from {p}: assign each open ticket, and leave those that are not open.",
        )).format(p=kept(who), q=kept(to))  # fmt: skip
        looks: list[Made] = [["search_tickets", {"assignee": who, "status": "open"}]]
        name, cells = "assign_ticket", {"assignee": to}
    else:
        customer = draw.pick([row["customer"] for row in office.state["ticket"].values()])
        conditions = [["customer", "is", customer], ["priority", "not", "urgent"]]
        says = draw.pick((
            "All tickets of {c} are urgent from now on.",
            "{c} is losing patience: set every ticket of theirs to urgent.",
            "Whatever ticket {c} has with us should be at priority urgent.",
        )).format(c=kept(customer))  # fmt: skip
        looks = [["search_tickets", {"customer": customer}]]
        name, cells = "set_priority", {"priority": "urgent"}
    keys = office.take("ticket", conditions)
    if keys is None or not 2 <= len(keys) <= 6:
        return None
    if name == "set_priority":
        looks += [["read_ticket", {"ticket_id": key}] for key in office.meant("ticket", conditions[:1])]
        office.used |= set(office.meant("ticket", conditions[:1]))
    acts: list[Made] = [[name, {"ticket_id": key, **cells}] for key in keys]
    return Job(says, looks, acts, [changed("ticket", key, **cells) for key in keys], [("ticket", conditions, keys)])


JOBS = (
    Maker(1, ("tickets",), assign, True), Maker(1, ("tickets",), priority, True), Maker(1, ("tickets",), due),
    Maker(1, ("tickets",), status), Maker(1, ("tickets",), note), Maker(1, ("tickets",), create, True),
    Maker(2, ("tickets",), every),
)  # fmt: skip
