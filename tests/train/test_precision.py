"""Training computes in bfloat16 where that is quicker and in float32 elsewhere."""

from __future__ import annotations

import pytest
import torch

from acgym.train import precision


@pytest.mark.parametrize(("able", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_products_have_the_precision_that_the_processor_is_good_at(monkeypatch, able, dtype):
    monkeypatch.setattr(precision, "computes_bfloat16", lambda: able)
    with precision.mixed():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is dtype


def test_the_processor_is_asked():
    assert precision.computes_bfloat16() in (True, False)
