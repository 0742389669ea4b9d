"""Demonstrations as the tokens that a pretrained model would read and say, by its own template and tool format."""

from __future__ import annotations

from dataclasses import dataclass

from acgym.agents.prompt import PromptBuilder
from acgym.demonstrations import Demonstration
from acgym.train.data import IGNORE
from acgym.types import Message, Reply


@dataclass(frozen=True, slots=True)
class Row:
    """A sequence of tokens, and which of them the agent says."""

    ids: list[int]
    spans: list[tuple[int, int]]
    """(start, end) of each reply in ``ids``, its end-of-turn token included."""

    @property
    def targets(self) -> list[int]:
        """``ids[t + 1]`` at t where the agent says it, else IGNORE; as long as ``ids``."""
        found = [IGNORE] * len(self.ids)
        for start, end in self.spans:
            found[start - 1 : end - 1] = self.ids[start:end]
        return found


def spoken(prompts: PromptBuilder, demonstration: Demonstration) -> list[Row]:
    """Return a demonstration as the model would read and say it.

    Prompts are made as :class:`acgym.agents.local.LocalAgent` makes them while it plays, so that what is learnt is what
    is played. Calls are written in the model's own tool format. A template that only adds to what was said gives one
    row; one that rewrites history (it drops thoughts, say) begins a new row where it does.

    Args:
        prompts: of the model.
        demonstration: whose calls are in any format.
    """
    rows: list[Row] = []
    heard: list[Message] = []
    for message in demonstration.messages:
        if message.role != "assistant":
            heard.append(message)
            continue
        before = prompts.ids(heard, demonstration.tools)
        calls = () if message.reply is None else message.reply.calls
        text = prompts.tools.format.write(calls) if calls else message.content
        said = prompts.tokenizer.encode(text, add_special_tokens=False)
        end = prompts.tokenizer.eos_token_id if prompts.turn_end is None else prompts.turn_end
        said += [] if end is None else [end]
        if not rows or before[: len(rows[-1].ids)] != rows[-1].ids:
            rows.append(Row([], []))
        rows[-1].ids.extend(before[len(rows[-1].ids) :])
        rows[-1].spans.append((len(rows[-1].ids), len(rows[-1].ids) + len(said)))
        rows[-1].ids.extend(said)
        action = "" if message.reply is None else message.reply.action
        reply = Reply(text, action, calls, tuple(before), tuple(said))
        heard.append(Message("assistant", text, reply))
    return rows
