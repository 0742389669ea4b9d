"""Quantised integers that a model runs on."""
