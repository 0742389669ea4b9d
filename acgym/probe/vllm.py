"""A model that vLLM runs, ready to be probed: vLLM hands over its hidden states, norm and output head are run here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from acgym.compress.stream.skeleton import Stored, fill, move_buffers, skeleton
from acgym.compress.stream.source import Source
from acgym.probe.forward import Layers, decoder_layers, layer_numbers

if TYPE_CHECKING:
    from transformers import PreTrainedModel

WAIT = 120.0
"""Seconds for which a file of hidden states may be on its way once vLLM has answered."""
CHECKED_TOKENS = 16
NEAR = 5
"""vLLM's own choice of the next token must be among so many that come first here."""


@contextmanager
def in_vllm(
    folder: str | Path,
    layers: Layers = "final",
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
    tensor_parallel: int = 1,
    context: int | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Iterator[PreTrainedModel]:
    """Have vLLM run a model folder's decoder layers, quantised or not, on as many GPUs as they need.

    Give the model to :func:`acgym.probe.run.probe` or :func:`acgym.probe.run.probe_pair` within the context.
    Embeddings, final norm and output head are in this process. Signals differ from those of
    :func:`acgym.agents.local.load`'s model by the rounding of vLLM's kernels. Hidden states come as files in a
    temporary folder, which takes about 2 bytes × tokens of a batch × layers × width.

    Args:
        folder: config.json and safetensors of a model that transformers ships and vLLM supports. Its embeddings, norm
            and head must not be quantised.
        layers: those that the probe will watch, as :func:`acgym.probe.run.probe` takes them.
        dtype: of the arithmetic, here and in vLLM; None for the folder's.
        device: where norm and head run; None for a GPU if there is one.
        tensor_parallel: number of GPUs that each matrix is spread over.
        context: longest sequence in tokens; None for the model's own window.
        arguments: further arguments of vLLM's engine; ``{"gpu_memory_utilization": 0.8}`` unless it is said.

    Raises:
        ImportError: if vLLM is not installed.
        ValueError: for a folder that is no model, asks for code of its own or is damaged; for layers that it has not;
            if vLLM does not choose the token that its hidden states lead to here (another norm or head than that of
            transformers).
        RuntimeError: if vLLM hands over no hidden states.
    """
    if find_spec("vllm") is None:
        raise ImportError('probing in vLLM needs vLLM; install it with: pip install "acgym[vllm]"')
    source = Source(Path(folder).expanduser(), packed=True)
    place = torch.device(device if device is not None else "cuda" if torch.cuda.is_available() else "cpu")
    model = skeleton(source, dtype or source.dtype)
    body: Any = cast(Any, model).base_model
    stack = decoder_layers(body)
    if not stack:
        raise ValueError(f"{type(model).__name__} has no list of decoder layers, so none can be told from another")
    wanted = sorted({*layer_numbers(layers, len(stack)), len(stack)})
    told: dict[int, Tensor] = {}
    for number, layer in enumerate(stack, start=1):
        _let_answer(layer, number, told, wanted)
    stored = Stored.of(model, source)
    fill(stored, stored.pieces, place)
    move_buffers(model, place)
    with _engine(source.folder, wanted, dtype or source.dtype, tensor_parallel, context, arguments or {}) as engine:

        def ask(_: nn.Module, args: Any, kwargs: dict[str, Any]) -> None:
            ids = kwargs["input_ids"] if "input_ids" in kwargs else args[0]
            told.update(engine.states(ids.tolist(), place))

        body.register_forward_pre_hook(ask, with_kwargs=True)
        _check(model, engine, place)
        yield cast("PreTrainedModel", model)


def _let_answer(layer: nn.Module, number: int, told: Mapping[int, Tensor], wanted: Sequence[int]) -> None:
    """Take a decoder layer's weights away, and let it return what it was told."""
    layer._modules.clear()
    layer._parameters.clear()
    layer._buffers.clear()

    def forward(hidden: Tensor, *_: Any, **__: Any) -> Tensor:
        if number in wanted:
            return told[number]
        if layer._forward_hooks:
            raise ValueError(
                f"layer {number} is watched, but vLLM was not asked for it: name it in in_vllm(layers=...)"
            )
        return hidden

    layer.forward = forward


class _Engine:
    """vLLM with one model, which answers with hidden states.

    Args:
        llm: vLLM's ``LLM``, made to extract hidden states.
        layers: numbers of the decoder layers, from 1, whose outputs it extracts, in this order.
    """

    def __init__(self, llm: Any, layers: Sequence[int]) -> None:
        from vllm import SamplingParams

        self.chosen: list[int] = []
        """The token that vLLM would say after each of the last prompts."""
        self._llm = llm
        self._layers = layers
        self._sampling = SamplingParams(temperature=0.0, max_tokens=1, detokenize=False)

    def states(self, prompts: Sequence[Sequence[int]], device: torch.device) -> dict[int, Tensor]:
        """Return layer -> hidden states behind it, (prompts, tokens, width), of prompts of one length."""
        answers = self._llm.generate(
            [{"prompt_token_ids": list(ids)} for ids in prompts], self._sampling, use_tqdm=False
        )
        self.chosen = [answer.outputs[0].token_ids[0] for answer in answers]
        rows = [_read(answer.kv_transfer_params, len(ids), len(self._layers))
                for answer, ids in zip(answers, prompts, strict=True)]  # fmt: skip
        return {layer: torch.stack([row[:, i] for row in rows]).to(device) for i, layer in enumerate(self._layers)}


@contextmanager
def _engine(
    folder: Path,
    layers: Sequence[int],
    dtype: torch.dtype,
    tensor_parallel: int,
    context: int | None,
    arguments: Mapping[str, Any],
) -> Iterator[_Engine]:
    """Start vLLM so that it extracts hidden states, and end it."""
    from vllm import LLM

    with TemporaryDirectory(prefix="acgym-") as kept:
        asked: dict[str, Any] = {
            "gpu_memory_utilization": 0.8,
            "trust_remote_code": False,
            "load_format": "safetensors",
            "skip_tokenizer_init": True,
            "enable_prefix_caching": False,  # what is not computed is not handed over
            "enable_chunked_prefill": False,
            **arguments,
            "speculative_config": {
                "method": "extract_hidden_states",
                "num_speculative_tokens": 1,
                "draft_model_config": {"hf_config": {"eagle_aux_hidden_state_layer_ids": list(layers)}},
            },
            "kv_transfer_config": {
                "kv_connector": "HiddenStates",
                "kv_connector_module_path": "acgym.probe.vllm_connector",
                "kv_role": "kv_producer",
                "kv_connector_extra_config": {"shared_storage_path": kept, "use_synchronization_lock": False},
            },
        }
        name = str(dtype).removeprefix("torch.")
        llm = LLM(str(folder), dtype=name, tensor_parallel_size=tensor_parallel, max_model_len=context, **asked)
        try:
            yield _Engine(llm, layers)
        finally:
            llm.llm_engine.engine_core.shutdown()


def _read(parameters: Mapping[str, Any] | None, tokens: int, layers: int) -> Tensor:
    """Read one prompt's hidden states, (tokens, layers, width), and remove their file."""
    from safetensors import safe_open

    if not parameters or "hidden_states_path" not in parameters:
        raise RuntimeError("vLLM handed over no hidden states; its version must know 'extract_hidden_states'")
    file, started = Path(parameters["hidden_states_path"]), time.monotonic()
    while not file.exists():
        if time.monotonic() - started > WAIT:
            raise RuntimeError(f"vLLM's hidden states did not come within {WAIT:g} s; is the disk full?")
        time.sleep(0.002)
    with safe_open(file, "pt") as tensors:
        states: Tensor = tensors.get_tensor("hidden_states")
    file.unlink()
    if states.dim() != 3 or states.shape[:2] != (tokens, layers):
        raise RuntimeError(
            f"expected hidden states of {tokens} tokens behind {layers} layers, got a tensor {tuple(states.shape)}"
        )
    return states


@torch.inference_mode()
def _check(model: nn.Module, engine: _Engine, device: torch.device) -> None:
    """Refuse a model whose norm and head here do not lead to the token that vLLM chooses."""
    ids = torch.arange(CHECKED_TOKENS, device=device)[None]
    first = model(input_ids=ids, use_cache=False).logits[0, -1].topk(NEAR).indices.tolist()
    if engine.chosen[0] not in first:
        raise ValueError(
            f"vLLM goes on with token {engine.chosen[0]}, which is not among the first {NEAR} that norm and head of "
            f"transformers' {type(model).__name__} find from the same hidden states; cannot probe it"
        )
