"""Memory over an interaction."""
