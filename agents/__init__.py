"""The agents: anything that answers a conversation."""

if __name__ != "acgym.agents":  # a second import under another name would load every class twice
    raise ImportError(f"this package is acgym.agents; it was imported as {__name__!r}. Write 'import acgym.agents'.")
