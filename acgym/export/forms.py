"""The forms in which a run's results can leave: a new one is a function in a file of its own, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Form(NamedTuple):
    """One form."""

    function: str
    """``module:function``, which is given an :class:`acgym.export.exported.Exported` and returns the files to write,
    :data:`acgym.export.exported.Files`; imported when it is asked for."""
    what: str
    """What is written, in words for ``acgym export --help``."""
    needs: str | None = None
    """Package that the function imports and acgym does not bring along; acgym's extra of the form's name brings it."""


FORMS: Mapping[str, Form] = {
    "lm-eval": Form("acgym.export.lm_eval:lm_eval", "results JSON of lm-evaluation-harness"),
    "inspect": Form("acgym.export.inspect:inspect_logs", "logs for Inspect"),
    "csv": Form("acgym.export.tables:csv_files", "tables of episodes, scores and comparisons"),
    "parquet": Form("acgym.export.tables:parquet_files", "the same tables; needs pyarrow", "pyarrow"),
    "model-card": Form("acgym.export.model_card:model_cards", "the model-index block of a Hugging Face model card"),
}
