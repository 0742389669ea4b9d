"""Checkpoint formats: quantised weights in the layouts that other software loads, written, read and told apart.

``LAYOUTS`` are the layouts by name; :func:`acgym.compress.formats.write.write_checkpoint` and
:func:`acgym.compress.formats.read.read_checkpoint` are the two ends. Loads without torch; its modules do not.
"""
