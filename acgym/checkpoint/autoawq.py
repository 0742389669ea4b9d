"""The job of ``acgym compress --backend autoawq``: AutoAWQ compresses and writes, acgym calibrates and reads back."""

from __future__ import annotations

from collections.abc import Callable

from acgym.assemble.make import local
from acgym.calibrate.sample import draw
from acgym.checkpoint.job import ExportJob, begin, finish, resolution
from acgym.suites import default_envs
from acgym.types import Json


def run_autoawq(job: ExportJob, tell: Callable[[str], None]) -> Json:
    """Calibrate, let AutoAWQ compress and write, read back, compare; only then give the folder its name.

    Every weight is compared with what AutoAWQ itself unpacks, and the logits with those of these weights.

    Args:
        job: from :func:`acgym.checkpoint.export.prepare_export`.
        tell: hears one line for each stage.

    Returns:
        As :func:`acgym.checkpoint.export.run_export`.

    Raises:
        ValueError: if AutoAWQ does not know the model's family or shapes; before the model is compressed.
        ExportDiffers: if what was written is not what AutoAWQ had in memory.
    """
    from transformers import AutoConfig

    from acgym.agents.local import REFERENCE
    from acgym.compress.formats.autoawq import check_model, check_recipe, check_type, quantise
    from acgym.compress.formats.verify import outputs_of, verify_weights
    from acgym.compress.formats.write import stored_dtype

    source, recipe = job.spec.source or str(REFERENCE), job.recipe
    check_type(AutoConfig.from_pretrained(source, trust_remote_code=False).model_type)
    tell(f"loading {job.spec.base.text}")
    agent = local(job.spec.base)
    if agent.checkpoint:
        raise ValueError(f"the weights of {job.spec.base.text} are quantised already; export from the dense model")
    check_model(agent.model, check_recipe(recipe))
    tell("calibrating")
    assert job.calibration is not None
    rows = draw(job.calibration, agent, default_envs(job.spec.defaults)).sequences
    tokenizer, window = agent.tokenizer, agent.window
    del agent  # AutoAWQ loads the model for itself
    tell(f"compressing by AutoAWQ with {recipe}")
    begin(job)
    made = quantise(source, rows, recipe, window, job.partial)
    tokenizer.save_pretrained(job.partial)
    tell("reading it back")
    verify_weights(made.model, job.partial, made.tensor_bytes)
    wanted, coarsest = outputs_of(made.model), min(stored_dtype(made.model), made.model.dtype, key=resolution)
    record = made.record
    del made  # only one model at a time
    return finish(job, record, wanted, str(coarsest).removeprefix("torch."))
