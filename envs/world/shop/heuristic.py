"""The simple heuristic of the shop: search for the whole request, take the first result, click what is named."""

from __future__ import annotations

import re
from collections.abc import Sequence

_RESULT = re.compile(r"^(B\d{4}): .*?(?:from )?\$(\d+)\.\d\d, rated", re.MULTILINE)
_OPTION = re.compile(r"^Option [a-z ]+ \(nothing chosen\): (.+)$", re.MULTILINE)
_PRICE = re.compile(r"\$(\d+)")


def first_result(told: Sequence[str]) -> str:
    """Return the next action of a buyer who compares words.

    It searches for all words of the request, opens the first result whose price is within the last sum that the request
    names (or the first of all), chooses of each option the value that the request says last, and buys.
    """
    request = told[0].rpartition("\nRequest: ")[2]
    now = told[-1]
    if len(told) == 1:
        return f"Action: search[{' '.join(re.findall('[A-Za-z0-9-]+', request))[:280]}]"
    listed = _RESULT.findall(now)
    if now.startswith("Results for") and listed:
        sums = _PRICE.findall(request)
        most = int(sums[-1]) if sums else 0
        code = next((code for code, price in listed if int(price) <= most), listed[0][0])
        return f"Action: click[{code}]"
    low = request.lower()
    for line in _OPTION.findall(now):
        said = [(found.start(), value) for value in line.split(" | ") for found in _said(value, low)]
        if said:
            return f"Action: click[{max(said)[1]}]"
    return "Action: click[buy]"


def _said(value: str, request: str) -> list[re.Match[str]]:
    return list(re.finditer(rf"(?<![a-z0-9.]){re.escape(value.lower())}(?![a-z0-9])", request))
