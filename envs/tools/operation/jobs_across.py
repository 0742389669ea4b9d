"""Jobs for which one application says what to do in another."""

from __future__ import annotations

from acgym.envs.tools.operation.job import Job, Made, Maker, changed, new
from acgym.envs.tools.operation.jobs_calendar import find_event
from acgym.envs.tools.operation.jobs_tickets import find_ticket
from acgym.envs.tools.operation.office import SHEETS, Conditions, Office
from acgym.envs.tools.operation.pools import CUSTOMERS
from acgym.envs.tools.voices import kept
from acgym.types import Json


def _told_by_mail(
    office: Office, text: str
) -> tuple[str, str, str, list[Made], tuple[str, Conditions, list[str]]] | None:
    """Let a message say something; return its sender, subject and id, look-ups, description."""
    key = office.fresh("mail")
    if key is None:
        return None
    mail = office.state["mail"][key]
    conditions: Conditions = [["from", "is", mail["from"]], ["subject", "is", mail["subject"]]]
    if office.take("mail", conditions) != [key]:
        return None
    office.state["mail"][key]["text"] = office.now["mail"][key]["text"] = text
    looks: list[Made] = [
        ["search_mail", {"from": mail["from"], "subject": mail["subject"]}],
        ["read_mail", {"mail_id": key}],
    ]
    return kept(mail["from"]), kept(mail["subject"]), key, looks, ("mail", conditions, [key])


def time_from_mail(office: Office, vague: bool) -> Job | None:
    """Move an event to the time that a message names."""
    event = find_event(office)
    if event is None:
        return None
    key, row, called, looks, about = event
    _, start, _ = office.slot()
    same = [k for k, e in office.now["event"].items() if (e["day"], e["room"]) == (row["day"], row["room"])]
    if same != [key] or start == row["start"]:
        return None
    text = office.draw.pick((
        "{o} does not work for me, could we begin at {s}?", "Let us start at {s}; at {o} I am still on the train.",
        "The room is cold until noon. I suggest {s} and not {o}.", "{s} would suit everybody better than {o}.",
    )).format(o=row["start"], s=start)  # fmt: skip
    mail = _told_by_mail(office, text)
    if mail is None:
        return None
    says = office.draw.pick((
        "In the mail {m}, {p} asks for another time for {e}. Move it to that time, the day stays.",
        "{p} wrote, under {m}, when {e} should start. Do as the mail says, on the same day.",
        "Let {e} begin, on its day, at the time that {p} suggests in the message {m}.",
    )).format(p=mail[0], m=mail[1], e=called)  # fmt: skip
    acts: list[Made] = [["move_event", {"event_id": key, "start": start}]]
    return Job(says, [*mail[3], *looks], acts, [changed("event", key, start=start)], [about, mail[4]])


def number_from_mail(office: Office, vague: bool) -> Job | None:
    """Note a number that a message names on a ticket."""
    found = find_ticket(office)
    if found is None:
        return None
    key, _, called, looks, about = found
    number = f"{office.draw.pick('BDKRX')}{office.draw.between(10000, 99999)}"
    other = f"{office.draw.pick('BDKRX')}{office.draw.between(10000, 99999)}"
    text = office.draw.pick((
        "The serial number is {n}. The one on the box, {o}, is that of the shop.",
        "I first read {o}, which is the order; the serial number under the lid is {n}.",
        "Order {o} it was, and the device has the serial number {n}.",
    )).format(n=number, o=other)  # fmt: skip
    mail = _told_by_mail(office, text)
    if mail is None:
        return None
    says = office.draw.pick((
        "{p} mailed a serial number under the subject {m}. Add it, and nothing else, as a note to {t}.",
        "Add a note to {t}: just the serial number that stands in the mail {m} by {p}.",
        "The serial number in the message {m} from {p} belongs to {t}. Note it there, only the number.",
    )).format(p=mail[0], m=mail[1], t=called)  # fmt: skip
    want = {"table": "ticket", "id": key, "push": {"notes": number}}
    acts: list[Made] = [["add_note", {"ticket_id": key, "notes": number}]]
    return Job(says, [*mail[3], *looks], acts, [want], [about, mail[4]])


def write_to_invited(office: Office, vague: bool) -> Job | None:
    """Write to everybody who is invited to an event."""
    found = find_event(office)
    if found is None:
        return None
    key, event, called, looks, about = found
    subject, text = event["title"], office.sentence()
    says = office.draw.pick((
        'Send each person invited to {e} a mail of their own, subject "{s}", text "{t}".',
        'Everybody on the list of {e} should get a mail, one each, with the subject "{s}" and the text "{t}".',
        'Write "{t}" under the subject "{s}" to all who are invited to {e}, in separate mails.',
    )).format(e=called, s=kept(subject), t=kept(text))  # fmt: skip
    letters = [{"to": who, "subject": subject, "text": text} for who in event["people"]]
    fixed: dict[str, Json] = {"folder": "sent", "from": "me", "unread": False, "starred": False}
    return Job(says, [*looks, ["read_event", {"event_id": key}]], [["send_mail", letter] for letter in letters],
               [new("mail", **letter, **fixed) for letter in letters], [about])  # fmt: skip


