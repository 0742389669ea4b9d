"""Jobs about mail: what needs which reply, what is passed on, and what is left alone."""

from __future__ import annotations

from collections.abc import Sequence

from acgym.envs.world.office.staff import Job, Office, in_words
from acgym.types import Json

_EVAL = """\
Mail

- Who complains about goods that are late or damaged gets the reply "apology". If the company is listed in
  /customers/key.csv, the letter is also forwarded to the head of {team}.
- Who wants an invoice once more gets the reply "copy"; but if that company has an invoice in /finance/overdue.csv, the
  letter is forwarded to the bookkeeper, and no reply is sent.
- Journalists get no reply: forward their letters to the press officer.
- Letters that speak of lawyers or courts get no reply: forward them to the legal counsel. This goes before all else.
- Who applies for work gets the reply "received".
- Advertising is left alone.
"""
_EVAL_2 = """\
Letters and what becomes of them

First look whether a lawyer or a court is spoken of: such a letter is forwarded to the legal counsel, and that is all.
Otherwise:
An offer to sell us something needs nothing. A journalist's letter is forwarded to the press officer and not answered.
For an application the reply is "received". For goods that came late, broken or not at all it is "apology"; if the
writer is one of the companies in /customers/key.csv, forward the letter to the head of {team} as well.
Somebody who has lost an invoice gets the reply "copy", unless the company is in /finance/overdue.csv: then forward the
letter to the bookkeeper instead.
"""
_TRAIN_2 = """\
Post

copy       is the reply to whoever needs an invoice again and stands in no row of /finance/overdue.csv. Whoever stands
           there gets no reply; the bookkeeper gets the letter (forward).
apology    is the reply to complaints about deliveries. Is the company in /customers/key.csv? Then forward the
           complaint to the head of {team} in addition.
received   is the reply to people who look for work.
No reply goes to the press (forward to the press officer), to sellers (nothing at all), nor, and this comes before
everything else, to letters that mention courts or lawyers (forward to the legal counsel).
"""
_TRAIN = """\
What comes by mail

Threats with a court or a lawyer: forward to the legal counsel and send nothing, whatever else the letter is about.
The press: forward to the press officer and send nothing.
Late or broken deliveries: reply with "apology". Companies in /customers/key.csv are dear to us, so forward their
complaints to the head of {team} too.
Requests for another copy of an invoice: reply with "copy". Not so for companies in /finance/overdue.csv, which owe us
money: forward theirs to the bookkeeper and send nothing.
Applications for work: reply with "received".
Offers from people who want to sell us something: do nothing.
"""
_BODIES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "complaint": (
        ("we have been waiting for order {n} since {day}, and our own customers grow impatient. When will it come?",
         "two of the boxes of order {n} were crushed when the driver put them down. We cannot use what is in them.",
         "it is the third time that your lorry comes a week after it was announced, now with order {n}.",
         "we opened the crate of order {n} and found splinters. Please tell us what you mean to do."),
        ("order {n} was promised for {day}. It is not here, and nobody rang us.",
         "half of order {n} reached us in pieces. This is not what we paid for.",
         "our hall stands still because order {n} has not arrived. You said {day}.",
         "the parts of order {n} are bent, all nine of them."),
    ),
    "copy": (
        ("our accountant cannot find your bill no. {n}. Would you send it again?",
         "could we have number {n} a second time? The coffee got to the first one.",
         "we have paid {n} but have no paper about it. The tax office wants one.",
         "somebody has thrown your invoice {n} away. May I ask for another?"),
        ("please let us have another print of invoice {n}; ours was lost in the move.",
         "the auditors ask for your invoice {n}, and it is not in our files. Do you still have it?",
         "your bill {n} must have gone astray. Please send one more.",
         "page two of invoice {n} cannot be read. Would you print it again for us?"),
    ),
    "press": (
        ("I write for the business pages and would like to ask why you close the plant on Mill Road.",
         "our magazine prepares an issue on firms of the region. May I call you with some questions before Thursday?",
         "what does your managing director say to the new tariffs? We print on Saturday.",
         "for tonight's programme we need a statement about the fire in your neighbour's hall."),
        ("for a radio feature about apprentices I look for someone to interview at your firm.",
         "I am a reporter and hear that you plan to hire a hundred people. Is it true?",
         "our readers want to know how firms like yours save power. Could one of you tell me by Friday?",
         "I prepare a column on old workshops and should like to quote somebody of yours."),
    ),
    "legal": (
        ("order {n} is three months late. Unless you pay us back in ten days, our solicitor will write to you.",
         "since you do not pay for the damage, we shall see you before a judge.",
         "we have been waiting for order {n} since {day}. Our barrister advises us to sue.",
         "please note that from now on only our attorney will speak with you about bill {n}."),
        ("this is the last letter that you get from us and not from our attorney. It is about invoice {n}.",
         "the crushed boxes of order {n} are now a matter for the courts.",
         "you sent no invoice {n}, but a reminder. We have handed this to our solicitors.",
         "if order {n} is not here on Monday, we take you to court."),
    ),
    "apply": (
        ("I have worked as a fitter for nine years and would be glad to do so with you. My papers are enclosed.",
         "is there still a place for a trainee in September? I finish school in June.",
         "I can weld, solder and drive a forklift. Would you have use for that from next month?",
         "a friend told me that you look for somebody at the gate. I would like the post."),
        ("your notice in the paper caught my eye. I have driven lorries since 2019 and could begin at once.",
         "after five years of book-keeping elsewhere I look for something new, perhaps in your house.",
         "my firm closes in autumn. I am a toolmaker, 41, and want to go on working in this town.",
         "could I spend my summer in your drawing office? I study engineering."),
    ),
    "advert": (
        ("save up to 40 % on toner this week only! Our van is in your street on Wednesday.",
         "did you know that your windows could be cleaner? We clean them from 2 EUR each.",
         "with our new calendar your customers think of you all year. Order 100, pay for 80.",
         "is your phone bill too high? Change to us before the end of the month."),
        ("our new coffee machines brew forty cups an hour. Try one for free, for a month.",
         "your website deserves more visitors. We know how. Ask for our offer today.",
         "a plant in every office: rent a palm for 9 EUR a month.",
         "our seminar on selling has two seats left. Be quick!"),
    ),
}  # fmt: skip
_REPLIES = {
    "apology": "We are sorry for the trouble. A colleague will see to it today and call you.\n",
    "copy": "Enclosed you find the document that you asked for once more.\n",
    "received": "Thank you for your interest. You will hear from us within three weeks.\n",
    "thanks": "Thank you for your letter.\n",
}


