"""The shop: its library, its search, its pages, what a purchase earns, and how actions are read."""

from __future__ import annotations

import math

import gymnasium as gym
import pytest

from acgym.envs.world.shop.goods import article, categories, kinds
from acgym.envs.world.shop.judge import keeps, reward
from acgym.envs.world.shop.shop import K1, PRODUCTS, B, Shop, shop, words
from acgym.envs.world.shop.words import read_action


def opened(level=3, seed=0, split="eval"):
    env = gym.make("ACB/WebShop-v0", level=level, disable_env_checker=True).unwrapped
    env.reset(seed=seed, options={"split": split})
    return env


def test_the_library_is_whole():
    assert len(categories()) >= 20
    for category in categories():
        assert len(category.kinds) == 4
        assert [len(values) for _, values in category.attributes] == [4, 4, 4]
        assert len(category.traits) == 3
        first, second = category.options
        assert not set(first.values) & set(second.values)  # a value alone says which option is meant
        assert category.low < category.high
    assert len({kind.name for kind in kinds()}) == 4 * len(categories())


def test_a_need_does_not_say_the_name_of_the_value():
    for category in categories():
        for _, values in category.attributes:
            assert all(value.name.lower() not in value.need.lower() for value in values)


def test_articles():
    names = ("espresso beans", "umbrella", "over-ear headphones", "tyre", "espresso cup")
    assert [article(name) for name in names] == ["", "a ", "", "a ", "an "]


def test_the_shop_is_the_same_each_time_and_large():
    other = Shop()
    assert PRODUCTS == 5000
    assert (other.values == shop().values).all()
    assert (other.share == shop().share).all()
    codes = {shop().product(number).code for number in range(PRODUCTS)}
    assert len(codes) == PRODUCTS
    with pytest.raises(IndexError, match="0 to 4999"):
        shop().product(PRODUCTS)


def test_each_attribute_is_said_in_one_place():
    for number in range(0, PRODUCTS, 97):
        product = shop().product(number)
        told = [product.title + " " + " ".join(product.features), product.description]
        assert sum(value.name in told[0] for value in product.values) >= 2
        assert sum(value.sentence in told[1] for value in product.values) == 1
        for trait, held in zip(product.category.traits, product.traits, strict=True):
            text = " ".join(product.reviews)
            assert (trait.praise in text) == held
            assert (trait.complaint in text) != held


def test_the_search_is_robertsons_equation_worked_by_hand():
    vocabulary, table, _ = shop()._index
    lengths = (table >= 0).sum(axis=1)
    word = vocabulary["vegan"]
    number = int((table == word).any(axis=1).argmax())
    tf, n = int((table[number] == word).sum()), int((table == word).any(axis=1).sum())
    idf = math.log(1 + (PRODUCTS - n + 0.5) / (n + 0.5))
    length = lengths[number] / lengths.mean()
    assert shop().scores("Vegan!")[number] == pytest.approx(idf * tf / (tf + K1 * (1 - B + B * length)))
    assert shop().search("zzz qqq") == []
    found = shop().search("hiking boots")
    assert len(found) == 50
    assert all(shop().product(one).kind == "hiking boot" for one in found)


def test_words_are_compared_without_case_and_plural():
    assert words("Hiking BOOTS, glass & gas") == ["hiking", "boot", "glass", "gas"]


@pytest.mark.parametrize(
    ("said", "verb", "text"),
    [
        ("I think so.\nAction: search[red kettle]", "search", "red kettle"),
        ("search(red kettle)", "search", "red kettle"),
        ("Action: Search: red kettle", "search", "red kettle"),
        ("**Action:** `click[B0012]`", "click", "B0012"),
        ("I will click[description] to read it.", "click", "description"),
        ("click [Buy Now]", "click", "Buy Now"),
        ("Action: click buy", "click", "buy"),
        ("buy now", "click", "buy now"),
        ("Action: back to search", "click", "back to search"),
    ],
)
def test_actions_are_read_generously(said, verb, text):
    assert read_action(said) == (verb, text)


@pytest.mark.parametrize("said", ["", "hello", "Action:", "search[]", "click[ ]", "I would like to think."])
def test_what_is_no_action_is_none(said):
    assert read_action(said) is None
    assert opened().judge(said).malformed


