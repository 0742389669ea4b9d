"""The environments that tests go over, read from the registry: a new one is tested by being registered."""

from __future__ import annotations

import acgym
from acgym.envs.world.simulators.base import Simulator
from acgym.rows import RowEnv
from acgym.suites import QUICK, environment_class, environment_ids, suite_named

FROM_FILES = sorted(env_id for env_id in environment_ids() if issubclass(environment_class(env_id), RowEnv))
"""Environments that play the rows of a user's files; their own tests write such files."""
SIMULATED = sorted(env_id for env_id in environment_ids() if issubclass(environment_class(env_id), Simulator))
"""Environments that play a simulator of others, which may not be installed; ``tests/cross`` plays them."""
IDS = sorted(env_id for env_id in environment_ids() if not environment_class(env_id).needs)
"""Environments that generate their tasks and need nothing but acgym."""
PLAYED = tuple(suite_named(QUICK))
"""The first environment of each capability, in the order of play."""
LEVELS = (1, 2, 3, 4, 5)

assert acgym.envs, "importing acgym registers them"
