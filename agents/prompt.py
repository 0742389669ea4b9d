"""From a conversation to token ids: the model's own chat template, and no token made twice."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from acgym.types import Message, ToolSpec

_PROBE_TOOL: ToolSpec = {
    "type": "function",
    "function": {
        "name": "acgym_probe_tool",
        "description": "Probe.",
        "parameters": {"type": "object", "properties": {}, "required": []},
    },
}
_PROBE = "acgym probe"
_ASK, _ANSWER = {"role": "user", "content": "x"}, {"role": "assistant", "content": _PROBE}

_TOOLS_IN_WORDS = """\
You can call these tools:
{tools}
To call one, reply with
<tool_call>
{{"name": TOOL, "arguments": {{...}}}}
</tool_call>"""

_PRIVATE_USE = range(0xF0000, 0xFFFFE)
"""Unicode code points without a meaning; one that no message holds marks where a text is cut before tokenising."""


class PromptBuilder:
    """Renders conversations with a tokenizer's chat template.

    Templates differ in what they accept; what this one accepts is found out once, when the builder is made:

    * one that does not show tools gets them in words, in front of the first message;
    * one that refuses or drops the ``tool`` role gets tool results as user messages;
    * one that refuses or drops the ``system`` role gets system text in front of the first user message.

    So user and assistant messages alternate wherever they alternate in the conversation. All three are said in
    :attr:`facts`, which goes into the run's record.

    Args:
        tokenizer: a transformers tokenizer with a chat template.
        where: names the model in errors.

    Raises:
        ValueError: if there is no chat template, or it cannot render a user's message and its answer.
    """

    def __init__(self, tokenizer: Any, where: str) -> None:
        if not getattr(tokenizer, "chat_template", None):
            raise ValueError(
                f"{where} has no chat template, so a conversation cannot be put to it. Expected chat_template.jinja or "
                "'chat_template' in tokenizer_config.json; use the instruction-tuned version of the model, or add one."
            )
        self.tokenizer = tokenizer
        added: dict[int, Any] = tokenizer.added_tokens_decoder
        self._special = {id_ for id_, token in added.items() if token.special} | set(tokenizer.all_special_ids)
        strings = sorted({tokenizer.convert_ids_to_tokens(id_) for id_ in self._special}, key=len, reverse=True)
        self._special_strings = re.compile("|".join(map(re.escape, strings)) if strings else r"(?!)")
        talk = self._try([_ASK, _ANSWER])
        if _PROBE not in talk:
            raise ValueError(
                f"the chat template of {where} cannot render a user's message and its answer, which every conversation "
                f"here consists of. Rendering them failed or left the answer out: {self._refusal or repr(talk[:200])}"
            )
        self.shows_tools = "acgym_probe_tool" in self._try([_ASK], [_PROBE_TOOL])
        self.takes_tool_role = _PROBE in self._try(
            [_ASK, {"role": "assistant", "content": "y"}, {"role": "tool", "content": _PROBE}]
        )
        self.takes_system_role = _PROBE in self._try([{"role": "system", "content": _PROBE}, _ASK])
        after = self._encode(talk[talk.rindex(_PROBE) + len(_PROBE) :].lstrip())
        self.turn_end: int | None = after[0] if after and after[0] in self._special else None
        """The special token that the template writes after an assistant's words; None if it writes none."""

    @property
    def facts(self) -> dict[str, bool]:
        """What the template accepts."""
        return {
            "template_shows_tools": self.shows_tools,
            "template_takes_tool_role": self.takes_tool_role,
            "template_takes_system_role": self.takes_system_role,
        }

    def render(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> str:
        """Return the prompt text, up to and including the header of the assistant's next message."""
        chat: list[dict[str, str]] = []
        ahead = ""  # what goes in front of the next message that is shown
        if tools and not self.shows_tools:
            listed = "\n".join(json.dumps(tool.get("function", tool), ensure_ascii=False) for tool in tools)
            ahead = _TOOLS_IN_WORDS.format(tools=listed) + "\n\n"
        for message in messages:
            if message.role == "system" and not self.takes_system_role:
                ahead += message.content + "\n\n"
                continue
            role = "user" if message.role == "tool" and not self.takes_tool_role else message.role
            chat.append({"role": role, "content": ahead + message.content})
            ahead = ""
        shown = [dict(tool) for tool in tools] if tools and self.shows_tools else None
        return str(self.tokenizer.apply_chat_template(chat, tools=shown, tokenize=False, add_generation_prompt=True))

    def ids(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> list[int]:
        """Return the prompt's token ids.

        Decoding and encoding again is not the identity, so the tokens up to the last reply are taken from that reply;
        only the text after it is tokenised. Where a template rewrites history (drops a model's thinking, say), the
        whole prompt is tokenised. Where a reply ended with another stop token than the one that the template writes,
        the template's takes its place.

        Special tokens come from the template alone: a message that spells one (``<|im_end|>``) is tokenised as
        ordinary characters, so that no observation can end a turn. Tool specs are not guarded in this way.
        """
        cut = _unused(messages)
        guarded = [self._guard(message, cut) for message in messages]
        text = self.render(guarded, tools)
        for i in range(len(messages) - 1, -1, -1):
            reply = messages[i].reply
            if reply is None or reply.prompt_ids is None or not reply.token_ids:
                continue
            before = self.render(guarded[:i], tools) + guarded[i].content
            if messages[i].content != reply.text or not text.startswith(before):
                break
            said = list(reply.token_ids)
            if reply.finish_reason == "stop" and said[-1] in self._special:
                said.pop()  # the template writes the end of a turn itself
            return [*reply.prompt_ids, *said, *self._encode(text[len(before) :], cut)]
        return self._encode(text, cut)

    def _guard(self, message: Message, cut: str) -> Message:
        """Cut every special token that the message spells after its first character."""
        content = self._special_strings.sub(lambda match: match[0][0] + cut + match[0][1:], message.content)
        return Message(message.role, content)

    def _encode(self, text: str, cut: str = chr(_PRIVATE_USE[0])) -> list[int]:
        """Tokenise the parts between cuts one by one."""
        ids: list[int] = []
        for part in text.split(cut):
            ids += self.tokenizer.encode(part, add_special_tokens=False)
        return ids

    def _try(self, chat: list[dict[str, str]], tools: list[ToolSpec] | None = None) -> str:
        """Render, or return nothing if the template refuses; templates raise whatever they like."""
        self._refusal = ""
        try:
            return str(self.tokenizer.apply_chat_template(chat, tools=tools, tokenize=False))
        except Exception as error:
            self._refusal = f"{type(error).__name__}: {error}"
            return ""


def _unused(messages: Sequence[Message]) -> str:
    """Return a private-use character that no message holds."""
    return next(c for c in map(chr, _PRIVATE_USE) if not any(c in message.content for message in messages))