def letters(office: Office) -> Job:
    """Deal with one to five letters."""
    draw = office.draw
    heads = [one for one in office.people if one.role.startswith("head")]
    head = draw.pick(heads)
    policy = office.handbook("mail", office.say([_EVAL, _EVAL_2], [_TRAIN, _TRAIN_2]).format(team=head.team))
    for name, text in _REPLIES.items():
        office.files[f"/templates/{name}.txt"] = text
    office.templates += _REPLIES
    key, overdue = office.companies[:3], office.companies[2:6]
    office.files["/customers/key.csv"] = "\n".join(
        ["company,since", *(f"{one},{2019 + i}" for i, one in enumerate(key)), ""]
    )
    debts = [f"{one},{office.number()},{office.days_ago(20, 90).isoformat()}" for one in overdue]
    office.files["/finance/overdue.csv"] = "\n".join(["company,invoice,due", *debts, ""])
    count = {1: 1, 2: 1, 3: 3, 4: 3, 5: 4}[office.level]
    kinds = draw.sample(tuple(_BODIES), count)
    if office.level <= 2 or not set(kinds) - {"advert"}:
        kinds[0] = draw.pick(("complaint", "copy", "press", "apply"))
    rows: list[list[Json]] = []
    acts = []
    names = []
    for kind in kinds:
        name = f"M-{office.number()}"
        company = draw.pick(office.companies[: 8 if office.level > 1 else 12])
        _write(office, name, kind, company)
        for action in _actions(office, kind, company in key, company in overdue, head.name):
            rows.append(["mail", name, action])
            verb, _, rest = action.partition(" ")
            acts.append(f"mail {verb} {name} {rest}")
        names.append(name)
        office.mail.append(name)
    listed = " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
    ask = office.say(
        [f"See to {listed}, which came in this morning.", f"{listed}: do what our rules ask for."],
        [f"Please deal with {listed}.", f"Go through {listed} and do what has to be done."],
    )
    hint = f" The rules are in {policy}." if office.level <= 2 else ""
    reads = [f"cat {policy}", f"cat {' '.join([f'/mail/{name}.txt' for name in names])}"]
    reads.append("cat /customers/key.csv /finance/overdue.csv /staff/people.csv")
    return Job("mail", ask + hint, rows, reads, acts)


def _write(office: Office, name: str, kind: str, company: str) -> None:
    body = office.say(*_BODIES[kind]).format(n=office.number(), day=in_words(office.days_ago(9, 30)))
    private = kind in ("apply", "press")
    sender = "a private address" if kind == "apply" else "an editorial office" if private else company
    office.files[f"/mail/{name}.txt"] = (
        f"{name}\nFrom: {sender}\nDate: {in_words(office.today)}\n\nDear Sir or Madam,\n{body}\n"
    )


def _actions(office: Office, kind: str, key: bool, overdue: bool, head: str) -> Sequence[str]:
    """Return what the rules ask for."""
    if kind == "complaint":
        return ["reply apology", *([f"forward {head}"] if key else [])]
    if kind == "copy":
        return [f"forward {office.with_role('bookkeeper')}"] if overdue else ["reply copy"]
    if kind == "apply":
        return ["reply received"]
    if kind == "advert":
        return []
    return [f"forward {office.with_role('press officer' if kind == 'press' else 'legal counsel')}"]
