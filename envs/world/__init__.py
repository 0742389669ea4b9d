"""Real-world applications."""
