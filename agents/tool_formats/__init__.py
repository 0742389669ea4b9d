"""How a model family writes a tool call, and how it is read back."""
