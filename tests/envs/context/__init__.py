"""Tests of the long-context environments."""
