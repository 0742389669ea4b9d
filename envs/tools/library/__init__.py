"""The tool library: domains of API functions with requests, results, errors and tasks of several calls."""

from acgym.envs.tools.library.model import Ask, Domain, Goal, Phrase, Step, Tool, domains, tools
from acgym.envs.tools.library.words import Words

__all__ = ["Ask", "Domain", "Goal", "Phrase", "Step", "Tool", "Words", "domains", "tools"]
