"""What somebody wants to buy: constraints that a product of the shop keeps, and the words of the request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from acgym.draw import Draw
from acgym.envs.voices import Voice, voices
from acgym.envs.world.shop.goods import Category, article, kinds
from acgym.envs.world.shop.shop import Product, shop
from acgym.types import Json, Split


class Shape(NamedTuple):
    """How a level asks."""

    names: int
    """Attributes asked for by name."""
    needs: int
    """Attributes asked for by what they are good for."""
    traits: int
    options: int
    slack: float
    """How far the budget may lie above the price, as a share of it."""
    delivery: bool = False
    rating: bool = False
    refusals: bool = False
    """Whether a name may be one that is not wanted."""
    crossed: float = 0.0
    """Chance that what is named stands circumscribed in the shop, and the other way round."""


SHAPES = {
    1: Shape(1, 0, 0, 0, 0.5),
    2: Shape(2, 0, 0, 1, 0.2),
    3: Shape(1, 1, 1, 2, 0.05, crossed=0.7),
    4: Shape(1, 2, 1, 2, 0.03, delivery=True, crossed=1.0),
    5: Shape(1, 2, 2, 2, 0.03, delivery=True, rating=True, refusals=True, crossed=1.0),
}
_FRAMES: Mapping[Split, Mapping[str, Sequence[str]]] = {
    "eval": {
        "do": ("buy {}", "order {}", "get me {}"),
        "say": ("I need {}", "I'm after {}", "What I want is {}"),
        "need": ("It has to {}.", "It should {}.", "It simply must {}."),
        "trait": ("Buyers should report that it {}.", "The reviews have to say that it {}."),
        "price": ("At most {}", "I won't spend more than {}", "It may cost up to {}"),
        "not": ("but please not {}", "anything but {}"),
        "rating": ("Nothing rated below {}.", "It needs a rating of {} or better."),
    },
    "train": {
        "do": ("purchase {}", "find and buy {}", "place an order for {}"),
        "say": ("I'm looking for {}", "We could use {}", "Our household lacks {}"),
        "need": ("It must {}.", "It needs to {}.", "I count on it to {}."),
        "trait": ("Other customers must agree that it {}.", "People who own it should write that it {}."),
        "price": ("My limit is {}", "No more than {}", "Keep it at or under {}"),
        "not": ("only not {}", "except {}"),
        "rating": ("At least {} stars on average.", "Its rating must not be under {}."),
    },
}
_WITH_DELIVERY = {"eval": ", delivery included", "train": ", and that with delivery"}


def draw_request(draw: Draw, split: Split, level: int) -> tuple[str, dict[str, Json]]:
    """Draw a product and ask for it; return the request in words, and as data.

    The data hold ``kind``, ``attributes`` (name of the attribute, value, whether it is refused), ``traits``,
    ``options`` (name to value), ``budget`` (cents), ``delivery`` (whether the budget covers it), ``rating`` (or None)
    and ``product``, the number of one that keeps all.
    """
    shape = SHAPES[level]
    kind = draw.pick([i for i, sort in enumerate(kinds()) if sort.split == split])
    able = [one for one in shop().of_kind(kind) if sum(one.traits) >= shape.traits]
    product = draw.pick(able)
    category = product.category
    asked = _attributes(draw, product, shape)
    traits = draw.sample([i for i, held in enumerate(product.traits) if held], shape.traits)
    options = {one.name: draw.pick(one.values) for one in draw.sample(product.options, shape.options)}
    price = product.price_of(options) + (product.delivery if shape.delivery else 0)
    budget = -(-int(price * (1 + shape.slack * draw.unit())) // 100)
    data: dict[str, Json] = {
        "kind": product.kind,
        "attributes": [[category.attributes[dim][0], value, not wanted] for dim, value, wanted, _ in asked],
        "traits": [category.traits[i].name for i in traits],
        "options": dict(options),
        "budget": budget * 100,
        "delivery": shape.delivery,
        "rating": product.rating if shape.rating else None,
        "product": product.number,
    }
    needs = [_need(category, dim, value) for dim, value, _, named in asked if not named]
    names = [(value, wanted) for _, value, wanted, named in asked if named]
    return _say(draw, split, data, names, needs, category), data


def _attributes(draw: Draw, product: Product, shape: Shape) -> list[tuple[int, str, bool, bool]]:
    """Draw which attributes are asked for: its place, value, whether it is wanted (or refused), and whether named.

    A crossed request names what the product's description circumscribes, and
    circumscribes what title and features name: no search for the words of the request finds the product by itself.
    """
    title, features, description = (int(place) for place in shop().places[product.number])
    if shape.needs and draw.chance(shape.crossed):
        dims = [description, *draw.sample([title, features], shape.needs)]
    else:
        dims = (
            [title]
            if shape.names + shape.needs == 1
            else draw.sample([title, features, description], shape.names + shape.needs)
        )
    rows = []
    for place, dim in enumerate(dims):
        held, named = product.values[dim], place < shape.names
        if named and shape.refusals and draw.chance(0.5):
            others = [value for value in product.category.attributes[dim][1] if value != held]
            rows.append((dim, draw.pick(others).name, False, True))
        else:
            rows.append((dim, held.name, True, named))
    return rows


def _need(category: Category, dim: int, name: str) -> str:
    return next(value.need for value in category.attributes[dim][1] if value.name == name)


def _say(
    draw: Draw,
    split: Split,
    data: Mapping[str, Json],
    names: Sequence[tuple[str, bool]],
    needs: Sequence[str],
    category: Category,
) -> str:
    """Put the request into words: what is bought, then sentences in an order of their own, the price last."""
    frames = _FRAMES[split]
    voice = draw.pick(voices(split))
    pieces = _first(draw, voice, frames, data["kind"])
    for name, wanted in names:
        before, behind = (", ", "") if wanted else draw.pick(frames["not"]).split("{}")
        pieces += [before if wanted else f", {before}", name, behind]
    places: dict[str, int] = {}
    for option in category.options:
        if option.name in data["options"]:
            value = data["options"][option.name]
            before, behind = option.say(value)
            places[option.name] = len(_merged(pieces))
            pieces += [f", {before}", value, behind]
    if voice.form == "short":
        tail = [[f"; must {need}", "", ""] for need in needs]
        tail += [[f"; reviews say it {trait}", "", ""] for trait in data["traits"]]
        tail += [["; rating ", str(data["rating"]), " or more"]] if data["rating"] else []
        tail = draw.shuffled(tail)
        closing = ["; max ", _dollars(data["budget"]), " with delivery" if data["delivery"] else ""]
    else:
        tail = [[f" {draw.pick(frames['need']).format(need)}", "", ""] for need in needs]
        tail += [[f" {draw.pick(frames['trait']).format(trait)}", "", ""] for trait in data["traits"]]
        rating = draw.pick(frames["rating"]).split("{}")
        tail += [[f" {rating[0]}", str(data["rating"]), rating[1]]] if data["rating"] else []
        tail = draw.shuffled(tail)
        before, behind = draw.pick(frames["price"]).split("{}")
        behind += _WITH_DELIVERY[split] if data["delivery"] else ""
        closing = [f" {before}", _dollars(data["budget"]), f"{behind}{'.' if voice.form == 'say' else ''}"]
        pieces += [".", "", ""]
    for row in tail:
        pieces += row
    pieces += closing
    spoken = _merged(pieces)
    return voice.dress(draw, spoken, _wrong(draw, voice, data, category, spoken, places))


def _first(draw: Draw, voice: Voice, frames: Mapping[str, Sequence[str]], kind: str) -> list[str]:
    if voice.form == "short":
        return ["", kind, ""]
    before, behind = draw.pick(frames[voice.form]).split("{}")
    return [before + article(kind), kind, behind]


def _wrong(
    draw: Draw,
    voice: Voice,
    data: Mapping[str, Json],
    category: Category,
    spoken: Sequence[str],
    places: Mapping[str, int],
) -> tuple[int, str] | None:
    """Choose what a voice that changes its mind says wrong first: a value of an option, else the budget."""
    if not voice.changes_mind:
        return None
    for option in category.options:
        if option.name in places:
            right = data["options"][option.name]
            return places[option.name], draw.pick([value for value in option.values if value != right])
    place = max(i for i in range(1, len(spoken), 2) if spoken[i] == _dollars(data["budget"]))
    return place, _dollars(data["budget"] + 100 * draw.between(3, 20))


def _merged(pieces: Sequence[str]) -> list[str]:
    """Join rows of (words, value, words) to words at even places and values at odd ones, empty values left out."""
    merged = [""]
    for at in range(0, len(pieces), 3):
        before, value, behind = pieces[at : at + 3]
        merged[-1] += before
        if value:
            merged += [value, behind]
        else:
            merged[-1] += behind
    return merged


def _dollars(cents: int) -> str:
    return f"${cents // 100}"
