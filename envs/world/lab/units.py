"""Units that instruments show and answers are given in, and how they convert."""

from __future__ import annotations

import re

FACTORS = {
    "g": ("mass", 1.0), "kg": ("mass", 1000.0), "mg": ("mass", 0.001), "oz": ("mass", 28.349523125),
    "lb": ("mass", 453.59237),
    "cm": ("length", 1.0), "mm": ("length", 0.1), "in": ("length", 2.54), "m": ("length", 100.0),
    "ml": ("volume", 1.0), "cm3": ("volume", 1.0), "l": ("volume", 1000.0), "fl oz": ("volume", 29.5735295625),
    "g/cm3": ("density", 1.0), "g/ml": ("density", 1.0), "kg/l": ("density", 1.0), "kg/m3": ("density", 0.001),
    "oz/in3": ("density", 1.7299940), "ohm": ("resistance", 1.0), "kohm": ("resistance", 1000.0),
    "mohm": ("resistance", 0.001), "mol/l": ("concentration", 1.0), "mmol/l": ("concentration", 0.001),
}  # fmt: skip
"""Unit -> the quantity that it measures, and how many of the first unit of its kind it is."""
SAID = {
    "grams": "g", "gram": "g", "kilograms": "kg", "kilogram": "kg", "ounces": "oz", "ounce": "oz", "pounds": "lb",
    "pound": "lb", "lbs": "lb", "milligrams": "mg", "centimetres": "cm", "centimeters": "cm", "inches": "in",
    "inch": "in", "millilitres": "ml", "milliliters": "ml", "mls": "ml", "millimetres": "mm",
    "millimeters": "mm", "cc": "ml", "cm³": "cm3", "cm^3": "cm3",
    "litres": "l", "liters": "l", "litre": "l", "liter": "l", "g/cm³": "g/cm3", "g/cm^3": "g/cm3", "g/cc": "g/cm3",
    "kg/m³": "kg/m3", "kg/m^3": "kg/m3", "kg/l": "kg/l", "g/ml": "g/ml", "ω": "ohm", "ohms": "ohm", "kω": "kohm",
    "kilohm": "kohm", "kilohms": "kohm", "kilo-ohm": "kohm", "kilo-ohms": "kohm", "milliohm": "mohm",
    "milliohms": "mohm", "m": "m", "°c": "C", "c": "C", "celsius": "C", "degrees celsius": "C", "°f": "F", "f": "F",
    "fahrenheit": "F", "degrees fahrenheit": "F", "k": "K", "kelvin": "K", "kelvins": "K", "degrees c": "C",
    "degrees f": "F", "degrees": "", "°": "", "mol/l": "mol/l", "m/l": "mol/l", "mmol/l": "mmol/l",
    "kg per cubic metre": "kg/m3", "kg per cubic meter": "kg/m3", "kilograms per cubic metre": "kg/m3",
    "kilograms per cubic meter": "kg/m3", "grams per cubic centimetre": "g/cm3", "grams per cubic centimeter": "g/cm3",
    "g per cubic centimetre": "g/cm3", "g per cubic centimeter": "g/cm3", "g per cm3": "g/cm3", "g per cm³": "g/cm3",
    "kg per m3": "kg/m3", "kg per m³": "kg/m3", "grams per ml": "g/ml", "g per ml": "g/ml",
    "deg c": "C", "deg f": "F", "oz/in³": "oz/in3", "oz/in^3": "oz/in3",
}  # fmt: skip
"""Other ways to write a unit, in small letters -> the unit; the empty text for one that leaves it open."""
SCALES = ("C", "F", "K")
SHOWN = {"C": "°C", "F": "°F", "K": "K", "ohm": "ohms", "kohm": "kilohms", "g/cm3": "g/cm³", "kg/m3": "kg/m³"}
NUMBER = re.compile(
    r"[-−–]?(?:\d{1,3}(?:,\d{3}){1,4}|\d{1,15})(?:\.\d{1,15})?(?:e[-+]?\d{1,2})?|[-−–]?\.\d{1,15}", re.IGNORECASE
)


def from_celsius(degrees: float, unit: str) -> float:
    """Return a temperature in ``C``, ``F`` or ``K``."""
    return {"C": degrees, "F": degrees * 9 / 5 + 32, "K": degrees + 273.15}[unit]


def to_celsius(value: float, unit: str) -> float:
    """Return degrees Celsius."""
    return {"C": value, "F": (value - 32) * 5 / 9, "K": value - 273.15}[unit]


def convert(value: float, unit: str, into: str) -> float | None:
    """Convert between two units; None where they measure different things."""
    if unit == into:
        return value
    if unit in SCALES or into in SCALES:
        return from_celsius(to_celsius(value, unit), into) if unit in SCALES and into in SCALES else None
    (kind, factor), (other, divisor) = FACTORS[unit], FACTORS[into]
    return value * factor / divisor if kind == other else None


def unit_named(text: str) -> str | None:
    """Return the unit that a text names; the empty text where it leaves it open, None where it is no unit."""
    name = " ".join(text.strip(" .,;!*_`").split())
    if name in FACTORS or name in SCALES:
        return name
    small = name.lower()
    return SAID.get(small, small if small in FACTORS else None)


def shown(unit: str) -> str:
    """Write a unit as people read it."""
    return SHOWN.get(unit, unit)


def spelled(unit: str) -> str:
    """Write a unit as it reads within a sentence: "in inches", not "in in"."""
    return {"in": "inches", "mm": "millimetres", "cm": "centimetres", "K": "kelvins"}.get(unit, shown(unit))


def number_of(text: str) -> float:
    """Return the value of a match of ``NUMBER``."""
    return float(text.replace(",", "").replace("−", "-").replace("–", "-"))
