"""Asks an engine many prompts at once."""

from __future__ import annotations

import asyncio


def answers(made, all_prompts, limits=12):
    """Ask all at once."""
    limits = [limits] * len(all_prompts) if isinstance(limits, int) else limits

    async def everyone():
        return await asyncio.gather(*(made.answer(p, n) for p, n in zip(all_prompts, limits, strict=True)))

    return [said.token_ids for said in asyncio.run(everyone())]
