"""Long generation."""
