"""Six abilities of tool use, one reply an episode: instruct, plan, reason, retrieve, understand, review."""
