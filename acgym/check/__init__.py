"""The contract of an environment, clause by clause, and the check; ``acgym.check("ACB/ToolCall-v0")`` calls this."""

from __future__ import annotations

import sys
import types

from acgym.check.contract import CheckReport, ContractError
from acgym.check.run import check

__all__ = ["CheckReport", "ContractError", "check"]


class _Callable(types.ModuleType):
    __call__ = staticmethod(check)


sys.modules[__name__].__class__ = _Callable
