"""What makes one compression give the same bits wherever a machine runs it: threads that are fixed, memory aligned."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

THREADS = "ACGYM_COMPRESS_THREADS"
"""Environment variable: threads of one operation while a model is compressed; 1 if it is not set."""
MOST_THREADS = 1024
ALIGNMENT = 64
"""Bytes to which torch aligns the memory that it allocates; tensors of a file that is mapped into memory are not."""


def compression_threads() -> int:
    """Return the threads that compression computes with, whatever the process has otherwise.

    Raises:
        ValueError: if the environment variable holds anything but a number from 1 to 1024.
    """
    given = os.environ.get(THREADS, "").strip() or "1"
    if not (given.isascii() and given.isdigit()) or not 1 <= int(given) <= MOST_THREADS:
        raise ValueError(f"{THREADS} must be a number of threads from 1 to {MOST_THREADS}, got {given!r}; unset it")
    return int(given)


@contextmanager
def fixed_threads() -> Iterator[int]:
    """Compute with :func:`compression_threads` for a while, and with as many as before afterwards.

    How a matrix product is split among threads decides how its sums are rounded, and so which way a weight goes.
    Workers get a share of the cores each, so that without this their number would change the compressed model.
    """
    threads, before = compression_threads(), torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield threads
    finally:
        torch.set_num_threads(before)


def align(module: nn.Module) -> None:
    """Move parameters of a module that do not begin at a multiple of 64 bytes to memory that does.

    A matrix library takes other kernels, which sum in another order, where memory is not aligned. transformers maps
    files into memory, and a tensor begins there wherever the file's header happened to end. The parameters stay the
    same objects, so that tied ones stay tied.
    """
    for parameter in module.parameters():
        if parameter.device.type == "cpu" and parameter.data_ptr() % ALIGNMENT:
            parameter.data = parameter.data.clone()
