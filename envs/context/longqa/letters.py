"""Letters told apart by what happens in them: paragraph retrieval by a summary in other words; and counting repeats."""

from __future__ import annotations

from acgym.envs.context.fit import sentences_of
from acgym.envs.context.longqa.archive import ONE, Archive, Order, laid_out
from acgym.envs.context.prose import library

_WHO = (
    ("the baker", "somebody who makes bread"), ("the miller", "somebody who grinds corn"), ("the fisherman",
                                                                                            "somebody with nets"),
    ("the doctor", "somebody who heals"), ("the teacher", "somebody with pupils"), ("the gardener",
                                                                                    "somebody who grows plants"),
    ("the tailor", "somebody who sews"), ("the smith", "somebody with an anvil"), ("the organist", "a church musician"),
    ("the ferryman", "somebody who takes others across the water"),
)  # fmt: skip
_WHAT = (
    ("lost an umbrella", "missed something against the rain"), ("found a watch",
                                                                "came upon something that tells the hour"),
    ("bought a horse", "paid for an animal to ride"), ("sold a cupboard", "gave furniture for money"),
    ("broke a window", "damaged glass"), ("caught a cold", "fell ill"), ("mended a clock", "repaired a timepiece"),
    ("fed the swans", "gave food to birds"), ("painted a door", "put colour on wood"), ("dug a well",
                                                                                        "made a hole for water"),
)  # fmt: skip
_WHERE = (
    ("at the harbour", "where ships lie"), ("in the forest", "among trees"), ("on the bridge", "above the river"),
    ("at the market", "among stalls"), ("in the churchyard", "among graves"), ("by the station", "near the trains"),
    ("on the hill", "high up"), ("in the cellar", "below the ground"),
)  # fmt: skip
_WHEN = (
    ("before sunrise", "while it was still dark"), ("at noon", "in the middle of the day"), ("in the first snow",
                                                                                             "in winter"),
    ("during the fair", "at a feast"), ("on a Sunday", "on a day of rest"), ("in the great heat", "in high summer"),
    ("after the storm", "when the wind had gone"), ("at harvest", "when the corn was cut"),
)  # fmt: skip
_END = (
    ("nobody believed it", "met with doubt"), ("the neighbours laughed",
                                               "was made fun of"), ("it was in the newspaper", "got into print"),
    ("it cost a month's pay", "turned out dear"), ("a child had seen it all", "had a young witness"),
    ("it rained for a week after that", "was followed by bad weather"),
)  # fmt: skip
_SLOTS = (_WHO, _WHAT, _WHERE, _WHEN, _END)
_OPENINGS = ("I must tell you what people talk of here.", "There is little news, but this.",
             "You asked how we are; we are well.",
             "The roof holds, the hens lay.", "Thank you for the parcel.", "I write in haste.")  # fmt: skip
_CLOSINGS = ("The rest when we meet.", "Write soon.", "The lamp is going out, so I end.", "Greet them all.",
             "More in my next letter.", "That is all from here.")  # fmt: skip
_FORM = "The last line of your reply must be: Answer: N (N is the number of the letter)"
_COUNT = "The last line of your reply must be: Answer: N (N is how many)"


def retrieval(order: Order) -> Archive:
    """Draw letters, all different, many in one thing only, and ask which one a summary in other words tells of."""
    draw = order.draw
    right = tuple(draw.below(len(slot)) for slot in _SLOTS)
    said = [_letter(order, right)]
    seen = {right}
    left = order.words - len(said[0].split())
    others: list[str] = []
    while left > 0:
        found = list(right if draw.chance(0.4) else (draw.below(len(slot)) for slot in _SLOTS))
        at = draw.below(len(_SLOTS))
        found[at] = draw.below(len(_SLOTS[at]))
        if tuple(found) in seen:
            continue
        seen.add(tuple(found))
        others.append(_letter(order, tuple(found)))
        left -= len(others[-1].split()) + 2
    documents, place = laid_out(draw, said, others[:-1], order.depth)
    told = "\n\n".join(f"Letter {i}\n{document}" for i, document in enumerate(documents, 1))
    who, what, where, when, end = (slot[i][1] for slot, i in zip(_SLOTS, right, strict=True))
    question = f"Which letter tells this: {who} {what}, {where}, {when}, and the matter {end}?"
    return Archive("retrieval", told, question, _FORM, "value", str(documents.index(said[0]) + 1), place=place)


def _letter(order: Order, chosen: tuple[int, ...]) -> str:
    draw = order.draw
    who, what, where, when, end = (slot[i][0] for slot, i in zip(_SLOTS, chosen, strict=True))
    middle = draw.pick((
        f"{when.capitalize()} {who} {what} {where}.", f"{who.capitalize()} {what} {where}, and that {when}.",
        f"It was {where} that {who} {what}, {when}.",
    ))  # fmt: skip
    after = draw.pick((f"In the end {end}.", f"You may guess the rest: {end}.", f"They say that {end}."))
    return f"{draw.pick(_OPENINGS)} {middle} {after} {draw.pick(_CLOSINGS)}"


def repeats(order: Order) -> Archive:
    """Draw paragraphs, some again with their sentences in another order, and ask how many differ."""
    draw = order.draw
    chosen, left = [], order.words
    pool = draw.shuffled(library(order.split))
    for paragraph in pool:
        if len(sentences_of(paragraph.text)) < 3 or paragraph.words > left:
            continue
        copies = 1 + draw.below(3)
        chosen += [paragraph] * min(copies, left // paragraph.words)
        left -= paragraph.words * copies
        if left <= 0 or len(set(chosen)) >= 4 + 8 * order.level:
            break
    told = []
    for paragraph in draw.shuffled(chosen):
        sentences = [each.text.strip() for each in sentences_of(paragraph.text)]
        told.append(" ".join(draw.shuffled(sentences)))
    text = "\n\n".join(told)
    question = (
        "Some paragraphs are there twice or more, with their sentences in another order. How many different "
        "paragraphs are "
        f"there among these {len(told)}?"
    )
    return Archive("count", text, question, _COUNT, "value", str(len(set(chosen))))


__all__ = ["ONE", "repeats", "retrieval"]
