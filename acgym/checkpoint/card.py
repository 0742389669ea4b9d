"""What an export says of itself to people: the model card that it begins with."""

from __future__ import annotations

from acgym.types import Json

RECORD = "acgym_compression.json"
"""The file in the folder of an export that holds its record."""

_LOADERS = {
    "gptq": "GPTQModel, transformers (which uses it) or vLLM",
    "awq": "GPTQModel, transformers (which uses it) or vLLM",
    "compressed-tensors": "transformers (which uses compressed-tensors) or vLLM",
    "dense": "transformers or vLLM",
}


def card(name: str, sheet: dict[str, Json]) -> str:
    """Return a model card.

    Args:
        name: of the folder.
        sheet: what RECORD holds.
    """
    record, checkpoint = sheet["compression"], sheet["checkpoint"]
    form, by = sheet["format"], f"{sheet['backend']['name']} {sheet['backend']['version']}"
    return f"""# {name}

`{sheet["source"]}`, compressed by {by} with the recipe `{record["recipe"]}` and written in the {form} format.

| | |
| --- | --- |
| bits per compressed weight | {checkpoint.get("bits_per_weight") or record["bits_per_weight"]:.2f} |
| zeros among them | {record["sparsity"]:.1%} |
| bytes on disk | {checkpoint["bytes_on_disk"]:,} |
| calibration tokens | {record["calibration_tokens"]:,} |

`{RECORD}` holds the whole record. Load it with {_LOADERS[form]}; measure what it lost with
`acgym compare MODEL hf:{name}`. The licence of the source model applies.
"""
