"""Code bases: modules of records and of rates, and a last function whose one line is missing."""

from __future__ import annotations

from acgym.draw import Draw
from acgym.envs.context.longqa.archive import Archive, Order, laid_out

_RECORDS = (
    "crate", "berth", "locker", "ticket", "pallet", "meter", "parcel", "wagon", "kiln", "garden", "vessel", "trailer",
    "stall",
    "bicycle", "carpet", "window", "piano", "barrel",
)  # fmt: skip
_FIELDS = {
    "mass": (("kg", "mass in kilograms"), ("weight", "mass in kilograms"), ("heft", "mass in kilograms")),
    "height": (("cm", "height in centimetres"), ("tall", "height in centimetres"), ("top", "height in centimetres")),
    "width": (("wide", "width in centimetres"), ("span", "width in centimetres"), ("across", "width in centimetres")),
    "age": (("years", "age in years"), ("old", "age in years"), ("aged", "age in years")),
    "value": (("worth", "value in crowns"), ("price", "value in crowns"), ("crowns", "value in crowns")),
    "zone": (("area", "zone of the tariff"), ("ring", "zone of the tariff"), ("district", "zone of the tariff")),
}
_PARAMETERS = {
    "mass": "kilograms", "height": "height", "width": "width", "age": "years_old", "value": "value", "zone": "zone",
}  # fmt: skip
_VERBS = ("assess", "settle", "tally", "rate", "charge", "gauge", "levy", "reckon", "weigh", "quote")
_PURPOSES = (
    "storage fee", "transport fee", "insurance", "deposit", "customs duty", "late fee", "cleaning fee",
    "inspection fee",
    "rent", "refund",
)  # fmt: skip
_EXTRAS = ("days", "people", "trips", "hours")
_FORM = (
    "Reply with that one line of Python alone. It calls the function of the module rates, with the attributes of "
    "the record "
    "and the other argument in the right places."
)


class _Rate:
    """A function of the module rates: for which record and purpose, and in what order it takes what."""

    def __init__(self, draw: Draw, record: str, purpose: str, verb: str, fields: list[str], extra: str) -> None:
        self.record, self.purpose, self.extra = record, purpose, extra
        self.name = f"{verb}_{record}"
        self.takes = draw.shuffled([*fields, extra])
        self.parameters = [_PARAMETERS.get(each, each) for each in self.takes]
        terms = [f"{draw.between(2, 19)} * {each}" for each in self.parameters]
        article = "an" if record[0] in "aeiou" else "a"
        self.text = (
            f"# module rates\ndef {self.name}({', '.join(self.parameters)}):\n"
            f'    """Return the {purpose} of {article} {record} in crowns."""\n    return {" + ".join(terms)}'
        )


def _record(draw: Draw, name: str) -> tuple[dict[str, str], str]:
    """Draw a record: what its attributes are called, and its class."""
    fields = draw.sample(sorted(_FIELDS), 4)
    called = {field: draw.pick(_FIELDS[field]) for field in fields}
    article = "An" if name[0] in "aeiou" else "A"
    lines = [f"# module records\nclass {name.capitalize()}:", f'    """{article} {name}.', ""]
    lines += [f"    {attribute}: {meaning}" for attribute, meaning in called.values()]
    lines += ['    """', "", f"    def __init__(self, {', '.join(attribute for attribute, _ in called.values())}):"]
    lines += [f"        self.{attribute} = {attribute}" for attribute, _ in called.values()]
    return {field: attribute for field, (attribute, _) in called.items()}, "\n".join(lines)


def code(order: Order) -> Archive:
    """Draw a code base and a function at its end that must call the right rate with the right attributes."""
    draw = order.draw
    records = draw.shuffled(_RECORDS)
    blocks: list[str] = []
    needed: list[str] = []
    asked: tuple[_Rate, dict[str, str]] | None = None
    left = order.words
    rounds = 0
    while left > 0 or asked is None:
        name = records[rounds % len(records)] + ("" if rounds < len(records) else f"_{rounds // len(records) + 1}")
        rounds += 1
        attributes, text = _record(draw, name)
        count = draw.between(2, 4)
        verbs, purposes = draw.sample(_VERBS, count), draw.sample(_PURPOSES, count)
        rates = [
            _Rate(draw, name, purpose, verb, draw.sample(sorted(attributes), 2 + draw.below(2)), draw.pick(_EXTRAS))
            for verb, purpose in zip(verbs, purposes, strict=True)
        ]
        size = len(text.split()) + sum(len(rate.text.split()) for rate in rates)
        if asked is not None and size > left:
            break
        left -= size
        if asked is None:
            asked = rates[0], attributes
            needed = [text, rates[0].text]
            blocks += [rate.text for rate in rates[1:]]
        else:
            blocks += [text, *(rate.text for rate in rates)]
    rate, attributes = asked
    documents, place = laid_out(draw, draw.shuffled(needed), draw.shuffled(blocks), order.depth)
    wanted = {p: rate.extra if f == rate.extra else f"{rate.record}.{attributes[f]}"
              for f, p in zip(rate.takes, rate.parameters, strict=True)}  # fmt: skip
    last = (
        f"# module desk\nimport rates\n\ndef bill({rate.record}, {rate.extra}):\n"
        f'    """Return the {rate.purpose} of this {rate.record} for {rate.extra}, as rates has it."""\n    return ...'
    )
    told = "\n\n\n".join([*documents, last])
    question = "Which line must stand in place of the last one, 'return ...'?"
    extra = {"name": f"rates.{rate.name}", "parameters": rate.parameters}
    return Archive("code", told, question, _FORM, "code", wanted, extra=extra, place=place)
