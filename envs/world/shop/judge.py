"""What a purchase earns: WebShop's reward over kind, attributes, options and price, and what was wrong first."""

from __future__ import annotations

from collections.abc import Mapping

from acgym.envs.world.shop.goods import Value
from acgym.envs.world.shop.shop import Product
from acgym.types import Json


def reward(product: Product, chosen: Mapping[str, str], asked: Mapping[str, Json]) -> tuple[float, str | None]:
    """Return the reward of buying a product with these choices, and the kind of error; None if nothing is wrong.

    Yao et al. 2022 (arXiv 2207.01206), equation 1: r = r_type * (attributes kept + options kept + [price kept]) /
    (attributes asked + options asked + 1). Traits and rating count as attributes. ``r_type`` is 1 for the kind that
    was asked for, 0.5 for another kind of its category, 0.1 for one whose name shares a word, else 0; WebShop, whose
    kinds are words of titles, also gives 1 to another kind that shares a fifth of the words.
    """
    kept = [_attribute(product, *row) for row in asked["attributes"]]
    kept += [_trait(product, name) for name in asked["traits"]]
    kept += [product.rating >= asked["rating"]] if asked["rating"] else []
    options = [chosen.get(name) == value for name, value in asked["options"].items()]
    price = product.price_of(chosen) + (product.delivery if asked["delivery"] else 0)
    cheap = price <= asked["budget"]
    fit = _type(product, asked["kind"])
    share = (sum(kept) + sum(options) + cheap) / (len(kept) + len(options) + 1)
    if fit < 1:
        return fit * share, "wrong_kind"
    if not all(kept):
        return share, "wrong_attribute"
    if not all(options):
        return share, "option_not_chosen" if len(chosen) < len(options) else "wrong_option"
    return share, None if cheap else "over_budget"


def keeps(product: Product, asked: Mapping[str, Json]) -> bool:
    """Say whether a product can be bought for the full reward."""
    offered = {option.name: option.values for option in product.options}
    wanted = asked["options"]
    return (
        all(value in offered.get(name, ()) for name, value in wanted.items())
        and reward(product, wanted, asked)[1] is None
    )


def _type(product: Product, kind: str) -> float:
    if product.kind == kind:
        return 1.0
    if kind in product.category.kinds:
        return 0.5
    return 0.1 if set(product.kind.split()) & set(kind.split()) else 0.0


def _attribute(product: Product, attribute: str, value: str, refused: bool) -> bool:
    """Say whether an attribute is as asked; one that the category does not know is not."""
    held: dict[str, Value] = dict(zip((name for name, _ in product.category.attributes), product.values, strict=True))
    return attribute in held and (held[attribute].name == value) != refused


def _trait(product: Product, name: str) -> bool:
    return any(held and trait.name == name for trait, held in zip(product.category.traits, product.traits, strict=True))
