"""Whether a ticket is solved: the data's assertions on account and phone, and the calls that it asks for by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from acgym.envs.tools.telecom.world import World
from acgym.types import Call, Json

BASES = frozenset(("ENV_ASSERTION", "ACTION"))
"""What a reward may rest on here; others need a user, a judge model or another domain's tables."""


def verdict(world: World, criteria: Mapping[str, Json], called: Sequence[Call]) -> str | None:
    """Judge a task as it stands.

    Args:
        world: account and phone.
        criteria: the data's ``evaluation_criteria``: its ``reward_basis`` says whether ``env_assertions`` count
            (``ENV_ASSERTION``), the calls of ``actions`` (``ACTION``), or both.
        called: every call of a known tool so far, also those that were refused.

    Returns:
        None if it is solved; ``"missing_action"`` if a call that counts was not made, else ``"unsolved"``.
    """
    basis = criteria["reward_basis"]
    if "ACTION" in basis and not all(_made(action, called) for action in criteria["actions"] or ()):
        return "missing_action"
    held = "ENV_ASSERTION" not in basis or all(world.holds(one) for one in criteria["env_assertions"] or ())
    return None if held else "unsolved"


def _made(action: Mapping[str, Json], called: Sequence[Call]) -> bool:
    """Whether a call was made, with the arguments that ``compare_args`` names, or with equal ones if it is null."""
    compared = action.get("compare_args")
    wanted = action["arguments"]
    for call in called:
        if call.name != action["name"]:
            continue
        if compared is None and dict(call.arguments) == wanted:
            return True
        if compared is not None and all(call.arguments.get(name) == wanted.get(name) for name in compared):
            return True
    return False
