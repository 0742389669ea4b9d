"""Jobs about requests for money: tickets that the handbook's rules approve, reject, put on hold or pass on."""

from __future__ import annotations

from acgym.envs.world.office.staff import Job, Office, Person, half, in_words
from acgym.types import Json

_THINGS = (
    ("a rack for the bicycles in the yard", "a label printer"), ("a set of torque wrenches", "two office chairs"),
    ("a train ticket to the trade fair", "a course in first aid"), ("a used lathe", "a new projector"),
    ("safety shoes for the trainees", "a scale for parcels"), ("a licence for the drawing program", "a noise meter"),
    ("blinds for the south windows", "a pallet truck"), ("a subscription to a trade journal", "a heat gun"),
    ("a spare battery for the forklift", "a microscope lamp"), ("a translation of our brochure", "a steel cabinet"),
)  # fmt: skip
_BANNED = (
    ("a crate of beer for the end of the project", "a case of sparkling wine for the anniversary"),
    ("a bottle of whisky for a colleague who leaves", "a box of chocolates for the reception"),
    ("red wine for Friday's party", "a silk scarf for our secretary's birthday"),
    ("gin and tonic for the summer evening", "a wristwatch as a thank-you to our foreman"),
)
_ASKS = (
    (
        "We need {thing}. It costs {sum} EUR.",
        "Could I please order {thing}? The price is {sum} EUR.",
        "May we have {thing}? I have seen it for {sum} EUR.",
        "{sum} EUR would buy us {thing}. Is that all right?",
    ),
    (
        "I would like to buy {thing} for {sum} EUR.",
        "For our work {thing} would help a lot; {sum} EUR in all.",
        "Please allow me {sum} EUR for {thing}.",
        "The cheapest offer for {thing} is {sum} EUR. Shall I take it?",
    ),
)
_BOUGHT = (
    (
        "Last week I paid {sum} EUR for {thing}, out of my own pocket.",
        "I have already got {thing}; it came to {sum} EUR.",
        "It could not wait, so I laid out {sum} EUR for {thing}.",
    ),
    (
        "On Monday I bought {thing} myself and would like my {sum} EUR back.",
        "{sum} EUR went from my card for {thing}.",
        "Would you refund me {sum} EUR? I got us {thing}.",
    ),
)
_WITH = (
    ("The receipt is attached.", "You find the receipt with this.", "The shop's receipt is in the envelope."),
    ("I enclose the receipt.", "Receipt attached.", "Here is the receipt."),
)
_EVAL = """\
Requests for money

These rules are tried from top to bottom; the first that fits counts.
1. Alcohol and presents for our own people are never paid for. Reject such a request, small or large.
2. What was bought already is paid back only with a receipt. Where none comes along, put the request on hold.
3. Nobody decides for themselves: what the head of a team asks for is assigned to the finance director.
4. Up to {low} EUR this desk approves.
5. Up to {high} EUR the head of the team decides from which the request comes: assign it to that person.
6. Whatever costs more is assigned to the finance director.
"""
_EVAL_2 = """\
Who may spend what

Take each request through these questions, one by one, and act on the first that is answered with yes.
Is it for drink, or for a present to one of us? Then reject it.
Has the money been spent, and no receipt comes with the request? Then put it on hold.
Did the head of a team ask? Then assign it to the finance director, be it much or little.
Is it {low} EUR or less? Then approve it.
Is it {high} EUR or less? Then assign it to whoever heads the team of the person who asks.
If none of these was answered with yes, assign it to the finance director.
"""
_TRAIN_2 = """\
Money: who says yes

Not ours to give are alcohol and presents for colleagues; reject what is asked for them. This comes first.
Second, we pay nothing back without a receipt, and keep such requests on hold.
Third, the finance director decides for heads of teams, so assign theirs there.
Only then the sum matters: sums up to {low} EUR are approved here; sums up to {high} EUR go (assign) to the head of the
team that the person belongs to; all others go to the finance director.
"""
_TRAIN = """\
Spending

Go through these points in their order and stop at the first that applies.
- We do not buy drinks with alcohol, nor gifts for staff. Requests for them are rejected, whatever the sum.
- Money that somebody has spent already: without a receipt the request goes on hold.
- Heads of teams do not sign their own requests, and neither do we: assign theirs to the finance director.
- A sum of at most {low} EUR: approve.
- A sum of at most {high} EUR: assign it to the head of the team of whoever asks.
- Anything above: assign it to the finance director.
"""
_MEMO = (
    "Memo of {written}\n\nWith effect from {start}, this desk may approve up to {limit} EUR a request.\n"
    "The handbook will be printed anew in due course.\n",
    "Memo of {written}\n\nStarting on {start}, requests of up to {limit} EUR are approved at this desk.\n"
    "The chapter on spending has not been changed yet.\n",
)