def test_pages_are_walked():
    env = opened()
    assert "50 found, page 1 of 5" in env.step("search[hiking boot]")[0]
    assert "page 2 of 5" in env.step("click[next page]")[0]
    second = env.found[10]
    assert "page 1 of 5" in env.step("click[previous page]")[0]
    assert env.step("click[previous page]")[4]["error"] == "unknown_button"
    told = env.step("click[cheapest first]")[0]
    prices = [shop().product(one).price for one in env.found]
    assert prices == sorted(prices)
    assert "cheapest first" in told
    assert "at most $40" in env.step("click[under $40]")[0]
    assert all(shop().product(one).price <= 4000 for one in env.found)
    assert env.step("click[under $1]")[4]["error"] == "nothing_found"
    env.step("search[hiking boot]")
    assert f"B{second:04d}: " in env.step(f"click[B{second:04d}]")[0]
    assert "reviews:" in env.step("click[Reviews]")[0]
    assert "Option colour (nothing chosen)" in env.step("click[back]")[0]
    assert "Results for" in env.step("click[< Prev]")[0]
    assert "start page" in env.step("click[back]")[0]
    assert env.step("search[qqq]")[4]["error"] == "nothing_found"


def test_options_change_the_price_and_their_names_may_be_said():
    env = opened()
    env.step("search[hiking boot]")
    env.step(f"click[{shop().product(env.found[0]).code}]")
    size = next(option for option in shop().product(env.number).options if option.name == "size")
    before = shop().product(env.number).price_of(env.chosen)
    told = env.step(f"click[Size: {size.values[-1]}]")[0]
    assert f"Option size ({size.values[-1]})" in told
    assert shop().product(env.number).price_of(env.chosen) > before
    missing = next(value for value in ("5", "6", "7", "8", "9", "10", "11", "12") if value not in size.values)
    assert env.step(f"click[{missing}]")[4]["error"] == "not_offered"
    assert env.step("click[moon]")[4]["error"] == "unknown_button"


def test_a_purchase_earns_webshops_share():
    env = opened(level=3)
    asked = env.task.data
    product = shop().product(asked["product"])
    parts = len(asked["attributes"]) + len(asked["traits"]) + len(asked["options"]) + 1
    assert reward(product, asked["options"], asked) == (1.0, None)
    earned, error = reward(product, {}, asked)
    assert error == "option_not_chosen"
    assert earned == pytest.approx((parts - len(asked["options"])) / parts)
    assert reward(product, asked["options"], {**asked, "budget": 100}) == (
        pytest.approx((parts - 1) / parts),
        "over_budget",
    )
    other = next(kind for kind in product.category.kinds if kind != product.kind)
    assert reward(product, asked["options"], {**asked, "kind": other}) == (0.5, "wrong_kind")
    far, error = reward(product, {}, {**asked, "kind": "gas mask", "attributes": [["mask", "rubber", False]]})
    assert (far, error) == (0.0, "wrong_kind")
    name, value, _ = asked["attributes"][0]
    refused = {**asked, "attributes": [[name, value, True], *asked["attributes"][1:]]}
    assert reward(product, asked["options"], refused)[1] == "wrong_attribute"


def test_any_product_that_keeps_all_is_right():
    env = opened(level=1, seed=4)
    asked = env.task.data
    kind = next(i for i, one in enumerate(kinds()) if one.name == asked["kind"])
    right = next(one for one in shop().of_kind(kind) if keeps(one, asked) and one.number != asked["product"])
    env.step(f"search[{right.title}]")
    env.step(f"click[{right.code}]")
    assert env.step("buy")[4] == {"progress": 1.0, "success": True, "malformed": False, "error": None}


def test_kinds_and_requests_belong_to_one_split():
    for split in ("eval", "train"):
        for seed in range(20):
            task = opened(level=3, seed=seed, split=split).task
            assert next(kind.split for kind in kinds() if kind.name == task.data["kind"]) == split


def test_the_request_says_all_that_is_judged():
    for level in (2, 3, 5):
        for seed in range(40):
            task = opened(level=level, seed=seed).task
            low = task.goal.lower()
            assert task.data["kind"].lower() in low
            assert f"${task.data['budget'] // 100}" in low
            assert all(value.lower() in low for value in task.data["options"].values())
            assert ("deliver" in low) == task.data["delivery"]


@pytest.mark.slow
@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_the_oracle_solves_a_thousand_requests_within_the_limit(level):
    env = opened(level=level)
    for seed in range(1000):
        env.reset(seed=seed)
        done, steps, info = False, 0, {}
        while not done:
            *_, done, _, info = env.step(env.oracle())
            steps += 1
        assert info["success"]
        assert steps * 1.5 <= 30
