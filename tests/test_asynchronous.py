"""Waiting for a coroutine with and without a running event loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from acgym.asynchronous import wait_for


async def where():
    await asyncio.sleep(0)
    return threading.current_thread().name


def test_it_runs_here_or_where_a_loop_is_running_in_a_thread_of_its_own():
    async def cell():
        return wait_for(where())

    assert wait_for(where()) == threading.current_thread().name
    assert asyncio.run(cell()).startswith("acgym")


def test_what_it_raises_is_raised_here():
    async def broken():
        raise ValueError("so")

    async def cell():
        wait_for(broken())

    with pytest.raises(ValueError, match="so"):
        wait_for(broken())
    with pytest.raises(ValueError, match="so"):
        asyncio.run(cell())


def test_an_interrupt_while_waiting_cancels_it(monkeypatch):
    cancelled = threading.Event()
    begun = threading.Event()

    async def endless():
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def interrupted(future, timeout=None):
        begun.wait(10)
        raise KeyboardInterrupt

    async def cell():
        monkeypatch.setattr("concurrent.futures.Future.result", interrupted)
        try:
            wait_for(endless())
        finally:
            monkeypatch.undo()

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(cell())
    assert cancelled.is_set()
