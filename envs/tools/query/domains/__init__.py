"""The domains of ACB/ToolQuery-v0: one database, its functions and its questions a file."""
