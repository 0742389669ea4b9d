"""Manuals: a section for each machine; one value asked for, or one that another section must be read for."""

from __future__ import annotations

from acgym.draw import Draw
from acgym.envs.context.longqa.archive import ONE, Archive, Order, laid_out
from acgym.envs.context.people import people

_KINDS = ("pump", "press", "kiln", "loom", "lathe", "saw", "fan", "boiler", "mixer", "hoist")
_HALLS = (
    "dye house",
    "north hall",
    "south hall",
    "old foundry",
    "new foundry",
    "weaving shed",
    "packing room",
    "tin shop",
)
_VALUES = {
    "days": ("Its filter is changed every {v} days.", "A new filter goes in after {v} days of work.",
             "No filter may stay in it longer than {v} days."),
    "torque": ("The bolts of the lid are tightened with {v} newton metres.",
               "For the lid the wrench is set to {v} newton metres.",
               "Close the lid at {v} newton metres and no more."),
    "degrees": ("It must not grow hotter than {v} degrees.", "At {v} degrees it is to be stopped.",
                "The red mark of its thermometer stands at {v} degrees."),
    "oil": ("It takes {v} millilitres of oil a week.", "Every week it is given {v} millilitres of oil.",
            "{v} millilitres of oil see it through a week."),
    "pressure": ("Its gauge should read {v} millibar at rest.", "At rest one reads {v} millibar on it.",
                 "A healthy one shows {v} millibar when it stands still."),
    "minutes": ("Let it warm up for {v} minutes.", "It needs {v} minutes before it may take a load.",
                "In the first {v} minutes nothing is put into it."),
}  # fmt: skip
_ASKS = {
    "days": "After how many days at most is the filter of {m} changed?",
    "torque": "With how many newton metres is the lid of {m} closed?",
    "degrees": "At how many degrees is {m} too hot?",
    "oil": "How many millilitres of oil does {m} need in a week?",
    "pressure": "How many millibar does the gauge of {m} show at rest?",
    "minutes": "For how many minutes does {m} warm up?",
}
_RANGES = {
    "days": (10, 95),
    "torque": (12, 88),
    "degrees": (40, 190),
    "oil": (15, 240),
    "pressure": (300, 990),
    "minutes": (2, 35),
}
_NOTES = (
    "If it hums, that is the bearing; a hum is no fault.", "The switch on its back is for the fitter only.",
    "Wipe it with a dry cloth, never with a wet one.", "Two people carry it, and never by its pipes.",
    "The plate on its side must stay readable.", "What drips from it in winter is water and does no harm.",
    "Do not paint over its screws.", "Its key hangs where the keys hang.", "Listen to it before you open it.",
    "After a stop it is started by hand.", "A smell of tar is normal in the first week.",
)  # fmt: skip


class _Book:
    def __init__(self, order: Order) -> None:
        self.draw, self.people = order.draw, people(order.split)
        self.section = 0
        self.names: set[str] = set()

    def name(self) -> str:
        """Return a new machine: many differ by one digit."""
        draw = self.draw
        while True:
            wide = len(self.names) > 1000  # a very long manual has more machines than there are near names
            number = 100 * draw.between(1, 99) + draw.below(100) if wide else 100 * draw.between(3, 4) + draw.below(40)
            name = f"{draw.pick(_KINDS)} {draw.pick('PQR')}-{number}"
            if name not in self.names:
                self.names.add(name)
                return name

    def section_of(self, name: str, values: dict[str, int], same: str | None = None) -> str:
        """Write a section; the machine is named in its head alone, the rest speaks of it."""
        draw = self.draw
        lines = [draw.pick(_VALUES[key]).format(v=value) for key, value in values.items()]
        if same:
            lines.insert(0, f"All that is not said here is as with {same}.")
        else:
            lines = draw.shuffled(lines)
        lines.insert(draw.below(len(lines) + 1) if not same else len(lines), draw.pick(_NOTES))
        where = f"It stands in the {draw.pick(_HALLS)} and is in the care of {draw.pick(self.people)}."
        return f"{name[0].upper()}{name[1:]}\n{where} {' '.join(lines)}"


def _values(draw: Draw, keys: list[str]) -> dict[str, int]:
    return {key: draw.between(*_RANGES[key]) for key in keys}


def manual(order: Order, hops: int) -> Archive:
    """Draw a manual and ask for a value of one machine, through ``hops`` sections that refer to another one."""
    draw, book = order.draw, _Book(order)
    keys = list(_VALUES)
    asked = draw.pick(keys)
    first = _values(draw, keys)
    chain = [book.name()]
    sections = [book.section_of(chain[0], first)]
    for _ in range(hops):
        chain.insert(0, book.name())
        own = draw.sample([key for key in keys if key != asked], 2)
        sections.insert(0, book.section_of(chain[0], _values(draw, own), same=chain[1]))
    if hops and order.level >= 4:  # a section of a near name refers elsewhere
        other = book.name()
        sections.append(book.section_of(other, _values(draw, [asked, draw.pick([k for k in keys if k != asked])])))
    left = order.words - sum(len(section.split()) for section in sections)
    others: list[str] = []
    told = list(chain)
    while left > 0:
        few = draw.chance(0.3)
        chosen, name = draw.sample(keys, 2) if few else keys, book.name()
        section = book.section_of(name, _values(draw, chosen), same=draw.pick(told) if few else None)
        told.append(name)
        left -= len(section.split())
        others.append(section)
    documents, place = laid_out(draw, draw.shuffled(sections), others[:-1], order.depth)
    text = "\n\n".join(f"{i}. {document}" for i, document in enumerate(documents, 1))
    question = _ASKS[asked].format(m=f"the {chain[0]}")
    return Archive(
        "multi: manual" if hops else "single: manual", text, question, ONE, "value", str(first[asked]), place=place
    )
