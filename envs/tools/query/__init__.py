"""ACB/ToolQuery-v0: questions over an in-memory database behind read-only functions."""
