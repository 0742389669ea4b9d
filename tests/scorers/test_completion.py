"""A completed line of code, by its syntax tree."""

from __future__ import annotations

import pytest

from acgym.scorers.completion import is_call, read_call

TAKES = ("mass", "days")
WANTED = {"mass": "crate.kg", "days": "days"}


@pytest.mark.parametrize(
    "said",
    [
        "return rates.fee(crate.kg, days)", "rates.fee(crate.kg,days)", "`fee(days=days, mass=crate.kg)`",
        "```python\nreturn rates.fee( crate.kg, days = days )\n```", "Answer: rates.fee((crate.kg), days)",
        "The line is:\n    return rates.fee(crate.kg, days)\nI hope so.",
    ],
)  # fmt: skip
def test_right_lines(said: str) -> None:
    assert is_call(said, "rates.fee", TAKES, WANTED) == (True, True)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("return rates.fee(days, crate.kg)", (True, False)), ("return rates.fee(crate.kg)", (True, False)),
        ("return rates.fees(crate.kg, days)", (False, False)), ("return rates.fee(*all, days)", (True, False)),
        ("return rates.fee(crate.kg, days, 1)", (True, False)), ("return rates.fee(crate.kg, mass=1)", (True, False)),
        ("return 3", None), ("", None), ("(" * 5000 + ")", None), ("x = 1\x00)", None),
    ],
)  # fmt: skip
def test_wrong_lines(said: str, found: tuple[bool, bool] | None) -> None:
    assert is_call(said, "rates.fee", TAKES, WANTED) == found


def test_nothing_is_run() -> None:
    assert read_call("__import__('os').abort()") is not None
