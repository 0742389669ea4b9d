"""Heat: temperature and phase of a pure substance by its enthalpy, and how it nears its surroundings."""

from __future__ import annotations

import math

from acgym.envs.world.lab.library import Substance

ON_DEVICE, IN_AIR = 0.1, 0.01
"""Heat flow to a sample, W-like units: J per gram, kelvin and minute; on a device, or in the air of the room."""
ROOM = 20.0
"""Temperature of all rooms, degrees Celsius."""
_CLOSE = 1e-9


def marks(of: Substance) -> tuple[float, float, float]:
    """Return the enthalpies (J/g, 0 is the solid at its melting point) where it is molten, boils, and is vapour."""
    molten = of.fusion
    if of.boils is None or of.vaporisation is None:
        return molten, math.inf, math.inf
    boils = molten + of.warm_liquid * (of.boils - of.melts)
    return molten, boils, boils + of.vaporisation


def temperature(of: Substance, enthalpy: float) -> float:
    """Return the temperature in degrees Celsius at an enthalpy in J/g."""
    molten, boils, _ = marks(of)
    if enthalpy < 0:
        return of.melts + enthalpy / of.warm_solid
    if enthalpy <= molten:
        return of.melts
    if enthalpy < boils:
        return of.melts + (enthalpy - molten) / of.warm_liquid
    assert of.boils is not None
    return of.boils


def enthalpy_at(of: Substance, degrees: float) -> float:
    """Return the enthalpy at a temperature; at the melting point that of the solid, at most where it begins to boil."""
    molten, boils, _ = marks(of)
    if degrees <= of.melts:
        return of.warm_solid * (degrees - of.melts)
    return min(boils, molten + of.warm_liquid * (degrees - of.melts))


def phase(of: Substance, enthalpy: float) -> str:
    """Name the phase: ``solid``, ``partly molten``, ``liquid``, ``boiling`` or ``vapour``."""
    molten, boils, gone = marks(of)
    if enthalpy <= _CLOSE:
        return "solid"
    if enthalpy < molten - _CLOSE:
        return "partly molten"
    if enthalpy <= boils + _CLOSE:
        return "liquid"
    return "boiling" if enthalpy < gone - _CLOSE else "vapour"


def advance(of: Substance, enthalpy: float, around: float, minutes: float, flow: float) -> float:
    """Return the enthalpy after some minutes at a place of temperature ``around`` (degrees Celsius).

    Newton's law of cooling, dh/dt = flow * (around - T(h)), solved in closed form piece by piece: an exponential
    approach inside a phase, a straight line at a melting or boiling point. All vapour is kept at its boiling point by a
    condenser, so that no mass is lost.
    """
    molten, boils, gone = marks(of)
    left, h = minutes, enthalpy
    while left > 0:
        degrees = temperature(of, h)
        if abs(around - degrees) < _CLOSE:
            return h
        rising = around > degrees
        bound, capacity = _piece(of, h, rising, (molten, boils, gone))
        if capacity is None:  # at a melting or boiling point
            if math.isinf(bound):
                return h
            need = (bound - h) / (flow * (around - degrees))
            if need > left:
                return h + flow * (around - degrees) * left
        else:
            end = around if math.isinf(bound) else degrees + (bound - h) / capacity
            reaches = not math.isinf(bound) and ((end < around) if rising else (end > around))
            need = capacity / flow * math.log((around - degrees) / (around - end)) if reaches else math.inf
            if need > left:
                now = around + (degrees - around) * math.exp(-flow * left / capacity)
                return h + capacity * (now - degrees)
        h, left = bound, left - need
    return h


def _piece(of: Substance, h: float, rising: bool, bounds: tuple[float, float, float]) -> tuple[float, float | None]:
    """Return where the piece of the curve ends that lies ahead, and the heat capacity on it (None: a plateau)."""
    molten, boils, gone = bounds
    if rising:
        if h < 0:
            return 0.0, of.warm_solid
        if h < molten:
            return molten, None
        if h < boils:
            return boils, of.warm_liquid
        return (gone, None) if h < gone else (math.inf, None)
    if h <= 0:
        return -math.inf, of.warm_solid
    if h <= molten:
        return 0.0, None
    return (molten, of.warm_liquid) if h <= boils else (boils, None)
