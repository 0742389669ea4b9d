"""The same tokens, teacher-forced through models: hidden states and logits become signals."""

from acgym.probe.run import DenseLogits, probe, probe_pair, remember
from acgym.probe.signals import Signals

__all__ = ["DenseLogits", "Signals", "probe", "probe_pair", "remember"]
