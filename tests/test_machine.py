"""What a record says of the processor and of torch."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from acgym import machine as module
from acgym.machine import machine

XEON = "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\nflags\t: fpu\nprocessor\t: 1\nmodel name\t: Other\n"


def test_all_that_rounding_can_hang_on_is_there():
    found = machine()
    assert found["torch"] == torch.__version__
    assert found["threads"] == torch.get_num_threads()
    assert found["instruction_set"] == torch.backends.cpu.get_cpu_capability()
    assert found["blas"]
    assert 1 <= found["cores"] <= (os.cpu_count() or 1)
    assert found["cpu"]


def test_the_processor_is_the_first_that_the_system_names(tmp_path, monkeypatch):
    (tmp_path / "cpuinfo").write_text(XEON)
    monkeypatch.setattr(module, "_CPU_INFO", tmp_path / "cpuinfo")
    assert machine()["cpu"] == "Some CPU @ 2.00GHz"
    monkeypatch.setattr(module, "_CPU_INFO", tmp_path / "none")
    assert machine()["cpu"]


@pytest.mark.parametrize(
    ("built", "said"),
    [
        ("  - Intel(R) oneAPI Math Kernel Library Version 2024.2-Product\n BLAS_INFO=mkl, X=1", "mkl 2024.2-Product"),
        ("BLAS_INFO=open, BUILD_TYPE=Release", "open"),
        ("nothing", "unknown"),
    ],
)
def test_the_matrix_library_is_named_as_torch_names_it(built, said):
    assert module._blas(built) == said


@pytest.mark.slow
def test_torch_is_not_loaded_for_it():
    program = (
        "import sys; from acgym.machine import machine; m = machine(); assert 'torch' not in sys.modules; "
        "assert set(m) == {'cpu', 'cores'}"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
