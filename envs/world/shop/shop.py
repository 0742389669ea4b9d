"""The shop: 5,000 products drawn once a process, the same in each, and the search over them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from acgym.envs.world.shop.goods import Category, Value, categories, kinds

PRODUCTS = 5000
SERIES = 4
"""Products of a kind that share their attributes, and differ in where they say them, options, price and use."""
MOST_FOUND = 50
"""Products that a search lists, as in WebShop."""
K1, B = 1.2, 0.75
_SEED = 20220704
_STEEP = frozenset(("pack", "pieces", "persons"))
_FLAT = frozenset(("colour", "origin", "theme", "flavour", "scent", "finish", "handle", "strap", "model"))
_WORD = re.compile(r"[a-z0-9]+")
BRANDS = tuple(
    word
    for line in (
        "Alderby Brantock Calvera Dunmoor Eskel Fenwold Gorsella Harwick Ilvane Jorund Kestano Lowmere Marbrook",
        "Norvik Oakhelm Pellworth Quenby Rivaldo Saltmarsh Tamworth Ulverstone Varnholt Westray Yarrowby Zellner",
        "Brightling Cobblewood Driftmark Emberline Foxgrove Greywell Hollowcrest Inkberry Juniperra Kitebridge",
    )
    for word in line.split()
)
OPENINGS = (
    "We have made this {} for eleven years, and it gets better by each letter we receive.",
    "A {} for every day, thought through in our small works by the sea.",
    "You asked for a {} without frills. Here it is.",
    "There are many like it. This {} is the one that our own staff take home.",
    "This {} comes from a family firm in its third generation.",
    "Simple to like and hard to wear out: a {} as it should be.",
)
CHATTER = (
    "Came a day early.", "Bought it for my sister, she is happy.", "Second one that we own.",
    "The parcel was larger than need be.", "Customer service answered at once.", "What can I say: does its job.",
    "My husband laughed at first.", "I had another brand before.", "Nice card in the box.", "Delivery took nine days.",
)  # fmt: skip

Integers: TypeAlias = NDArray[np.int64]


class Offered(NamedTuple):
    """An option of a product: what can be chosen, and what it adds to the price, in cents."""

    name: str
    phrase: str
    values: tuple[str, ...]
    extra: tuple[int, ...]


class Product(NamedTuple):
    """One product, written out."""

    number: int
    kind: str
    category: Category
    title: str
    features: tuple[str, ...]
    description: str
    reviews: tuple[str, ...]
    values: tuple[Value, ...]
    traits: tuple[bool, ...]
    rating: float
    price: int
    """With the cheapest choices; cents, as all prices here."""
    delivery: int
    options: tuple[Offered, ...]

    @property
    def code(self) -> str:
        """The name that is clicked on."""
        return f"B{self.number:04d}"

    def price_of(self, chosen: Mapping[str, str]) -> int:
        """Return the price with these choices; what is not chosen costs least, what is not offered nothing."""
        return self.price + sum(
            option.extra[option.values.index(chosen[option.name])]
            for option in self.options
            if chosen.get(option.name) in option.values
        )


def words(text: str) -> list[str]:
    """Return the words of a text as the search compares them: small letters, no plural s."""
    return [
        word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] != "s" else word
        for word in _WORD.findall(text.lower())
    ]


class Shop:
    """All products as columns of numbers; a product is written out when it is looked at."""

    def __init__(self) -> None:
        rng = np.random.Generator(np.random.PCG64(_SEED))
        self.kind: Integers = np.arange(PRODUCTS) % len(kinds())
        series = np.arange(PRODUCTS) // len(kinds()) // SERIES
        self.values: Integers = rng.integers(0, 4, (int(series[-1]) + 1, len(kinds()), 3))[series, self.kind]
        """Of each attribute, the value."""
        self.places: Integers = rng.permuted(np.tile(np.arange(3), (PRODUCTS, 1)), axis=1)
        """The attribute that the title says, the one that the features say, the one that the description says."""
        self.traits: NDArray[np.bool_] = rng.random((PRODUCTS, 3)) < 0.45
        self.brand: Integers = rng.integers(0, len(BRANDS), PRODUCTS)
        self.model: Integers = rng.integers(10, 1000, PRODUCTS)
        self.share: NDArray[np.float64] = rng.random(PRODUCTS) ** 2
        """Where the price lies between the category's bounds."""
        self.choice: NDArray[np.float64] = rng.random((PRODUCTS, 4))
        """First value and number of values of both options."""
        self.more: Integers = rng.integers(0, 1 << 30, PRODUCTS)
        """What decides the rest: delivery, rating, small talk."""
        self._kept: dict[str, tuple[Integers, NDArray[np.float64]]] = {}

    def product(self, number: int) -> Product:
        """Write one product out.

        Raises:
            IndexError: for a number that is not 0 to 4,999.
        """
        if not 0 <= number < PRODUCTS:
            raise IndexError(f"products have numbers from 0 to {PRODUCTS - 1}, got {number}")
        return _written(number)

    def of_kind(self, kind: int) -> list[Product]:
        """Return all products of a kind, by number."""
        return [self.product(number) for number in range(kind, PRODUCTS, len(kinds()))]

    @cached_property
    def _index(self) -> tuple[dict[str, int], NDArray[np.int16], NDArray[np.float64]]:
        """Vocabulary; the numbers of the words of each product, with -1 for none; the length term of BM25."""
        vocabulary: dict[str, int] = {}
        sorts = kinds()
        attributes = [value for category in categories() for _, values in category.attributes for value in values]
        by_name = _numbers([value.name for value in attributes], vocabulary, 6).reshape(-1, 12, 6)
        by_tale = _numbers([value.sentence for value in attributes], vocabulary, 20).reshape(-1, 12, 20)
        rows = np.arange(PRODUCTS)
        section = np.array([categories().index(sort.category) for sort in sorts])[self.kind]
        at = [self.places[:, i] * 4 + self.values[rows, self.places[:, i]] for i in range(3)]
        columns = [
            _numbers([sort.name for sort in sorts], vocabulary, 4)[self.kind],
            _numbers(BRANDS, vocabulary, 1)[self.brand],
            _numbers([str(model) for model in range(1000)], vocabulary, 1)[self.model],
            by_name[section, at[0]],
            by_name[section, at[1]],
            by_tale[section, at[2]],
        ]
        table = np.concatenate(columns, axis=1)
        lengths = (table >= 0).sum(axis=1)
        return vocabulary, table, K1 * (1 - B + B * lengths / lengths.mean())

    def scores(self, query: str) -> NDArray[np.float64]:
        """Score each product's title, features and description against a query by BM25.

        Robertson and Zaragoza 2009, "The probabilistic relevance framework", equation 3.15: the sum over the query's
        words of idf * tf / (tf + k1 (1 - b + b length / mean length)), k1 = 1.2, b = 0.75, where
        idf = ln(1 + (N - n + 0.5) / (n + 0.5)) is never negative (Lucene's form). Each word counts once.
        """
        vocabulary = self._index[0]
        total = np.zeros(PRODUCTS)
        for word in dict.fromkeys(words(query)[:100]):
            if word in vocabulary:
                held, parts = self._parts(word)
                total[held] += parts
        return total

    def _parts(self, word: str) -> tuple[Integers, NDArray[np.float64]]:
        """Return which products hold a word of the vocabulary, and what it adds to the score of each; kept."""
        if word not in self._kept:
            vocabulary, table, norm = self._index
            often = (table == vocabulary[word]).sum(axis=1)
            held = np.flatnonzero(often)
            idf = np.log(1 + (PRODUCTS - len(held) + 0.5) / (len(held) + 0.5))
            self._kept[word] = (held, idf * often[held] / (often[held] + norm[held]))
        return self._kept[word]

    def search(self, query: str) -> list[int]:
        """Return the numbers of up to 50 products, best first; equal scores by number."""
        scores = self.scores(query).round(9)
        least = max(float(np.partition(scores, -MOST_FOUND)[-MOST_FOUND]), 1e-9)
        found = np.flatnonzero(scores >= least)
        order = np.argsort(-scores[found], kind="stable")[:MOST_FOUND]
        return [int(number) for number in found[order]]


