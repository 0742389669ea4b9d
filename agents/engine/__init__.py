"""Batched decoding of a local model. This door stays empty: importing it must not load torch."""
