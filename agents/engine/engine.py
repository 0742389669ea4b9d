"""Answers many conversations with one model: each step reads a little of all of them, and whoever is done is served."""

from __future__ import annotations

from dataclasses import dataclass

from acgym.agents.base import AgentFailure
from acgym.agents.engine.kv_pool import Pool, States
from acgym.agents.engine.prefix_cache import PrefixCache, first_block
from acgym.agents.engine.reply_state import Rules
from acgym.agents.engine.request import Conversation, Request
from acgym.agents.engine.serving import Server, out_of_memory
from acgym.agents.engine.speculation import Drafts
from acgym.agents.engine.varlen import Segment, VarlenReader

STATE_BYTES = 1 << 27
"""Bytes for keys and values of all conversations of a small model. A larger one may have twice its weights' bytes up to
1 GiB, or half of them if that is more."""
STEP_TOKENS = 1024
"""Most tokens read in one step: long prompts are read in parts, between the words of others."""
_LOGIT_BYTES = 1 << 26
"""About the most bytes of logits in one step; drafts are shortened to fit."""
_FILLED = 0.8
"""Conversations begin until so much of the memory for keys and values is taken; the rest is for them to grow."""
_SOON = 4
"""A conversation that has rested for fewer steps is expected back: nobody else begins in its place."""
_BLOCKS = 16
"""A block takes at most one part in so many of the memory for keys and values."""


