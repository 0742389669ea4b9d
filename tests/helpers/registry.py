"""The environments that tests go over, read from the registry: a new one is tested by being registered."""

from __future__ import annotations

import acgym
from acgym.suites import QUICK, environment_ids, suite_named

IDS = sorted(environment_ids())
"""All environments of acgym's own."""
PLAYED = tuple(suite_named(QUICK))
"""The first environment of each capability, in the order of play."""
LEVELS = (1, 2, 3, 4, 5)

assert acgym.envs, "importing acgym registers them"
