"""Asks a server that may be slow, busy, broken or hostile: JSON goes in, and checked JSON or a failure comes out."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, TypeVar

from acgym.agents.background_loop import BackgroundLoop
from acgym.agents.base import AgentFailure
from acgym.agents.remote.spec import Endpoint, Key, Limits
from acgym.text import NotJson, excerpt, read_json
from acgym.types import Json

if TYPE_CHECKING:
    import httpx2
    from tenacity import RetryCallState

T = TypeVar("T")

_PASSING = frozenset((408, 409, 425, 429))
"""Statuses below 500 that may pass; from 500 on, all may."""
_OVERFULL = (
    "context_length_exceeded",
    "context length exceeded",
    "exceed_context_size",
    "maximum context length",
    "model's context length",
    "available context size",
    "context window",
)
"""How servers (OpenAI's, vLLM, SGLang, llama.cpp and their like) say that a conversation is too long."""
_ERROR_BYTES = 4096
_ERROR_CHARS = 300


class BadAnswer(ValueError):
    """A JSON body that is not what the protocol says."""


class Refused(AgentFailure):
    """The server refuses a request and would refuse it again: a wrong key, model, address or argument."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"the server refused the request with status {status}: {said}")
        self.status = status
        self.said = said


class TooLong(Refused):
    """The conversation does not fit into the model's context window."""


class Unanswered(AgentFailure):
    """No answer that could be used came within the limits."""


class _Passing(Exception):
    """What went wrong with one request, and may go well with the next one."""

    def __init__(self, what: str, wait: float = 0.0) -> None:
        super().__init__(what)
        self.wait = wait
        """Seconds for which the server asked to be left alone."""


class Caller:
    """Sends requests for chat completions to one endpoint, from any event loop.

    Nothing that comes back is trusted: a body is read up to a size, decoded strictly, parsed without running anything
    and handed to the reader, redirects are not followed, cookies are not kept, compressed bodies (which may be bombs)
    are not taken. What may pass (statuses 408, 409, 425, 429 and from 500 on, broken connections, silence, bodies that
    are damaged or wrong) is tried again: waits are drawn evenly below a bound that doubles (full jitter), and are never
    shorter than ``Retry-After``. A request holds its place among ``limits.concurrency`` while it waits, so that a busy
    server is asked less. Once a request was given up, later ones are sent once only, until one is answered.

    Args:
        endpoint: where to.
        limits: how patiently.
        key: sent as a bearer token; never in an error, a record or a log.
    """

    def __init__(self, endpoint: Endpoint, limits: Limits, key: Key | None = None) -> None:
        self.endpoint = endpoint
        self.limits = limits
        self.counts: Counter[str] = Counter()
        """``requests`` sent, and the ``retries`` among them."""
        self._key = key
        self._own = BackgroundLoop("acgym-remote")
        self._pool: httpx2.AsyncClient | None = None
        self._places = asyncio.Semaphore(limits.concurrency)
        self._given_up = False

    async def ask(self, body: Mapping[str, Json], read: Callable[[Json], T]) -> T:
        """Send a request and return what ``read`` makes of the answer.

        Args:
            body: JSON; lone surrogates in it are sent as escapes.
            read: checks and reads the answer's JSON; raises :class:`BadAnswer` for what it cannot use.

        Raises:
            Refused: if it makes no sense to ask again; :class:`TooLong` for want of context.
            Unanswered: if no usable answer came within the limits; the message says what came last.
        """
        return await self._own.run(self._patiently(_encoded(body), read))

    def wait_for(self, body: Mapping[str, Json], read: Callable[[Json], T]) -> T:
        """Do what :meth:`ask` does, and block meanwhile."""
        return self._own.wait(self._patiently(_encoded(body), read))

    def close(self) -> None:
        """Close the connections."""
        self._own.close()

    async def _patiently(self, body: bytes, read: Callable[[Json], T]) -> T:
        from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, stop_before_delay

        async with self._places:
            tries = AsyncRetrying(
                retry=retry_if_exception_type(_Passing),
                stop=stop_after_attempt(1 if self._given_up else self.limits.retries + 1)
                | stop_before_delay(self.limits.patience),
                wait=self._wait,
                before_sleep=self._count_retry,
                reraise=True,
            )
            started = time.monotonic()
            try:
                found: T = await tries(self._once, body, read)
            except _Passing as last:
                self._given_up = True
                sent = int(tries.statistics["attempt_number"])
                after = f"after {sent} {'request' if sent == 1 else 'requests'} in {time.monotonic() - started:.1f} s"
                raise Unanswered(f"no usable answer from {self.endpoint.url} {after}; the last: {last}") from None
            except Refused:
                self._given_up = False
                raise
            self._given_up = False
            return found

    def _wait(self, state: RetryCallState) -> float:
        """Return the seconds until the next request."""
        from tenacity import wait_random_exponential

        drawn = wait_random_exponential(multiplier=self.limits.first_wait, max=self.limits.longest_wait)(state)
        error = state.outcome.exception() if state.outcome is not None else None
        return max(drawn, error.wait if isinstance(error, _Passing) else 0.0)

    def _count_retry(self, state: RetryCallState) -> None:
        self.counts["retries"] += 1

    async def _once(self, body: bytes, read: Callable[[Json], T]) -> T:
        """Send one request.

        Raises:
            _Passing, Refused: see :meth:`ask`.
        """
        import httpx2

        self.counts["requests"] += 1
        client = self._client()
        try:
            async with (
                asyncio.timeout(self.limits.timeout),
                client.stream("POST", self.endpoint.chat, content=body) as response,
            ):
                if response.status_code // 100 != 2:
                    raise await self._error(response)
                answer = await self._body(response)
        except TimeoutError:
            raise _Passing(f"no whole answer within {self.limits.timeout:g} s") from None
        except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL) as error:
            raise _Passing(f"{type(error).__name__} {self._quoted(str(error))}") from None
        try:
            found = read_json(answer.decode("utf-8"))
            return read(found if self._key is None else self._key.hidden_within(found))
        except UnicodeDecodeError as error:
            raise _Passing(f"a body that is no UTF-8 from byte {error.start} on") from None
        except (NotJson, BadAnswer) as error:
            raise _Passing(f"a body that is no {'JSON' if isinstance(error, NotJson) else 'reply'}: {error}") from None

    async def _body(self, response: httpx2.Response) -> bytes:
        """Read a body of the right type and of a bearable size."""
        kind = response.headers.get("content-type", "")
        if kind.partition(";")[0].strip().lower() != "application/json":
            raise _Passing(f"a body of type {self._quoted(kind)}; expected application/json")
        if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
            raise _Passing("a compressed body, which was not asked for")
        body = b"".join([piece async for piece in _up_to(response, self.limits.max_bytes + 1)])
        if len(body) > self.limits.max_bytes:
            raise _Passing(f"a body of more than {self.limits.max_bytes:,} bytes")
        return body

    async def _error(self, response: httpx2.Response) -> _Passing | Refused:
        """Say what a response without success means."""
        status = response.status_code
        if status // 100 == 3:
            where = self._quoted(response.headers.get("location", ""))
            return Refused(
                status, f"it points to {where}; no redirect is followed, so name that address if you trust it"
            )
        said = b"".join([piece async for piece in _up_to(response, _ERROR_BYTES)])[:_ERROR_BYTES]
        body = said.decode("utf-8", "replace")
        words = self._quoted(_message(body))
        if status < 500 and status not in _PASSING:
            overfull = any(sign in body.lower() for sign in _OVERFULL)
            return (TooLong if overfull else Refused)(status, words)
        return _Passing(f"status {status}: {words}", _retry_after(response.headers.get("retry-after", "")))

    def _quoted(self, text: str) -> str:
        """Quote a server's words on one plain line, without the key."""
        return excerpt(text if self._key is None else self._key.hidden_in(text), _ERROR_CHARS)

    def _client(self) -> httpx2.AsyncClient:
        """Return the pool of connections, opened at the first request and closed when the loop ends."""
        if self._pool is None:
            self._pool = _pool(self.endpoint, self.limits, self._key)
            self._own.attach(_close_at_the_end(self._pool))
        return self._pool