def expenses(office: Office) -> Job:
    """Decide on one to three tickets."""
    draw = office.draw
    low, high = draw.pick((120, 150, 180, 200, 240)), draw.pick((700, 800, 900, 1000))
    policy = office.handbook("spending", office.say([_EVAL, _EVAL_2], [_TRAIN, _TRAIN_2]).format(low=low, high=high))
    reads = [f"cat {policy}"]
    if office.level >= 4:
        low = _memo(office, low)
        reads.append("cat /handbook/memos/*")
    count = {1: 1, 2: 1, 3: 2, 4: 2, 5: 3}[office.level]
    rows: list[list[Json]] = []
    acts = []
    names = []
    for _ in range(count):
        name = f"T-{office.number()}"
        decision = _ticket(office, name, low, high)
        reads.append(f"cat /tickets/{name}.txt")
        rows.append(["ticket", name, decision])
        verb, _, person = decision.partition(" ")
        acts.append(f"ticket {verb} {name} {person}".strip())
        names.append(name)
        office.tickets.append(name)
    reads.append("cat /staff/people.csv")
    listed = " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
    ask = office.say(
        [f"Somebody waits for a decision on {listed}.", f"Take care of {listed} as our rules have it."],
        [f"Please decide about {listed}.", f"{listed} should be dealt with today."],
    )
    hint = f" The rules are in {policy}." if office.level <= 2 else ""
    return Job("expenses", ask + hint, rows, reads, acts)


def _memo(office: Office, low: int) -> int:
    """Write a memo that changes the first limit, from a day before or after today; return the limit that holds."""
    started = office.draw.chance(0.6)
    start = office.days_ago(2, 20) if started else office.days_ago(-20, -3)
    written = office.days_ago(21, 40)
    limit = low + office.draw.pick((60, 100, 150))
    form = office.say(_MEMO[:1], _MEMO[1:])
    text = form.format(written=in_words(written), start=in_words(start), limit=limit)
    office.files[f"/handbook/memos/{written.isoformat()}.txt"] = text
    return limit if started else low


def _ticket(office: Office, name: str, low: int, high: int) -> str:
    """Write a ticket of a case that is drawn; return what the rules say."""
    draw = office.draw
    heads = [one for one in office.people if one.role.startswith("head")]
    members = [one for one in office.people if not one.role]
    cases = ("small", "middle", "large") if office.level == 1 else (
        "small", "middle", "middle", "large", "banned", "receipt", "no receipt", "head")  # fmt: skip
    case = draw.pick(cases)
    who = draw.pick(heads if case == "head" else members)
    spans = {"small": (20, low), "middle": (low + 1, high), "large": (high + 1, 3 * high)}
    total = draw.between(*spans[case if case in spans else draw.pick(tuple(spans))])
    things = _BANNED if case == "banned" else _THINGS
    thing = draw.pick(half([one for pair in things for one in pair], office.split))
    bought = case in ("receipt", "no receipt")
    text = office.say(*(_BOUGHT if bought else _ASKS)).format(thing=thing, sum=total)
    if case == "receipt":
        text += f" {office.say(*_WITH)}"
    office.files[f"/tickets/{name}.txt"] = (
        f"Ticket {name}\nFrom: {who.name}\nReceived: {in_words(office.days_ago(0, 2))}\n\n{text[0].upper()}{text[1:]}\n"
    )
    return _decision(office, case, who, total, low, high)


def _decision(office: Office, case: str, who: Person, total: int, low: int, high: int) -> str:
    if case == "banned":
        return "reject"
    if case == "no receipt":
        return "hold"
    if case == "head" or total > high:
        return f"assign {office.with_role('finance director')}"
    return "approve" if total <= low else f"assign {office.with_role(f'head of {who.team}')}"
