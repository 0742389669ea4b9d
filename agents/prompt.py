"""From a conversation to token ids: the model's own chat template, and no token made twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from acgym.agents.base import AgentFailure
from acgym.agents.render_cache import RenderCache
from acgym.agents.template_date import TEMPLATE_DATE, asks_the_date, on_one_day
from acgym.agents.tool_formats.chat import Guard, Row, Trial, ids_of, settle
from acgym.agents.tool_formats.families import ToolFormat
from acgym.agents.tool_formats.in_words import tools_in_words
from acgym.types import Json, Message, Reply, ToolSpec, calls_to_action

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

Own: TypeAlias = Callable[[int, Message], str]
"""Returns what stands for a turn that goes back in the model's own tokens, given its number."""

_MOST_CHECKED = 4096
"""Most calls of which it is remembered whether the template alters them."""
_PRIVATE_USE = range(0xF0000, 0xFFFFE)
"""Unicode code points without a meaning; one that no message holds marks where a text is cut before tokenising."""
_CUT = chr(_PRIVATE_USE[0])


class PromptBuilder:
    """Renders conversations with a tokenizer's chat template.

    A conversation that the template cannot render is no fault of the model: :class:`AgentFailure` says what it raised.

    Templates differ in what they accept; what this one accepts is found out once, when the builder is made:

    * one that does not show tools gets them in words, in front of the first message;
    * one that refuses or drops the ``tool`` role gets tool results as user messages;
    * one that refuses or drops the ``system`` role gets system text in front of the first user message.

    So user and assistant messages alternate wherever they alternate in the conversation. All three are said in
    :attr:`facts`, which goes into the run's record. How tool calls are read and written is found out too:
    :attr:`tools`.

    Args:
        tokenizer: a transformers tokenizer with a chat template.
        where: names the model in errors.
        tool_format: name of the format in which the model writes tool calls, one of
            :data:`acgym.agents.tool_formats.families.FORMATS`; None to tell it from the template.

    Raises:
        ValueError: if there is no chat template, or it cannot render a user's message and its answer, or there is no
            tool format of that name.
    """

    def __init__(self, tokenizer: Any, where: str, tool_format: str | None = None) -> None:
        if not getattr(tokenizer, "chat_template", None):
            raise ValueError(
                f"{where} has no chat template, so a conversation cannot be put to it. Expected chat_template.jinja or "
                "'chat_template' in tokenizer_config.json; use the instruction-tuned version of the model, or add one."
            )
        self.tokenizer = tokenizer
        self._where = where
        self._rendered = RenderCache()
        added: dict[int, Any] = tokenizer.added_tokens_decoder
        self._special = {id_ for id_, token in added.items() if token.special} | set(tokenizer.all_special_ids)
        strings = sorted({tokenizer.convert_ids_to_tokens(id_) for id_ in self._special}, key=len, reverse=True)
        self._altered: dict[str, bool] = {}
        self._special_strings = re.compile("|".join(map(re.escape, strings)) if strings else r"(?!)")
        self._last_special = re.compile(rf"({self._special_strings.pattern})\s*\Z")
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
        self._trial = Trial(tokenizer, self._try, self._decode, self._encode, self._guard(_CUT))
        self.tools = settle(self._trial, self.shows_tools, tool_format)
        """How the model's tool calls are read, and how they go back to it."""
        self.call_ends = ids_of(tokenizer, self.tools.format.stops)
        """Tokens that end a turn with a call, beside :attr:`turn_end`."""

    @property
    def facts(self) -> dict[str, Json]:
        """What the template accepts, and the date that it is told if it asks for one."""
        dated = asks_the_date(str(self.tokenizer.chat_template))
        return {
            "template_shows_tools": self.shows_tools,
            "template_takes_tool_role": self.takes_tool_role,
            "template_takes_system_role": self.takes_system_role,
            **({"template_date": TEMPLATE_DATE.date().isoformat()} if dated else {}),
        }

    def render(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        guard: Guard = str,
        open_turn: bool = True,
        own: Own | None = None,
    ) -> str:
        """Return the prompt text.

        Args:
            messages: the conversation.
            tools: the tools that may be called.
            guard: is applied to every text of the messages.
            open_turn: whether the text ends with the header of the assistant's next message.
            own: writes the turns of :meth:`kept`; None to write what was said there.
        """
        chat: list[Row] = []
        ahead = ""  # what goes in front of the next message that is shown
        called: Reply | None = None  # the turn whose calls went into a field of their own, until they are answered
        if tools and not self.shows_tools:
            ahead = tools_in_words(tools, self.tools.format) + "\n\n"
        for at, message in enumerate(messages):
            if message.role == "system" and not self.takes_system_role:
                ahead += guard(message.content) + "\n\n"
            elif message.role == "tool" and called is not None:
                chat += self.tools.results(called, at - 1, message.content, guard)
            elif self.kept(message):
                chat.append(
                    {"role": message.role, "content": guard(message.content) if own is None else own(at, message)}
                )
            elif message.reply is not None and self.tools.in_fields(message.reply):
                chat.append(self.tools.turn(message.reply, at, guard))
            else:
                role = "user" if message.role == "tool" and not self.takes_tool_role else message.role
                chat.append({"role": role, "content": ahead + guard(self.tools.words(message))})
                ahead = ""
            called = message.reply if self.tools.in_fields(message.reply) else None
        shown = [dict(tool) for tool in tools] if tools and self.shows_tools else None
        return self._rendered_or_failed(chat, shown, open_turn)

    def kept(self, message: Message) -> bool:
        """Whether a turn goes back in the model's own tokens because the template would alter its calls.

        A template that quotes text with ``'`` and does not escape it, for one, makes another call of ``it's``.
        """
        reply = message.reply
        if reply is None or not self.tools.keeps or not self.tools.in_fields(reply):
            return False
        action = calls_to_action(reply.calls)
        if action not in self._altered:
            if len(self._altered) >= _MOST_CHECKED:
                self._altered.clear()
            self._altered[action] = not self._trial.reads(self.tools, reply.calls)
        return self._altered[action]

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
        guard = self._guard(cut)

        def own(at: int, message: Message) -> str:
            """Hold the place of a turn's tokens; a guard never cuts twice at one place."""
            kept = message.reply is not None and message.content == message.reply.text and self._own(message.reply)
            return f"{2 * cut}{at}{2 * cut}" if kept else guard(message.content)

        text = self.render(messages, tools, guard, own=own)
        self._rendered.put(messages, tools, cut, text)
        for i in range(len(messages) - 1, -1, -1):
            reply = messages[i].reply
            if reply is None or reply.prompt_ids is None or not reply.token_ids:
                continue
            after = self._after(messages[: i + 1], tools, text, guard, cut, own)
            if messages[i].content != reply.text or after is None:
                break
            said = self._own(reply)
            if said is None:
                spoken = guard(reply.text) + after
                if not text.endswith(spoken):
                    break
                return [*reply.prompt_ids, *self._encode(spoken, cut, messages)]
            return [*reply.prompt_ids, *said, *self._encode(after, cut, messages)]
        return self._encode(text, cut, messages)

    def _own(self, reply: Reply) -> list[int] | None:
        """Return the tokens of a reply without its end, which the template writes; None if a stop text was cut off."""
        said = list(reply.token_ids or ())
        if said and reply.finish_reason == "stop":
            if said[-1] in self._special or self.said(said[:-1]) == reply.text:
                return said[:-1]
            return said if self.said(said) == reply.text else None
        return said or None

    def said(self, ids: Sequence[int]) -> str:
        """Return a model's words without special tokens, except those that belong to its tool calls."""
        return self._decode(ids, self.tools.format)

    def _after(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], text: str, guard: Guard, cut: str, own: Own
    ) -> str | None:
        """Return what stands in ``text`` behind the last of ``messages``; None if it was not taken up as it was said.

        A template may trim a turn, or write its calls with other spaces than the model; then the turn's end is found
        by writing the conversation up to there.
        """
        said, at = messages[-1], len(messages) - 1
        head = self._rendered.take(messages[:-1], tools, cut, lambda: self.render(messages[:-1], tools, guard, own=own))
        kept = self.kept(said)
        before = head + (own(at, said) if kept else guard(said.content))
        if (kept or not self.tools.in_fields(said.reply)) and text.startswith(before):
            return text[len(before) :]
        whole = self.render(messages, tools, guard, open_turn=False, own=own)
        ends = self.call_ends | ({self.turn_end} - {None})
        end = max((whole.rfind(self.tokenizer.convert_ids_to_tokens(id_)) for id_ in ends), default=-1)
        if end < len(head):  # the special token at the end, unless that is a mark of a call
            last = self._last_special.search(whole)
            end = last.start() if last and last[1] not in self.tools.format.marks else len(whole.rstrip())
        taken_up = whole.startswith(head) and text.startswith(whole[:end])
        written = self.said(self._encode(whole[len(head) : end], cut, messages)) if taken_up else ""
        return text[end:] if taken_up and self.tools.says_the_same(written, said.content) else None

    def _guard(self, cut: str) -> Guard:
        """Return what cuts every special token that a text spells after its first character."""
        return lambda text: self._special_strings.sub(lambda match: match[0][0] + cut + match[0][1:], text)

    def _decode(self, ids: Sequence[int], syntax: ToolFormat) -> str:
        """Decode without special tokens, except the marks of a tool format."""
        marks = ids_of(self.tokenizer, syntax.marks)
        if marks.isdisjoint(ids):
            return str(self.tokenizer.decode(list(ids), skip_special_tokens=True))
        return str(self.tokenizer.decode([i for i in ids if i in marks or i not in self._special]))

    def _encode(self, text: str, cut: str = _CUT, messages: Sequence[Message] = ()) -> list[int]:
        """Tokenise the parts between cuts one by one; where a turn's place is held, its own tokens come in."""
        ids: list[int] = []
        for number, piece in enumerate(re.split(f"{2 * cut}([0-9]+){2 * cut}", text)):
            if number % 2:
                reply = messages[int(piece)].reply
                ids += (self._own(reply) if reply is not None else None) or []
                continue
            for part in piece.split(cut):
                # verbose: it would foretell "indexing errors" of long prompts, whose length is seen to elsewhere
                ids += self.tokenizer.encode(part, add_special_tokens=False, verbose=False)
        return ids

    def _rendered_or_failed(self, chat: list[Row], tools: list[ToolSpec] | None, open_turn: bool) -> str:
        """Render a conversation that has to be rendered; templates raise whatever they like."""
        try:
            return self._apply(chat, tools, open_turn)
        except MemoryError:
            raise
        except Exception as error:
            why = " ".join(f"{type(error).__name__}: {error}".split())
            raise AgentFailure(
                f"the chat template of {self._where} cannot render message {len(chat)} of a conversation: {why}"
            ) from error

    def _apply(self, chat: list[Row], tools: list[ToolSpec] | None, open_turn: bool) -> str:
        """Render with the chat template, on the same day whenever it is asked."""
        template = on_one_day(self.tokenizer.get_chat_template(tools=tools))
        text = self.tokenizer.apply_chat_template(
            chat, tools=tools, chat_template=template, tokenize=False, add_generation_prompt=open_turn
        )
        return str(text)

    def _try(self, chat: list[Row], tools: list[ToolSpec] | None = None, open_turn: bool = False) -> str:
        """Render, or return nothing if the template refuses; templates raise whatever they like."""
        self._refusal = ""
        try:
            return self._apply(chat, tools, open_turn)
        except Exception as error:
            self._refusal = f"{type(error).__name__}: {error}"
            return ""


def _unused(messages: Sequence[Message]) -> str:
    """Return a private-use character that no message holds."""
    return next(c for c in map(chr, _PRIVATE_USE) if not any(c in message.content for message in messages))