def _pool(endpoint: Endpoint, limits: Limits, key: Key | None) -> httpx2.AsyncClient:
    """Make a pool of connections that follows no redirect and keeps no cookie."""
    import httpx2

    headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key.secret}"
    return httpx2.AsyncClient(
        headers=headers,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        timeout=httpx2.Timeout(limits.timeout, connect=min(limits.timeout, 10.0)),
        limits=httpx2.Limits(max_connections=limits.concurrency, max_keepalive_connections=limits.concurrency),
        follow_redirects=False,
        trust_env=not endpoint.is_loopback,  # a proxy does not know the way to this machine
    )


async def _close_at_the_end(pool: httpx2.AsyncClient) -> None:
    """Close a pool when this task is cancelled; it knows nothing of its owner, which may go before."""
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        await pool.aclose()


async def _up_to(response: httpx2.Response, most: int) -> AsyncIterator[bytes]:
    """Yield a body's pieces until ``most`` bytes have come."""
    come = 0
    async for piece in response.aiter_raw():
        yield piece
        come += len(piece)
        if come >= most:
            return


def _encoded(body: Mapping[str, Json]) -> bytes:
    return json.dumps(body, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


def _message(body: str) -> str:
    """Find the sentence in the body of an error; the body itself if it has none."""
    try:
        found = read_json(body)
    except NotJson:
        return body
    for name in ("error", "message", "detail"):
        while isinstance(found, dict) and name in found:
            found = found[name]
    return found if isinstance(found, str) else body


def _retry_after(header: str) -> float:
    """Return the seconds of a Retry-After header (a number or a date, RFC 9110 10.2.3); 0 if it says nothing."""
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return 0.0
