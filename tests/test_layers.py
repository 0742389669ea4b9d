"""The house rules, read from the source: who imports whom, what is never called, how large a file may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import acgym

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("acgym.envs", "acgym.agents", "acgym.compress")
MODEL = ("torch", "transformers", "tokenizers", "safetensors")
WIRING = ("acgym.assemble", "acgym.cli", "acgym.compare", "acgym.train", "acgym.demonstrations")
"""The only modules that join the rooms; a name that starts like one of them (acgym.train_data) is one of them."""

FORBIDDEN = {
    "acgym.envs": (
        "acgym.agents",
        "acgym.compress",
        "acgym.loop",
        "acgym.record",
        "acgym.probe",
        "acgym.score",
        *MODEL,
    ),
    "acgym.agents": ("acgym.envs", "acgym.compress"),
    "acgym.compress": ("acgym.envs", "acgym.agents"),
    "acgym.score": (*ROOMS, "acgym.env", "gymnasium", *MODEL),
    "acgym.statistics": (*ROOMS, "acgym.env", "gymnasium", *MODEL),
    "acgym.cluster": (*ROOMS, "acgym.env", "gymnasium", *MODEL),
    "acgym.power": (*ROOMS, "acgym.env", "gymnasium", *MODEL),
    "acgym.prediction": (*ROOMS, "acgym.env", "gymnasium", *MODEL),
    "acgym.repeated": (*ROOMS, "acgym.env", "gymnasium", *MODEL),
    "acgym.sequential": (*ROOMS, "acgym.env", "gymnasium", *MODEL),
    "acgym.until": (*ROOMS, "acgym.env", "gymnasium", *MODEL),
    "acgym.metrics": (*ROOMS, "acgym.env", "gymnasium", *MODEL),
    "acgym.workflow_graph": (*ROOMS, "acgym.env", "gymnasium", *MODEL),
}
"""What a module, and whatever it imports, must never reach."""

RUNS_CODE = {"eval", "exec", "compile", "__import__", "breakpoint"}
RUNS_CODE_MODULES = ("pickle", "cloudpickle", "dill", "marshal", "shelve", "joblib", "subprocess", "pty", "code")
RUNS_CODE_CALLS = ("os.system", "os.popen", "os.exec", "os.spawn", "os.posix_spawn", "os.fork", "os.startfile")
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 60


def modules() -> dict[str, Path]:
    """Every module of the packages by its dotted name; ``acgym`` itself is not among them, it only joins them."""
    found = {}
    for folder, package in (("acgym", "acgym"), *((room.split(".")[1], room) for room in ROOMS)):
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            name = ".".join([package, *(part for part in parts if part != "__init__")])
            found[name] = path
    del found["acgym"]
    return found


def imports(source: str, module: str, is_package: bool = False) -> set[str]:
    """Dotted names that ``source`` imports anywhere, also in functions, by a literal, or as ``acgym.name``."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            found.update({base} | {f"{base}.{alias.name}" for alias in node.names})
        elif isinstance(node, ast.Call) and dotted(node.func).split(".")[-1] == "import_module":
            found.update(arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str))
        elif isinstance(node, ast.Attribute) and dotted(node).startswith("acgym."):
            found.add(dotted(node))
    lazy = {f"acgym.{name}": home for name, home in acgym._OBJECTS.items()}
    return {lazy.get(name, name) for name in found}


