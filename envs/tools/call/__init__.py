"""ACB/ToolCall-v0: calls tools of a generated set over several turns."""
