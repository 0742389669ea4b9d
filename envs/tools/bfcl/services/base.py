"""What the services have in common: how a call is run, how its result is told, and what two runs must have equal."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, ClassVar

from acgym.types import Call, Json


class Service:
    """One service in one run of a dialogue.

    The public methods of a subclass are its functions, named and parametrised as the data describes them; an error is
    a result like any other. What a function raises is told to the caller and changes nothing more.

    Args:
        config: the row's initial state of the service; what it leaves out has the default of ``DEFAULTS``.
        extension: constants of the long-context category; None in the others.
    """

    DEFAULTS: ClassVar[Mapping[str, Json]] = {}

    def __init__(self, config: Mapping[str, Json], extension: Mapping[str, Json] | None = None) -> None:
        self._extension = extension
        self.state: dict[str, Any] = {
            name: deepcopy(config.get(name, default)) for name, default in self.DEFAULTS.items()
        }
        """What must be equal after each turn."""

    @classmethod
    def functions(cls) -> frozenset[str]:
        """Names of the functions."""
        own = (name for kind in cls.__mro__[: cls.__mro__.index(Service)] for name in vars(kind))
        return frozenset(name for name in own if not name.startswith("_") and not hasattr(Service, name))

    def same(self, other: Service) -> bool:
        """Say whether two runs left the same state."""
        return self.state == other.state


def run(functions: Mapping[str, Callable[..., Any]], call: Call) -> str:
    """Run one call and return its result as text: an object as JSON, a text as it is, anything else as Python shows it.

    Args:
        functions: name -> bound method.
        call: what to run; an unknown name, a missing or unknown argument, and values that the function cannot work
            with give a sentence.
    """
    function = functions.get(call.name)
    if function is None:
        return f"Error: there is no function {call.name!r}"
    try:
        # What a service keeps of a list it may change later: the call must stay as it was.
        kept = {name: deepcopy(one) if isinstance(one, list | dict) else one for name, one in call.arguments.items()}
        return _told(function(**kept))
    except RecursionError:
        return "Error: the values are nested too deeply"
    except Exception as error:
        # Whatever types a model chose for the arguments, its call is a bad call and no bug of the service.
        return f"Error: {call.name} cannot run: {error}"


def _told(result: Any) -> str:
    if isinstance(result, str):
        return result
    if isinstance(result, dict):
        try:
            return json.dumps(result)
        except (TypeError, ValueError):
            return str(result)
    return str(result)
