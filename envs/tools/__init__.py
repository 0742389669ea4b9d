"""Tool use."""
