"""Jobs in the mail application."""

from __future__ import annotations

from acgym.envs.tools.operation.job import Job, Made, Maker, changed, gone, new
from acgym.envs.tools.operation.office import Conditions, Office
from acgym.envs.tools.operation.pools import SUBJECTS
from acgym.envs.tools.voices import kept
from acgym.types import Json


def _mail(
    office: Office, *more: list[Json]
) -> tuple[str, str, str, list[Made], tuple[str, list[list[Json]], list[str]]] | None:
    """Choose a message; return its id, sender, subject, look-ups and description; None if it is not the only one."""
    key = office.fresh("mail", list(more))
    if key is None:
        return None
    mail = office.state["mail"][key]
    conditions = [["from", "is", mail["from"]], ["subject", "is", mail["subject"]]]
    if office.take("mail", conditions) != [key]:
        return None
    looks: list[Made] = [["search_mail", {"from": mail["from"], "subject": mail["subject"]}]]
    return key, kept(mail["from"]), kept(mail["subject"]), looks, ("mail", conditions, [key])


def move(office: Office, vague: bool) -> Job | None:
    """Put a message into a folder."""
    found = _mail(office)
    if found is None:
        return None
    key, who, what, looks, about = found
    folders = [f for f in ("archive", "contracts", "travel", "trash") if f != office.state["mail"][key]["folder"]]
    folder = office.draw.pick(folders)
    says = office.draw.pick((
        "The message from {p} about {s} belongs in the folder {f}.",
        "Please put what {p} sent me under the subject {s} into the folder {f}.",
        "File the mail {s} by {p} under {f}.",
        "{p} wrote to me, subject {s}. Move that to {f}, would you?",
        "I would like the mail from {p} with the subject {s} to be in {f}.",
    )).format(p=who, s=what, f=kept(folder))  # fmt: skip
    if vague:
        says = office.draw.pick((
            "The message from {p} about {s} should go into the folder that I mentioned.",
            "Please put the mail {s} by {p} into the folder that we agreed on.",
            "Move what {p} sent me under the subject {s} to the usual folder, you know which.",
        )).format(p=who, s=what)  # fmt: skip
    ask = {
        "words": ["folder", "where", "file"], "question": "Which folder should the message go into?",
        "answer": f"Into the folder {folder}.",
    }  # fmt: skip
    acts: list[Made] = [["move_mail", {"mail_id": key, "folder": folder}]]
    return Job(says, looks, acts, [changed("mail", key, folder=folder)], [about], ask if vague else None)


def delete(office: Office, vague: bool) -> Job | None:
    """Delete a message for good."""
    found = _mail(office)
    if found is None:
        return None
    key, who, what, looks, about = found
    says = office.draw.pick((
        "Delete the mail from {p} about {s} for good.",
        "Get rid of {p}'s message {s} for good, not just into the trash.",
        "What {p} wrote under {s} must be deleted for good.",
        "I never want to see the mail {s} from {p} again. Delete it, and not by way of the trash.",
    )).format(p=who, s=what)  # fmt: skip
    return Job(says, looks, [["delete_mail", {"mail_id": key}]], [gone("mail", key)], [about])


def star(office: Office, vague: bool) -> Job | None:
    """Put a star on a message, or show it as unread."""
    unread = office.draw.chance(0.5)
    found = _mail(office, ["unread", "is", False]) if unread else _mail(office)
    if found is None:
        return None
    key, who, what, looks, about = found
    wordings = (
        "Put a star on the mail from {p} about {s}.", "Please star {p}'s message with the subject {s}.",
        "The mail {s} that {p} sent matters. Give it a star.", "I want to find {s} from {p} again, so star it.",
    ) if not unread else (
        "Show the mail from {p} about {s} as unread again.", "Mark {p}'s message {s} as unread, please.",
        "I opened {s} by {p} by accident. Make it unread.", "Set the message about {s} from {p} back to unread.",
    )  # fmt: skip
    says = office.draw.pick(wordings).format(p=who, s=what)
    name, cells = ("mark_mail_unread", {"unread": True}) if unread else ("star_mail", {"starred": True})
    return Job(says, looks, [[name, {"mail_id": key}]], [changed("mail", key, **cells)], [about])


def _letter(folder: str, to: str, subject: str, text: str) -> dict[str, Json]:
    return new("mail", folder=folder, **{"from": "me"}, to=to, subject=subject, text=text, unread=False, starred=False)


def send(office: Office, vague: bool) -> Job | None:
    """Send a new message, or save it as a draft."""
    draw = office.draw
    to, subject, text = office.other(), draw.pick(office.pool(SUBJECTS)), office.sentence()
    draft = draw.chance(0.4)
    wordings: tuple[str, ...]
    if draft:
        wordings = (
            'Draft a mail to {p}, subject "{s}", text "{t}", but do not send it yet.',
            'Prepare a message for {p} with the subject "{s}" that says "{t}". I will send it myself later.',
            'Write to {p}: subject "{s}", text "{t}". It stays a draft for now.',
            'I need a mail to {p} among my drafts, with the subject "{s}" and the text "{t}".',
        )
    else:
        wordings = (
            'Send a mail to {p} with the subject "{s}" and the text "{t}".',
            'Write to {p}: subject "{s}", text "{t}".',
            'Let {p} have a message from me. The subject is "{s}", and it says "{t}".',
            'Please mail "{t}" to {p} under the subject "{s}".',
        )
    if vague:
        wordings = (
            'Send a mail with the subject "{s}" and the text "{t}".',
            'A message has to go out, subject "{s}", text "{t}".', 'Please mail "{t}" under the subject "{s}".',
        )  # fmt: skip
        draft = False
    says = draw.pick(wordings).format(p=kept(to), s=kept(subject), t=kept(text))
    ask = {
        "words": ["who", "recipient", "address", "send it to", "person", "name"],
        "question": "Who should get the message?",
        "answer": f"It goes to {to}.",
    }  # fmt: skip
    name, folder = ("save_draft", "drafts") if draft else ("send_mail", "sent")
    args = {"to": to, "subject": subject, "text": text}
    return Job(says, [], [[name, args]], [_letter(folder, to, subject, text)], [], ask if vague else None)


