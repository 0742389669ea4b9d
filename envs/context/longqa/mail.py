"""Mail: threads in which something is proposed, changed and agreed, often without naming it again."""

from __future__ import annotations

from acgym.draw import Draw
from acgym.envs.context.longqa.archive import ONE, Archive, Order, laid_out
from acgym.envs.context.people import near_people, people
from acgym.envs.spoken import MONTHS

_TOPICS = (
    "repair of the {x} roof", "delivery of the {x} stone", "concert in the {x} hall", "inspection of the {x} boiler",
    "opening of the {x} path", "sale of the {x} boat", "painting of the {x} gate", "visit of the {x} school",
    "survey of the {x} field", "move of the {x} archive",
)  # fmt: skip
_WHERE = ("Ardley", "Ardlow", "Marbeck", "Marwick", "Thornby", "Thornley", "Westholm", "Westham", "Hexley", "Hexham")
_OPEN = (
    "I should like to settle this. My proposal is {v}.", "Could we fix the day? I would take {v}.",
    "Somebody must begin, so I say {v}.",
)  # fmt: skip
_COUNTER = (
    "That day is taken here. What about {v}?", "I cannot do that; {v} would suit me.",
    "Our people are away then. I suggest {v}.",
    "Too early for us. Let it be {v}.",
)  # fmt: skip
_AGREE = (
    "Good, then we do it as {p} proposes.", "I have asked around: everybody can do what {p} suggested.",
    "Let us take the day that {p} named, and be done.", "Agreed with {p}. I have told the others.",
)  # fmt: skip
_DOUBT = (
    "I am not sure about any of these.", "Has anybody asked the neighbours?",
    "I shall look into my book and write again.",
    "Whatever you choose, I bring the ladder.", "Please think of the school holidays.",
    "I have no strong feeling about it.",
)  # fmt: skip
_CHANGE = (
    "Sorry, after all it has to be {v}; it could not be helped. All have agreed.",
    "The weather forces us: we have all moved to {v}.",
)  # fmt: skip
_COST = (
    "It will cost {n} crowns.",
    "We have {n} crowns for it.",
    "The offer stands at {n} crowns.",
    "They want {n} crowns.",
)
_END = ("Greetings", "Yours", "Best wishes", "All the best", "With thanks")


def _day(draw: Draw) -> str:
    return f"{draw.between(1, 28)} {draw.pick(MONTHS[2:10])}"


class _Thread:
    """A thread: its topic, its mails, the day agreed and who proposed it."""

    def __init__(self, draw: Draw, topic: str, crew: list[str], level: int) -> None:
        self.topic, self.days = topic, []
        days: dict[str, str] = {}
        while len(days) < 3:
            days[_day(draw)] = ""
        proposers = crew[:3]
        said = [(who, draw.pick(_OPEN if i == 0 else _COUNTER).format(v=day)) for i, (who, day) in
                enumerate(zip(proposers, days, strict=True))]  # fmt: skip
        chosen = draw.below(3)
        self.proposer, self.day = proposers[chosen], list(days)[chosen]
        self.days = list(days)
        said.insert(1 + draw.below(3), (crew[3], draw.pick(_DOUBT)))
        said.append((crew[4], draw.pick(_AGREE).format(p=self.proposer)))
        self.changed = level >= 3 and draw.chance(0.4)
        if self.changed:
            old = self.day
            while self.day in self.days:
                self.day = _day(draw)
            self.days.append(self.day)
            self.proposer = crew[5]
            said.append((crew[5], draw.pick(_CHANGE).format(v=self.day)))
            assert old != self.day
        elif draw.chance(0.5):
            said.append((crew[3], draw.pick(_DOUBT[3:4] + _COST).format(n=draw.between(2, 90) * 10)))
        self.mails = [
            f"From: {who}\nSubject: {'Re: ' if i else ''}{topic}\n{text} {draw.pick(_END)}, {who.split()[0]}"
            for i, (who, text) in enumerate(said)
        ]


def mail(order: Order) -> Archive:
    """Draw threads, mixed in one mailbox in the order of the mails of each, and ask for what one of them agreed."""
    draw = order.draw
    pool = people(order.split)
    topics = draw.shuffled([topic.format(x=where) for topic in _TOPICS for where in _WHERE])
    thread = _Thread(draw, topics[0], near_people(draw, order.split, 6), order.level)
    left = order.words - sum(len(each.split()) for each in thread.mails)
    others: list[list[str]] = []
    for topic in topics[1:]:
        other = _Thread(draw, topic, draw.sample(pool, 6), order.level).mails
        left -= sum(len(each.split()) for each in other)
        if left < 0:
            break
        others.append(other)
    box: list[str] = []
    pending = [list(reversed(mails)) for mails in others]
    while pending:  # threads overlap: a mail of one of the first few comes next
        at = draw.below(min(4, len(pending)))
        box.append(pending[at].pop())
        if not pending[at]:
            pending.pop(at)
    documents, place = laid_out(draw, thread.mails, box, order.depth)
    told = "\n\n".join(f"Mail {i}\n{document}" for i, document in enumerate(documents, 1))
    if draw.chance(0.6):
        question = f"Which day was agreed in the end for the {thread.topic}?"
        return Archive("multi: mail", told, question, ONE, "value", thread.day, thread.days, place=place)
    question = f"Whose proposal of a day was taken in the end for the {thread.topic}? Give the full name."
    names = sorted({line.removeprefix("From: ") for each in thread.mails for line in each.splitlines()[:1]})
    return Archive("multi: mail", told, question, ONE, "value", thread.proposer, names, place=place)
