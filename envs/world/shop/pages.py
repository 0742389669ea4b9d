"""The pages of the shop in words: start, results, a product, and what its tabs tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from acgym.envs.world.shop.shop import Product, shop

PER_PAGE = 10
TABS = ("description", "features", "reviews")
SORTS = ("best match first", "cheapest first", "best rated first")
START = "You are on the start page of the shop. Search for something."


def dollars(cents: int) -> str:
    """Return "$12.90"."""
    return f"${cents // 100}.{cents % 100:02d}"


def results(query: str, found: Sequence[int], page: int, sort: str, under: int | None) -> str:
    """List ten products of a search.

    Args:
        query: what was searched for.
        found: numbers of all products found, in the order in which they are listed.
        page: from 0.
        sort: the order, one of ``SORTS``.
        under: the dollars that prices are kept to; None for any.
    """
    pages = -(-len(found) // PER_PAGE)
    kept = "" if under is None else f", at most ${under}"
    head = f'Results for "{query}"{kept}, {sort}: {len(found)} found, page {page + 1} of {max(1, pages)}.'
    lines = [_line(shop().product(number)) for number in found[page * PER_PAGE : (page + 1) * PER_PAGE]]
    more = [name for name, there in (("next page", page + 1 < pages), ("previous page", page > 0)) if there]
    buttons = [*more, *(name for name in SORTS if name != sort), "under $N", "back"]
    return "\n".join([head, *lines, f"Buttons: a product's code, {', '.join(buttons)}"])


def _line(product: Product) -> str:
    start = "from " if any(sum(option.extra) for option in product.options) else ""
    return f"{product.code}: {product.title}, {start}{dollars(product.price)}, rated {product.rating}"


def product_page(product: Product, chosen: Mapping[str, str]) -> str:
    """Show a product with what has been chosen."""
    open_still = any(option.name not in chosen and sum(option.extra) for option in product.options)
    delivery = f"delivery {dollars(product.delivery)}" if product.delivery else "free delivery"
    price = f"{'from ' if open_still else ''}{dollars(product.price_of(chosen))}"
    lines = [f"{product.code}: {product.title}", f"Price: {price}, {delivery}. Rated {product.rating}."]
    for option in product.options:
        said = chosen.get(option.name, "nothing chosen")
        lines.append(f"Option {option.name} ({said}): {' | '.join(option.values)}")
    return "\n".join([*lines, "Buttons: a value of an option, description, features, reviews, back, buy"])


def tab_page(product: Product, tab: str) -> str:
    """Show one tab of a product."""
    if tab == "features":
        told = "\n".join(f"- {feature}" for feature in product.features)
    else:
        told = product.description if tab == "description" else "\n".join(product.reviews)
    rest = ", ".join(name for name in TABS if name != tab)
    return f"{product.code}, {tab}:\n{told}\nButtons: a value of an option, {rest}, back, buy"
