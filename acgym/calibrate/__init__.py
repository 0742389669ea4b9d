"""A calibration spec in, token ids out."""