def dotted(node: ast.AST) -> str:
    """``a.b.c`` as text, or an empty text for anything that is not a chain of names."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        left = dotted(node.value)
        return f"{left}.{node.attr}" if left else ""
    return ""


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def is_wiring(name: str) -> bool:
    return name.startswith(WIRING)


GRAPH = {name: imports(path.read_text("utf-8"), name, path.name == "__init__.py") for name, path in modules().items()}


def chains(module: str, graph: dict[str, set[str]]) -> Iterator[tuple[str, ...]]:
    """Every name that ``module`` reaches, as the shortest chain of imports that leads there."""
    queue, seen = [(module,)], {module}
    for chain in queue:
        for name in sorted(graph[chain[-1]]):
            home = next((m for m in (name, name.rpartition(".")[0]) if m in graph), None)
            if (home or name) not in seen:
                seen.add(home or name)
                yield (*chain, home or name)
                if home:
                    queue.append((*chain, home))


def layer_faults(module: str, graph: dict[str, set[str]]) -> list[str]:
    """What is wrong with the imports of ``module``, one sentence each."""
    faults = []
    direct = graph[module]
    for layer, never in FORBIDDEN.items():
        if inside(module, layer):
            for chain in chains(module, graph):
                if any(inside(chain[-1], name) for name in never):
                    faults.append(f"{layer} must not reach {chain[-1]}: {' -> '.join(chain)}")
    for name in sorted(direct):
        if name.split(".")[0] in ("envs", "agents", "compress"):
            faults.append(f"{module} imports {name}; write acgym.{name}")
        if is_wiring(name) and not is_wiring(module):
            faults.append(f"{module} imports {name}, which only the command line and its kind may")
    rooms = [room for room in ROOMS if any(inside(name, room) for name in direct) and not inside(module, room)]
    if len(rooms) > 1 and not is_wiring(module):
        faults.append(f"{module} joins {' and '.join(rooms)}; only {', '.join(WIRING)} may")
    return faults


def danger_faults(source: str) -> list[str]:
    """Ways to run text as a program or to load a pickle, one sentence each."""
    faults = []
    for name in imports(source, "acgym.here"):
        if any(inside(name, bad) for bad in RUNS_CODE_MODULES) or name.startswith(RUNS_CODE_CALLS):
            faults.append(f"imports {name}")
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = dotted(node.func)
        words = {word.arg: ast.unparse(word.value) for word in node.keywords}
        if called in RUNS_CODE or called.startswith(RUNS_CODE_CALLS) or words.get("shell", "False") != "False":
            faults.append(f"line {node.lineno} calls {called}")
        if called == "torch.load" and words.get("weights_only") != "True":
            faults.append(f"line {node.lineno} calls torch.load without weights_only=True")
        if words.get("allow_pickle", "False") != "False" or words.get("trust_remote_code", "False") != "False":
            faults.append(f"line {node.lineno} lets {called} run code from a file")
    return faults


def size_faults(source: str) -> list[str]:
    """Files and functions that do not fit a reader, one sentence each."""
    lines = len(source.splitlines())
    faults = [f"{lines} lines, at most {MAX_FILE_LINES}"] if lines > MAX_FILE_LINES else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                faults.append(f"{node.name} has {length} lines, at most {MAX_FUNCTION_LINES}")
    return faults


def docstring_faults(source: str) -> list[str]:
    """The module and its public classes, functions and methods that have no docstring."""

    def visit(body: list[ast.stmt], prefix: str) -> Iterator[str]:
        for node in body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
                stub = any(dotted(mark).split(".")[-1] == "overload" for mark in node.decorator_list)
                if ast.get_docstring(node) is None and not stub:
                    yield f"{prefix}{node.name} has no docstring"
                if isinstance(node, ast.ClassDef):
                    yield from visit(node.body, f"{prefix}{node.name}.")

    tree = ast.parse(source)
    return ([] if ast.get_docstring(tree) else ["the module has no docstring"]) + list(visit(tree.body, ""))


@pytest.mark.parametrize("module", GRAPH)
def test_module_imports_only_what_its_layer_may(module):
    assert layer_faults(module, GRAPH) == []


@pytest.mark.parametrize("module", GRAPH)
@pytest.mark.parametrize("faults", [danger_faults, size_faults, docstring_faults])
def test_module_keeps_the_rule(module, faults):
    assert faults(modules()[module].read_text("utf-8")) == []


def test_every_room_is_read():
    for room in ROOMS:
        assert room in GRAPH
    assert {"acgym.types", "acgym.env", "acgym.envs.names", "acgym.agents.base"} <= set(GRAPH)
    assert "acgym.types" in GRAPH["acgym.env"]


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        ("acgym.envs.x", "from acgym.agents.base import Agent", "acgym.envs must not reach acgym.agents.base"),
        ("acgym.envs.x", "from acgym import play", "acgym.envs must not reach acgym.loop"),
        ("acgym.envs.x", "import acgym\nacgym.probe.run()", "acgym.envs must not reach acgym.probe"),
        ("acgym.envs.x", "def f():\n    import torch.nn", "acgym.envs must not reach torch.nn"),
        ("acgym.envs.x", "from ..score import score", "acgym.envs must not reach acgym.score"),
        ("acgym.agents.x", "from acgym import envs", "acgym.agents must not reach acgym.envs"),
        ("acgym.agents.x", "import importlib\nimportlib.import_module('acgym.compress.rtn')", "must not reach acgym.c"),
        ("acgym.agents.x", "import agents.base", "write acgym.agents.base"),
        ("acgym.compress.x", "from acgym.helper import f", "acgym.compress.x -> acgym.helper -> acgym.envs.names"),
        ("acgym.compress.x", "from acgym.train_data import f", "which only the command line"),
        ("acgym.score", "import gymnasium", "acgym.score must not reach gymnasium"),
        ("acgym.metrics", "import torch", "acgym.metrics must not reach torch"),
        ("acgym.other", "from acgym import agents, envs", "acgym.other joins acgym.envs and acgym.agents"),
    ],
)
def test_layer_rule_sees_a_breach(module, source, fault):
    graph = {**GRAPH, "acgym.helper": {"acgym.envs.names"}, module: imports(source, module)}
    assert any(fault in found for found in layer_faults(module, graph))


def test_layer_rule_lets_wiring_join_the_rooms():
    graph = {**GRAPH, "acgym.cli": imports("from acgym import agents, compress, envs, train", "acgym.cli")}
    assert layer_faults("acgym.cli", graph) == []


@pytest.mark.parametrize(
    "source",
    [
        "eval(text)",
        "exec(text)",
        "import pickle",
        "from subprocess import run",
        "import os\nos.system(text)",
        "from os import popen",
        "run(text, shell=True)",
        "torch.load(path)",
        "np.load(path, allow_pickle=True)",
        "AutoModel.from_pretrained(path, trust_remote_code=True)",
    ],
)
def test_danger_rule_sees_a_breach(source):
    assert danger_faults(source)


def test_danger_rule_lets_innocents_pass():
    assert (
        danger_faults("model.eval()\nre.compile(x)\ntorch.load(p, weights_only=True)\nf(trust_remote_code=False)") == []
    )


def test_size_rule_sees_a_breach():
    assert size_faults("x = 1\n" * 301) == ["301 lines, at most 300"]
    assert size_faults("async def f():\n" + "    pass\n" * 60) == ["f has 61 lines, at most 60"]
    assert size_faults("x = 1\n" * 240 + "def f():\n" + "    pass\n" * 59) == []


def test_docstring_rule_sees_a_breach():
    source = "class A:\n    def f(self): pass\n    def _g(self): pass\ndef h(): pass"
    missing = ["the module", "A", "A.f", "h"]
    assert docstring_faults(source) == [f"{name} has no docstring" for name in missing]
    assert docstring_faults('"""M."""\nclass A:\n    """A."""\n') == []
