"""Settings shared by all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# Nothing here may depend on a model hub: a name that is not a local path fails at once instead of being looked up.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

# A property that holds is allowed to be slow on a busy machine.
settings.register_profile("acgym", deadline=None)
settings.load_profile("acgym")