def invite_assignee(office: Office, vague: bool) -> Job | None:
    """Invite whoever works on a ticket to an event."""
    ticket, event = find_ticket(office), find_event(office)
    if ticket is None or event is None:
        return None
    who = ticket[1]["assignee"]
    if who in event[1]["people"]:
        return None
    says = office.draw.pick((
        "Whoever works on {t} should come to {e}. Invite that person.", "Invite the assignee of {t} to {e}.",
        "For {e} we need the colleague who has {t}; send an invitation.",
    )).format(t=ticket[2], e=event[2])  # fmt: skip
    looks = [*ticket[3], ["read_ticket", {"ticket_id": ticket[0]}], *event[3]]
    acts: list[Made] = [["invite_person", {"event_id": event[0], "people": who}]]
    want = {"table": "event", "id": event[0], "push": {"people": who}}
    return Job(says, looks, acts, [want], [ticket[4], event[4]])


def reorder(office: Office, vague: bool) -> Job | None:
    """Open a ticket for each item of which there is too little."""
    keys = office.meant("row", [["sheet", "is", "Stock"]])
    if (
        not keys
        or office.used & set(keys)
        or keys != [k for k, r in office.now["row"].items() if r["sheet"] == "Stock"]
    ):
        return None
    short = [key for key in keys if office.state["row"][key]["count"] < office.state["row"][key]["minimum"]]
    if not 1 <= len(short) <= 4:
        return None
    office.used |= set(keys)
    customer, who = office.draw.pick(office.pool(CUSTOMERS)), office.other()
    says = office.draw.pick((
        'Open a ticket for each item in the sheet Stock whose count is below its minimum, titled "Reorder" and the '
        'item, as in "Reorder pencils", for the customer {c}, with priority high, assigned to {p}.',
        'For everything in the sheet Stock of which there is less than the minimum, {p} gets a ticket titled '
        '"Reorder" with the item behind it (like "Reorder pencils"), customer {c}, priority high.',
        'Look through the sheet Stock: each item with a count under the minimum needs a ticket of priority high for '
        '{p}, customer {c}, with a title such as "Reorder pencils" for pencils.',
        '{p} is to reorder what runs short. So for each row of the sheet Stock with less than its minimum, open a '
        'ticket called "Reorder" plus the item ("Reorder pencils", say), customer {c}, priority high, for {p}.',
    )).format(c=kept(customer), p=kept(who))  # fmt: skip
    rows = [
        {
            "title": f"Reorder {office.state['row'][key]['item']}",
            "customer": customer,
            "priority": "high",
            "assignee": who,
        }
        for key in short
    ]
    return Job(says, [["read_sheet", {"sheet": "Stock"}]], [["open_ticket", row] for row in rows],
               [new("ticket", **row, status="open") for row in rows],
               [("row", [["sheet", "is", "Stock"]], keys)])  # fmt: skip


def total(office: Office, vague: bool) -> Job | None:
    """Write the sum of a column into a note on a ticket."""
    found = find_ticket(office)
    sheets = [sheet for sheet in office.sheets if {"euros", "hours"} & set(SHEETS[sheet])]
    if found is None or not sheets:
        return None
    key, _, called, looks, about = found
    sheet = office.draw.pick(sheets)
    column = "euros" if "euros" in SHEETS[sheet] else "hours"
    keys = office.meant("row", [["sheet", "is", sheet]])
    if office.used & set(keys) or keys != [k for k, r in office.now["row"].items() if r["sheet"] == sheet]:
        return None
    office.used |= set(keys)
    text = str(sum(office.state["row"][k][column] for k in keys))
    says = office.draw.pick((
        "Add up {c} in the sheet {s}, and put the total, only the number, as a note on {t}.",
        "A note is missing on {t}: the sum of the column {c} of the sheet {s}, as a number and no more.",
        "What is the total of {c} in the sheet {s}? Write the number alone as a note on {t}.",
    )).format(c=kept(column), s=kept(sheet), t=called)  # fmt: skip
    want = {"table": "ticket", "id": key, "push": {"notes": text}}
    looks = [["sum_column", {"sheet": sheet, "column": column}], *looks]
    whole = ("row", [["sheet", "is", sheet]], keys)
    return Job(says, looks, [["add_note", {"ticket_id": key, "notes": text}]], [want], [about, whole])


JOBS = (
    Maker(3, ("mail", "calendar"), time_from_mail), Maker(3, ("mail", "tickets"), number_from_mail),
    Maker(3, ("mail", "calendar"), write_to_invited), Maker(3, ("tickets", "calendar"), invite_assignee),
    Maker(3, ("sheets", "tickets"), reorder), Maker(3, ("sheets", "tickets"), total),
)  # fmt: skip