@cache
def shop() -> Shop:
    """Return the shop, built when it is first asked for."""
    return Shop()


def _numbers(texts: Sequence[str], vocabulary: dict[str, int], width: int) -> NDArray[np.int16]:
    table = np.full((len(texts), width), -1, dtype=np.int16)
    for row, text in enumerate(texts):
        for place, word in enumerate(words(text)[:width]):
            table[row, place] = vocabulary.setdefault(word, len(vocabulary))
    return table


@cache
def _written(number: int) -> Product:
    store = shop()
    sort = kinds()[int(store.kind[number])]
    category, more = sort.category, int(store.more[number])
    values = tuple(category.attributes[i][1][int(store.values[number, i])] for i in range(3))
    said = [values[int(i)] for i in store.places[number]]
    traits = tuple(bool(held) for held in store.traits[number])
    price = category.low + (category.high - category.low) * float(store.share[number]) * 0.7
    cents = max(100, round(price * 10) * 10 - 10)
    return Product(
        number,
        sort.name,
        category,
        f"{BRANDS[int(store.brand[number])]} {sort.name} {int(store.model[number])}, {said[0].name}",
        (said[1].name, said[0].name) if more % 2 else (said[0].name, said[1].name),
        f"{OPENINGS[more % len(OPENINGS)].format(sort.name)} {said[2].sentence}",
        _reviews(category, traits, more),
        values,
        traits,
        round(2.5 + 0.7 * sum(traits) + more // 7 % 5 / 10, 1),
        cents,
        (0, 390, 590)[more // 3 % 3],
        _offered(category, store.choice[number], cents),
    )


def _offered(category: Category, choice: NDArray[np.float64], price: int) -> tuple[Offered, ...]:
    rows = []
    for place, option in enumerate(category.options):
        n = len(option.values)
        count = 2 + int(choice[2 * place + 1] * (n - 2) * 0.7)
        first = int(choice[2 * place] * n)
        at = sorted((first + i) % n for i in range(count))
        if option.name in _FLAT:
            extra = [0.1 if i == first else 0.0 for i in at]
        else:
            extra = [(0.55 if option.name in _STEEP else 0.06) * i for i in range(count)]
        rows.append(Offered(option.name, option.phrase, tuple(option.values[i] for i in at), _cents(price, extra)))
    return tuple(rows)


def _cents(price: int, shares: Sequence[float]) -> tuple[int, ...]:
    return tuple(round(price * share / 10) * 10 for share in shares)


def _reviews(category: Category, traits: Sequence[bool], more: int) -> tuple[str, ...]:
    """Write a review for each trait, with small talk before or behind, in an order of the product's own."""
    found = []
    for i, (trait, held) in enumerate(zip(category.traits, traits, strict=True)):
        talk = CHATTER[(more // 11 + 3 * i) % len(CHATTER)]
        said = trait.praise if held else trait.complaint
        stars = 4 + (more >> i) % 2 if held else 1 + (more >> i) % 2
        text = f"{talk} {said}" if (more >> (i + 3)) % 2 else f"{said} {talk}"
        found.append(f"{stars} of 5 stars: {text}")
    turn = more // 5 % 3
    return tuple(found[turn:] + found[:turn])
