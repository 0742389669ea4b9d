"""What the tests of servers share."""

from __future__ import annotations

import pytest


@pytest.fixture
def quick(monkeypatch):
    """Limits that fail soon; no key from the outside."""
    for name in ("ACGYM_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TIMEOUT": "20", "RETRIES": "1", "FIRST_WAIT": "0.001", "PATIENCE": "30"}.items():
        monkeypatch.setenv(f"ACGYM_REMOTE_{name}", value)