def reply(office: Office, vague: bool) -> Job | None:
    """Answer a message."""
    found = _mail(office)
    if found is None:
        return None
    key, who, what, looks, about = found
    mail, text = office.state["mail"][key], office.sentence()
    says = office.draw.pick((
        'Answer the mail from {p} about {s} with "{t}".', 'Reply "{t}" to the message {s} that {p} sent.',
        '{p} is waiting for an answer to {s}. Say "{t}".', 'My answer to what {p} wrote under {s} is "{t}". Send it.',
    )).format(p=who, s=what, t=kept(text))  # fmt: skip
    want = _letter("sent", mail["from"], f"Re: {mail['subject']}", text)
    return Job(says, looks, [["reply_to_mail", {"mail_id": key, "text": text}]], [want], [about])


def forward(office: Office, vague: bool) -> Job | None:
    """Send a message on."""
    found = _mail(office)
    if found is None:
        return None
    key, who, what, looks, about = found
    mail = office.state["mail"][key]
    to = office.other(mail["from"])
    says = office.draw.pick((
        "Forward the mail from {p} about {s} to {q}.", "{q} should see the message {s} that {p} sent, so pass it on.",
        "Send {p}'s mail {s} on to {q}, as it is.",
        "What {p} wrote under {s} concerns {q} more than me, so forward it.",
    )).format(p=who, s=what, q=kept(to))  # fmt: skip
    want = _letter("sent", to, f"Fwd: {mail['subject']}", mail["text"])
    return Job(says, looks, [["forward_mail", {"mail_id": key, "to": to}]], [want], [about])


def every(office: Office, vague: bool) -> Job | None:
    """Do something with every message of a sender in a folder."""
    draw = office.draw
    sender, folder = draw.pick(office.people[:6]), draw.pick(("inbox", "archive"))
    conditions = [["from", "is", sender], ["folder", "is", folder]]
    keys = office.take("mail", conditions)
    if keys is None or not 2 <= len(keys) <= 5:
        return None
    looks: list[Made] = [["search_mail", {"from": sender, "folder": folder}]]
    if draw.chance(0.5):
        says = draw.pick((
            "Star everything from {p} in the folder {f}.", "Every mail by {p} in {f} gets a star.",
            "Please put a star on each message from {p} that is in {f}.",
        ))  # fmt: skip
        acts: list[Made] = [["star_mail", {"mail_id": key}] for key in keys]
        wants = [changed("mail", key, starred=True) for key in keys]
    else:
        says = draw.pick((
            "Move everything from {p} in the folder {f} to travel.",
            "All mail by {p} that is in {f} belongs in travel.",
            "Take each message from {p} out of {f} and put it into travel.",
        ))  # fmt: skip
        acts = [["move_mail", {"mail_id": key, "folder": "travel"}] for key in keys]
        wants = [changed("mail", key, folder="travel") for key in keys]
    return Job(says.format(p=kept(sender), f=kept(folder)), looks, acts, wants, [("mail", conditions, keys)])


def latest(office: Office, vague: bool) -> Job | None:
    """Do something with the newest or the oldest message of a sender."""
    draw = office.draw
    sender = draw.pick(office.people[:6])
    conditions = [["from", "is", sender]]
    keys = office.meant("mail", conditions)
    if len(keys) < 2:
        return None
    newest = draw.chance(0.5)
    key = (max if newest else min)(keys, key=lambda k: office.state["mail"][k]["date"])
    mail = office.state["mail"][key]
    if office.take("mail", [*conditions, ["date", "is", mail["date"]]]) != [key]:
        return None
    office.used |= set(keys)
    to = office.other(sender)
    says = draw.pick((
        "Forward the {w} mail from {p} to {q}.", "Of the messages that {p} sent me, pass the {w} one on to {q}.",
        "{q} needs the {w} message that I have from {p}, so forward it.",
    )).format(w="latest" if newest else "oldest", p=kept(sender), q=kept(to))  # fmt: skip
    want = _letter("sent", to, f"Fwd: {mail['subject']}", mail["text"])
    looks: list[Made] = [["search_mail", {"from": sender}]]
    about: tuple[str, Conditions, list[str]] = (
        "mail",
        [*conditions, ["date", "newest" if newest else "oldest", None]],
        [key],
    )
    return Job(says, looks, [["forward_mail", {"mail_id": key, "to": to}]], [want], [about])


JOBS = (
    Maker(1, ("mail",), move, True), Maker(1, ("mail",), delete), Maker(1, ("mail",), star),
    Maker(1, ("mail",), send, True), Maker(1, ("mail",), reply), Maker(1, ("mail",), forward),
    Maker(2, ("mail",), every), Maker(2, ("mail",), latest),
)  # fmt: skip
