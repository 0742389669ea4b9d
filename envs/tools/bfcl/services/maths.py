"""The calculator: it keeps nothing. Results are those of Python's own numbers, of ``decimal`` and of ``mpmath``."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, InvalidOperation, localcontext

from acgym.envs.tools.bfcl.services.base import Service
from acgym.types import Json

MAX_PRECISION = 1_000
MAX_BITS = 100_000
"""Largest power that is computed: more digits would be waited for."""
_METRES = {"km": 1000, "m": 1, "cm": 0.01, "mm": 0.001, "um": 1e-6, "nm": 1e-9}
_FACTORS = {
    ("cm", "in"): 0.393701,
    ("in", "cm"): 2.54,
    ("m", "ft"): 3.28084,
    ("ft", "m"): 0.3048,
    ("m", "yd"): 1.09361,
    ("yd", "m"): 0.9144,
    ("km", "miles"): 0.621371,
    ("miles", "km"): 1.60934,
    ("kg", "lb"): 2.20462,
    ("lb", "kg"): 0.453592,
}
_NO_NUMBER = {"error": "the values must be numbers"}


def _computed(value: Callable[[], Json]) -> Json:
    """Return a value as a result; a type that cannot be computed with is an error."""
    try:
        return {"result": value()}
    except TypeError:
        return _NO_NUMBER


def _over(numbers: list[float], value: Callable[[list[float]], Json]) -> Json:
    return _computed(lambda: value(numbers)) if numbers else {"error": "the list is empty"}


def _deviation(numbers: list[float]) -> float:
    mean = sum(numbers) / len(numbers)
    return math.sqrt(sum((one - mean) ** 2 for one in numbers) / len(numbers))


class Maths(Service):
    """The service ``MathAPI``."""

    def logarithm(self, value: float, base: float, precision: int) -> Json:
        """Take a logarithm with so many digits."""
        import mpmath

        if not 0 < precision <= MAX_PRECISION:
            return {"error": f"the precision must be from 1 to {MAX_PRECISION} digits"}
        try:
            with mpmath.workdps(precision):
                return str({"result": mpmath.log(value) / mpmath.log(base)})
        except Exception as error:
            return {"error": str(error)}

    def mean(self, numbers: list[float]) -> Json:
        """Average."""
        return _over(numbers, lambda given: sum(given) / len(given))

    def standard_deviation(self, numbers: list[float]) -> Json:
        """Spread around the mean, of the whole population."""
        return _over(numbers, _deviation)

    def si_unit_conversion(self, value: float, unit_in: str, unit_out: str) -> Json:
        """Convert between metric lengths."""
        if not isinstance(value, int | float):
            return _NO_NUMBER
        if unit_in not in _METRES or unit_out not in _METRES:
            return {"error": f"'{unit_in}' cannot be converted to '{unit_out}'"}
        return {"result": value * _METRES[unit_in] * (1 / _METRES[unit_out])}

    def imperial_si_conversion(self, value: float, unit_in: str, unit_out: str) -> Json:
        """Convert between metric and imperial units."""
        if not isinstance(value, int | float):
            return _NO_NUMBER
        if unit_in == unit_out:
            return {"result": value}
        if (unit_in, unit_out) == ("celsius", "fahrenheit"):
            return {"result": value * 1.8 + 32}
        if (unit_in, unit_out) == ("fahrenheit", "celsius"):
            return {"result": (value - 32) * (5 / 9)}
        if (unit_in, unit_out) not in _FACTORS:
            return {"error": f"'{unit_in}' cannot be converted to '{unit_out}'"}
        return {"result": value * _FACTORS[unit_in, unit_out]}

    def add(self, a: float, b: float) -> Json:
        """Add."""
        return _computed(lambda: a + b)

    def subtract(self, a: float, b: float) -> Json:
        """Subtract."""
        return _computed(lambda: a - b)

    def multiply(self, a: float, b: float) -> Json:
        """Multiply."""
        numbers = isinstance(a, int | float) and isinstance(b, int | float)
        return {"result": a * b} if numbers else _NO_NUMBER

    def divide(self, a: float, b: float) -> Json:
        """Divide."""
        return {"error": "division by zero"} if b == 0 else _computed(lambda: a / b)

    def power(self, base: float, exponent: float) -> Json:
        """Raise to a power."""
        if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * abs(exponent) > MAX_BITS:
            return {"error": "the result is too large"}
        return _computed(lambda: base**exponent)

    def square_root(self, number: float, precision: int) -> Json:
        """Take a square root with so many digits."""
        try:
            if number < 0:
                return {"error": "a negative number has no square root"}
            if not 0 < precision <= MAX_PRECISION:
                raise ValueError(f"the precision must be from 1 to {MAX_PRECISION} digits")
            with localcontext() as context:
                context.prec = precision
                return {"result": Decimal(number).sqrt()}
        except (TypeError, InvalidOperation):
            return _NO_NUMBER

    def absolute_value(self, number: float) -> Json:
        """Drop the sign."""
        return _computed(lambda: abs(number))

    def round_number(self, number: float, decimal_places: int = 0) -> Json:
        """Round."""
        if isinstance(decimal_places, int) and abs(decimal_places) > MAX_PRECISION:
            return {"error": f"the places must be from -{MAX_PRECISION} to {MAX_PRECISION}"}
        return _computed(lambda: round(number, decimal_places))

    def percentage(self, part: float, whole: float) -> Json:
        """Tell how much of a hundred a part is."""
        return {"error": "the whole is zero"} if whole == 0 else _computed(lambda: part / whole * 100)

    def min_value(self, numbers: list[float]) -> Json:
        """Find the smallest."""
        return _over(numbers, min)

    def max_value(self, numbers: list[float]) -> Json:
        """Find the largest."""
        return _over(numbers, max)

    def sum_values(self, numbers: list[float]) -> Json:
        """Add up."""
        return _over(numbers, sum)