class Engine(Server):
    """Continuous batching: who is done leaves and who waits begins between two steps (Orca, Yu et al., OSDI 2022).

    What one prompt is answered does not depend on what else is read or remembered, up to the rounding of the model's
    arithmetic. Keys and values are kept from turn to turn and shared between prompts that begin alike; where memory is
    short the shortest conversations wait, and what was forgotten is read again.

    Args:
        reader: of the model, see :func:`acgym.agents.engine.varlen.reader_of`.
        rules: how replies are written.
        max_batch: most conversations under way at once.
        drafts: what is known of the replies beforehand; None to draft nothing.
        state_bytes: most bytes of keys and values, exceeded by one step's growth at most and by a conversation that is
            alone; None for what STATE_BYTES says.
    """

    def __init__(
        self,
        reader: VarlenReader,
        rules: Rules,
        max_batch: int,
        drafts: Drafts | None,
        state_bytes: int | None = None,
    ) -> None:
        super().__init__(rules)
        self.reader = reader
        self.max_batch = max_batch
        self.drafts = drafts
        weights = sum(parameter.numel() * parameter.itemsize for parameter in reader.model.parameters())
        self.state_bytes = (
            max(STATE_BYTES, min(2 * weights, 1 << 30), weights // 2) if state_bytes is None else state_bytes
        )
        self.pool = Pool(reader.shapes, self.state_bytes // _BLOCKS)
        self.prefix_cache = PrefixCache()
        self._drafted_tokens = STEP_TOKENS
        self._steps = 0
        self._waiting: list[Request] = []
        self._active: list[Request] = []

    def _unanswered(self) -> list[Request]:
        return [request for request in [*self._active, *self._waiting] if not request.gone]

    def _prepare(self, arrived: list[Request]) -> bool:
        """Let go of who is answered or was given up, and let others begin."""
        self._waiting += arrived
        for request in self._active:
            if request.gone and request.conversation is not None:
                self._rest(request)
        self._active = [request for request in self._active if not request.gone]
        self._waiting = [request for request in self._waiting if not request.gone]
        self._admit()  # before what rests is forgotten: it may be theirs
        self._make_space()
        return bool(self._active)

    def _rest(self, request: Request) -> None:
        """Keep what may go on: the whole of a finished turn. What failed or broke off is given up."""
        conversation, request.conversation = request.conversation, None
        if conversation is not None and request.writing.over and request.failure is None:
            self.prefix_cache.put(conversation, self._steps)
        elif conversation is not None:
            self.prefix_cache.forget(conversation)

    def _make_space(self) -> None:
        """Forget who rests longest, then send the shortest conversations back: they are soonest read again."""
        while self.pool.bytes > self.state_bytes and self.prefix_cache.forget_oldest():
            pass
        while self.pool.bytes > self.state_bytes and len(self._active) > 1:
            self._send_back(min(self._active, key=lambda request: request.length))

    def _admit(self) -> None:
        """Let conversations begin while there is room for keys and values.

        Those whose states are held go on first. Others take no place of a conversation that will soon be back: else
        all would be read again and again in turn. The longest go first, so that they come to their end and free their
        memory.
        """
        used = sum(self.pool.row_bytes(request.length) for request in self._active)
        used += self.prefix_cache.bytes_since(self._steps - _SOON)
        waiting = sorted(self._waiting, key=lambda request: -request.length)  # stable: who came first goes first
        self._waiting = []
        for request in sorted(waiting, key=lambda request: not self.prefix_cache.holds(request.seen)):
            held = self.prefix_cache.holds(request.seen)
            need = 0 if held else self.pool.row_bytes(request.length + 1)
            room = used + need <= _FILLED * self.state_bytes or held
            if self._active and not (room and len(self._active) < self.max_batch):
                self._waiting.append(request)
                continue
            request.conversation = self.prefix_cache.take(request.seen) if held else None
            if request.conversation is not None:
                request.conversation.ids = [*request.ids, *request.writing.said]
                self._expect(request)
            self._active.append(request)
            used += need

    def _send_back(self, request: Request) -> None:
        """Give up the states of a conversation for want of memory; it is read again when there is room."""
        self._active.remove(request)
        if request.conversation is not None:
            self.prefix_cache.forget(request.conversation)
            request.conversation = None
        self._waiting.append(request)

    def _step(self) -> list[Request]:
        """Read a part of every conversation; return the requests that are answered."""
        self._steps += 1
        try:
            parts = self._parts()
            logits = self.reader.read([part.segment for part in parts])
            speaking = [part for part in parts if part.segment.asked]
            chosen, logprobs = self.rules.choose(logits, [(part.request.writing, part.drafted) for part in speaking])
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
            return self._shrink(error)
        self._drafted_tokens = min(STEP_TOKENS, _LOGIT_BYTES // (4 * logits.shape[-1]))
        at = 0
        for part in speaking:
            rows = slice(at, at + part.segment.asked)
            self._take(part, chosen[rows], logprobs[rows])
            at = rows.stop
        return [part.request for part in speaking if part.request.writing.over]

    def _parts(self) -> list[_Part]:
        """Divide a step's tokens: who has least to read comes first, so that nobody's words wait for a long prompt.

        Long prompts are read in chunks beside the words of others (stall-free batching, Agrawal et al. 2403.02310:
        decodes first, then chunks up to the step's budget of tokens).
        """
        parts, left = [], STEP_TOKENS
        most = min(self._drafted_tokens, STEP_TOKENS - len(self._active)) // len(self._active)
        beginning: set[int | None] = set()
        for request in sorted(self._active, key=lambda request: request.to_read):
            if left <= 0:
                break
            conversation = request.conversation or self._begin(request, beginning)
            if conversation is None:
                continue
            if len(conversation.ids) == len(request.ids):  # it will be shared when it has been read
                beginning.add(first_block(conversation.ids))
            self._tell_length(conversation)
            seen = conversation.states.length  # keys and values of ids[:seen] are in the pool
            new = conversation.ids[seen : seen + left]
            left -= len(new)
            drafted: list[int] = []
            whole = seen + len(new) == len(conversation.ids)
            if whole:
                drafted = self._draft(request, conversation, min(left, most))
                left -= len(drafted)
            # The last token and each drafted one are asked for what follows: a right draft gives one token more.
            asked = len(drafted) + 1 if whole else 0
            parts.append(_Part(request, Segment(conversation.states, [*new, *drafted], asked), drafted))
        return parts

    def _begin(self, request: Request, beginning: set[int | None]) -> Conversation | None:
        """Make a request's conversation from what is known of its beginning.

        None if another conversation of this step reads the same beginning: a step later it can be taken over.
        """
        ids = [*request.ids, *request.writing.said]
        long = self.reader.turns_at is not None and len(ids) > self.reader.turns_at
        shared = self.prefix_cache.prefix(ids, long)
        block = first_block(ids)
        if shared is None and block is not None and block in beginning:
            return None
        states = States(self.pool) if shared is None else shared[0].states.first(shared[1], len(ids) + 1)
        conversation = request.conversation = Conversation(ids, states)
        states.make_room(len(ids) + 1)  # all at once, though it is read in parts
        self._expect(request)
        return conversation

    def _tell_length(self, conversation: Conversation) -> None:
        """Have a conversation read anew when it has become so long that the model tells positions in another way."""
        states, turns_at = conversation.states, self.reader.turns_at
        if turns_at is not None and not states.long and len(conversation.ids) > turns_at:
            states.release()
            states.long = True

    def _expect(self, request: Request) -> None:
        """Look up what another agent replied."""
        if self.drafts is not None:
            request.known = self.drafts.reply_to(request.ids)

    def _draft(self, request: Request, conversation: Conversation, most: int) -> list[int]:
        """Guess what comes next, within the room that the reply has."""
        said = request.writing.said
        most = min(most, request.writing.room - len(said) - 1)
        if self.reader.turns_at is not None and not conversation.states.long:
            most = min(most, self.reader.turns_at - len(conversation.ids))
        if most < 1 or self.drafts is None:
            return []
        if len(request.known) > len(said) and list(request.known[: len(said)]) == said:
            return request.writing.allowed(list(request.known[len(said) : len(said) + most]))
        self.drafts.learn(conversation.ids, conversation.learnt, conversation.own)
        conversation.learnt = len(conversation.ids)
        return request.writing.allowed(
            self.drafts.guess(conversation.ids, conversation.own, min(most, conversation.draft))
        )

    def _take(self, part: _Part, chosen: list[int], logprobs: list[float]) -> None:
        """Take over what the model chose as far as the draft was right.

        Speculative decoding (Leviathan et al. 2211.17192, algorithm 1) with a draft q that puts all its probability on
        one token: the model's own choice at each place, greedy or drawn with the place's random number, is kept; the
        first one that is not the drafted token ends the draft. So the reply is what it would be without drafts.
        """
        request, conversation, writing = part.request, part.conversation, part.request.writing
        if len(conversation.ids) == len(request.ids):
            conversation.states.length = len(conversation.ids)
            self.prefix_cache.share(conversation)
        right = 0
        while right < len(part.drafted) and part.drafted[right] == chosen[right]:
            right += 1
        conversation.judge(len(part.drafted), right)
        before = len(writing.said)
        writing.add(chosen[: right + 1], logprobs[: right + 1])
        added = writing.said[before:]
        taken = 0
        while taken < min(right, len(added)) and added[taken] == part.drafted[taken]:
            taken += 1
        # What was read and stands: all before, and the drafted tokens that were taken over.
        conversation.states.length = min(len(conversation.ids) + taken, len(conversation.ids) + len(added) - 1)
        conversation.ids += added

    def _shrink(self, error: Exception) -> list[Request]:
        """Go on with half as many conversations where memory ran out; a conversation that is alone fails."""
        while self.prefix_cache.forget_oldest():
            pass
        if len(self._active) == 1:
            (alone,) = self._active
            alone.failure = AgentFailure(f"out of memory with a prompt of {len(alone.ids)} tokens: {error}")
            return [alone]
        self.max_batch = max(1, len(self._active) // 2)
        for request in self._active[: self.max_batch - 1 : -1]:
            self._send_back(request)
        return []


@dataclass(frozen=True, slots=True)
class _Part:
    """What one request contributes to a step."""

    request: Request
    segment: Segment
    drafted: list[int]

    @property
    def conversation(self) -> Conversation:
        """The request's conversation."""
        assert self.request.conversation is not None
        return self.request.conversation
