"""ACB/WebShop-v0: find and buy what somebody wants in a shop of 5,000 products."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from acgym.draw import Draw
from acgym.env import Outcome, TextEnv
from acgym.envs.world.shop import pages
from acgym.envs.world.shop.goods import Value, categories
from acgym.envs.world.shop.heuristic import first_result
from acgym.envs.world.shop.judge import keeps, reward
from acgym.envs.world.shop.request import draw_request
from acgym.envs.world.shop.shop import Product, shop
from acgym.envs.world.shop.words import button, ceiling, product_number, read_action
from acgym.text import excerpt
from acgym.types import Anchor, FailureClass, Split, Task

RULES = """\
You are in an online shop of 5,000 products. Buy one product that keeps everything in the request.
Actions, one in each reply: search[words] or click[button]. You may search on any page.
The search compares words with titles, features and descriptions, not with options, prices or reviews.
A title tells one property of a product, the features tell another, the description a third in its own words. The
reviews tell how it does in use. What the request wants of the product may be said there in other words.
Options are chosen by click before you buy, and may change the price. If the request names no value for an option, leave
it. A sum of money means the price with the chosen options, without delivery unless the request says so.
To filter results by price, click[under $50]. When you click buy, the shop closes.
You may think first. End with one line such as
Action: search[red kettle]"""


class WebShop(TextEnv):
    """Shopping in words, in the manner of WebShop.

    What the agent sees: rules, a request in one of 29 voices, and a page: the start, results (ten a page, 50 at most),
    a product with its options and price, or a tab of it: description, features, reviews.

    What it must say: ``Action: search[words]`` or ``Action: click[button]``. A button is a product's code, a value
    of an option, ``description``, ``features``, ``reviews``, ``back``, ``next page``, ``previous page``,
    ``cheapest first``, ``best rated first``, ``best match first``, ``under $N`` or ``buy``. Read generously: round
    brackets or none, ``buy now``, ``colour: red``, a title instead of a code.

    What earns progress: the purchase, by WebShop's reward (:func:`acgym.envs.world.shop.judge.reward`): the share of
    attributes, options and price that are kept, times how near the kind is. Success is a reward of 1; every product
    that keeps all is right, not only the one that the request was made from. Nothing is earned before buying.

    When it ends: with ``buy``.

    ===== ========================= ====== ======= ======== =======================================================
    level attributes                traits options slack    also
    ===== ========================= ====== ======= ======== =======================================================
    1     1, named, in the title    0      0       <= 50 %
    2     2, named                  0      1       <= 20 %
    3     1 named, 1 in other words 1      2       <= 5 %
    4     1 named, 2 in other words 1      2       <= 3 %   the budget covers delivery
    5     1 named, 2 in other words 2      2       <= 3 %   delivery, a least rating; what is named may be refused
    ===== ========================= ====== ======= ======== =======================================================

    Slack is how far the budget may lie above the price of the product that the request was made from, beside the
    rounding up to whole dollars. Traits stand in reviews only.

    Errors: ``malformed`` (no action was read), ``unknown_button``, ``nothing_found``, ``not_offered`` (a value that
    this product does not come in); at the purchase ``wrong_kind``, ``wrong_attribute``, ``wrong_option``,
    ``option_not_chosen``, ``over_budget``, the first that holds.

    Splits: of the 96 kinds of product half are asked for in either split; voices and wordings belong to one split each.
    The shop and its products are the same for both.

    Source: ours, in the manner of WebShop (arXiv 2207.01206), which ACBench (arXiv 2505.19433) schedules through
    AgentBoard and does not report. The shop is drawn from a library of 24 categories written for this purpose, once a
    process and the same in each; MIT licence.

    Versions: v0, first.

    Args:
        level: 1 to 5, see the table.
        render_mode: ``"ansi"`` or None.
    """

    env_id = "ACB/WebShop-v0"
    capability = "real-world applications"
    error_kinds: ClassVar[Mapping[str, FailureClass]] = {
        "unknown_button": "wrong_order",
        "nothing_found": "wrong_argument",
        "not_offered": "wrong_argument",
        "wrong_kind": "wrong_argument",
        "wrong_attribute": "wrong_argument",
        "wrong_option": "wrong_argument",
        "option_not_chosen": "premature_stop",
        "over_budget": "wrong_argument",
    }
    anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.003, 0.010),
        2: Anchor(0.000, 0.008),
        3: Anchor(0.000, 0.007),
        4: Anchor(0.000, 0.008),
        5: Anchor(0.000, 0.008),
    }
    heuristic_anchors: ClassVar[Mapping[int, Anchor]] = {
        1: Anchor(0.913, 0.951),
        2: Anchor(0.464, 0.815),
        3: Anchor(0.118, 0.651),
        4: Anchor(0.044, 0.634),
        5: Anchor(0.011, 0.497),
    }
    query: str
    """What was searched for; empty on the start page."""
    best: list[int]
    """Products found, best match first."""
    found: list[int]
    """Products listed, in the order of the list."""
    page: int
    sort: str
    under: int | None
    number: int | None
    """The product that is open."""
    tab: str
    """The tab that is open; empty for none."""
    chosen: dict[str, str]

    def draw_task(self, draw: Draw, split: Split) -> Task:
        """Draw what is wanted."""
        request, data = draw_request(draw, split, self.level)
        return Task(f"{len(data['options'])} options", request, data, data["product"])

    def tell(self) -> str:
        """Say the rules, the request and the start page."""
        self.query, self.best, self.found, self.page, self.sort = "", [], [], 0, pages.SORTS[0]
        self.under, self.number, self.tab, self.chosen = None, None, "", {}
        return f"{RULES}\n{self.limit_line()}{pages.START}\nRequest: {self.task.goal}"

    def judge(self, action: str) -> Outcome:
        """Search or click."""
        read = read_action(action)
        if read is None:
            return self.malformed(f"{excerpt(action, 30)} is no action. Write one such as: Action: click[buy]")
        return self._search(read.text) if read.verb == "search" else self._click(read.text)

    def _search(self, query: str) -> Outcome:
        best = shop().search(query)
        if not best:
            return self.mistake(f"Nothing was found for {excerpt(query, 80)}. Try other words.", "nothing_found")
        self.query, self.best, self.found, self.page = excerpt(query, 80)[1:].removesuffix("...")[:-1], best, best, 0
        self.sort, self.under, self.number, self.tab, self.chosen = pages.SORTS[0], None, None, "", {}
        return self._shown()

    def _click(self, text: str) -> Outcome:
        name = button(text)
        if self.number is None:
            return self._click_list(name)
        product = shop().product(self.number)
        if name == "buy":
            return self._buy(product)
        if name == "back":
            self.number, self.tab, self.chosen = (self.number, "", self.chosen) if self.tab else (None, "", {})
            return self._shown()
        if name in pages.TABS:
            self.tab = name
            return self._shown()
        return self._choose(product, name, text)

    def _click_list(self, name: str) -> Outcome:
        """Click on the start page or on a page of results."""
        listed = self.found[self.page * pages.PER_PAGE : (self.page + 1) * pages.PER_PAGE]
        turn = {"next page": 1, "previous page": -1}.get(name, 0)
        if turn and 0 <= self.page + turn < -(-len(self.found) // pages.PER_PAGE):
            self.page += turn
            return self._shown()
        under = ceiling(name)
        if self.query and (name in pages.SORTS or under is not None):
            return self._arrange(name if under is None else self.sort, self.under if under is None else under)
        if name == "back" and self.query:
            self.query, self.best, self.found, self.under = "", [], [], None
            return self._shown()
        number = product_number(name, [(one, shop().product(one).title) for one in listed])
        if number is not None and number in self.found:
            self.number, self.tab, self.chosen = number, "", {}
            return self._shown()
        return self.mistake(f"There is no button {excerpt(name, 40)} on this page.", "unknown_button")

    def _arrange(self, sort: str, under: int | None) -> Outcome:
        """Sort the results and keep those that cost little enough."""
        kept = [one for one in self.best if under is None or shop().product(one).price <= 100 * under]
        if not kept:
            return self.mistake(f"None of the results costs ${under} or less.", "nothing_found")
        self.sort, self.under, self.page, self.found = sort, under, 0, kept
        if sort != pages.SORTS[0]:
            cheap = sort == pages.SORTS[1]
            self.found = sorted(kept, key=lambda one: _price(one) if cheap else -shop().product(one).rating)
        return self._shown()

    def _choose(self, product: Product, name: str, text: str) -> Outcome:
        """Choose a value of an option."""
        for option in product.options:
            said = name.removeprefix(option.name).lstrip(" :=")
            value = next((value for value in option.values if value.lower() in (name, said)), None)
            if value is not None:
                self.chosen[option.name] = value
                self.tab = ""
                return self._shown()
        known = [value.lower() for option in product.category.options for value in option.values]
        if name in known or any(name.endswith(f" {value}") for value in known):
            return self.mistake(f"This product does not come in {excerpt(text, 40)}.", "not_offered")
        return self.mistake(f"There is no button {excerpt(text, 40)} on this page.", "unknown_button")

    def _buy(self, product: Product) -> Outcome:
        earned, error = reward(product, self.chosen, self.task.data)
        said = f"You bought {product.code} for {pages.dollars(product.price_of(self.chosen))}."
        return Outcome(said, 1.0 if error is None else earned, error is None, True, error=error)

    def _shown(self) -> Outcome:
        """Show the page where one is."""
        if self.number is not None:
            product = shop().product(self.number)
            page = pages.tab_page(product, self.tab) if self.tab else pages.product_page(product, self.chosen)
        elif self.query:
            page = pages.results(self.query, self.found, self.page, self.sort, self.under)
        else:
            page = pages.START
        return Outcome(page, self._progress)

    def oracle(self) -> str:
        """Search for the kind with all that is wanted in the shop's words, turn pages, open, choose, buy."""
        asked = self.task.data
        if self.number is not None:
            product = shop().product(self.number)
            if not keeps(product, asked):
                return "Action: click[back]"
            left = [value for name, value in asked["options"].items() if self.chosen.get(name) != value]
            if not left and any(name not in asked["options"] for name in self.chosen) and self._too_dear(product):
                return f"Action: search[{product.title}]"
            return f"Action: click[{left[0]}]" if left else "Action: click[buy]"
        right = next((i for i, one in enumerate(self.found) if keeps(shop().product(one), asked)), None)
        if right is None:
            tried = any(self._wanted() in reply for reply in self.replies)
            return f"Action: search[{shop().product(asked['product']).title if tried else self._wanted()}]"
        page = right // pages.PER_PAGE
        if page != self.page:
            return f"Action: click[{'next page' if page > self.page else 'previous page'}]"
        return f"Action: click[{shop().product(self.found[right]).code}]"

    def _too_dear(self, product: Product) -> bool:
        return reward(product, self.chosen, self.task.data)[1] is not None

    def _wanted(self) -> str:
        """Return the kind and the attributes that are wanted, by name and as descriptions say them."""
        asked = self.task.data
        category = next(one for one in categories() if asked["kind"] in one.kinds)
        values: dict[str, Value] = {value.name: value for _, row in category.attributes for value in row}
        wanted = [values[name] for _, name, refused in asked["attributes"] if not refused]
        return " ".join([asked["kind"], *(f"{value.name} {value.sentence}" for value in wanted)])[:290]

    def heuristic_reply(self) -> str:
        """Search for the request and buy what comes first; see :mod:`acgym.envs.world.shop.heuristic`."""
        return first_result(self.observations)

    def random_reply(self, rng: np.random.Generator) -> str:
        """Search for any kind, or click any button of the page."""
        draw = Draw(rng)
        if self.number is not None:
            product = shop().product(self.number)
            values = [value for option in product.options for value in option.values]
            return f"Action: click[{draw.pick([draw.pick(values), draw.pick(pages.TABS), 'back', 'buy'])}]"
        if self.found and draw.chance(0.8):
            listed = self.found[self.page * pages.PER_PAGE : (self.page + 1) * pages.PER_PAGE]
            return f"Action: click[{shop().product(draw.pick(listed)).code}]"
        return f"Action: search[{draw.pick(draw.pick(categories()).kinds)}]"


def _price(number: int) -> int:
    return shop().product(number).price
