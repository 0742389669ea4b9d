"""A server of chat completions on this machine that says what a test tells it to say, and misbehaves when told to."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Request:
    """What arrived."""

    path: str
    headers: dict[str, str]
    body: dict
    at: float = field(default_factory=time.monotonic)


class Server:
    """Answers the n-th request as the n-th answer says, all later ones as the last one does.

    An answer is a coroutine function of (request, writer). The connection is kept open after those that send a whole
    response. Use it as a context manager.
    """

    def __init__(self, *answers, port=0):
        self.answers = answers
        self.requests = []
        self.connections = 0
        self.under_way = 0
        self.most_under_way = 0
        self.port = port

    def __enter__(self):
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def __exit__(self, *error):
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    def _run(self, ready):
        self._loop.run_until_complete(self._serve(ready))
        self._loop.close()

    async def _serve(self, ready):
        self._end = asyncio.Event()
        self._tasks = set()
        server = await asyncio.start_server(self._connection, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._end.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connection(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        self.connections += 1
        try:
            while await self._request(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _request(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *rows = head.strip().split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Request(first.split()[1], headers, json.loads(body))
        self.requests.append(request)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            keep = await self.answers[min(len(self.requests), len(self.answers)) - 1](request, writer)
            await writer.drain()
        finally:
            self.under_way -= 1
        return keep


def raw(status, body, kind="application/json", **headers):
    """A whole response."""
    body = body if isinstance(body, bytes) else body.encode()

    async def answer(request, writer):
        rows = {
            "Content-Type": kind,
            "Content-Length": len(body),
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in rows.items() if value is not None)
        writer.write(f"HTTP/1.1 {status} x\r\n{head}\r\n".encode("latin-1") + body)
        return True

    return answer


def completion(message, finish="stop", usage=(7, 3)):
    """The JSON of a chat completion."""
    return {
        "id": "x",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}],
        "usage": {"prompt_tokens": usage[0], "completion_tokens": usage[1], "total_tokens": sum(usage)},
    }


def says(words="fine", **fields):
    """An answer in words."""
    return raw(200, json.dumps(completion({"content": words, **fields})))


def calls(*named, words=None):
    """An answer with native tool calls: (id, name, arguments text)."""
    rows = [{"id": i, "type": "function", "function": {"name": n, "arguments": a}} for i, n, a in named]
    return raw(200, json.dumps(completion({"content": words, "tool_calls": rows}, "tool_calls")))


def thinks(reply):
    """An answer that ``reply`` makes of the request's body: a message, or a message and its finish reason."""

    async def answer(request, writer):
        return await raw(200, json.dumps(completion(reply(request.body))))(request, writer)

    return answer


def late(seconds, answer):
    """An answer that comes late."""

    async def slow(request, writer):
        await asyncio.sleep(seconds)
        return await answer(request, writer)

    return slow


async def never(request, writer):
    """No answer."""
    await asyncio.sleep(3600)


async def drops(request, writer):
    """The connection ends without an answer."""
    return False


async def drips(request, writer):
    """A body that comes a byte at a time, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def half(request, writer):
    """A body that ends before its length."""
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"choices": [')
    return False


async def no_http(request, writer):
    """Something else than HTTP."""
    writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
    return False


async def endless(request, writer):
    """A body of a gigabyte, if anybody takes it."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n")
    for _ in range(1000):
        writer.write(b" " * 1_000_000)
        await writer.drain()
    return False
