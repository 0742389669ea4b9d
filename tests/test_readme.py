"""What the README and the pages in docs/ show works as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from acgym.assemble.recipe import read_recipe
from acgym.compress.methods.table import METHODS
from acgym.compress.options.weights import words
from tests.helpers.registry import IDS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def _run(code: str, cwd: Path) -> str:
    script = cwd / "shown.py"
    script.write_text(code, encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, script.name], cwd=cwd, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_raw_gymnasium_loop_plays_an_episode_to_its_end(tmp_path):
    loop = next(block for block in BLOCKS if "while not done" in block)
    seen = _run(loop + '\nprint(info["success"], info["progress"], len(chat.messages))\n', tmp_path).split()
    assert seen[0] in ("True", "False")
    assert 0.0 <= float(seen[1]) <= 1.0
    assert int(seen[2]) >= 2


@pytest.mark.slow
def test_a_compression_method_of_ones_own_makes_an_agent(tmp_path):
    method = next(block for block in BLOCKS if "register_method" in block)
    code = "import acgym\n" + method + "\nprint(agent.name)\n"
    assert _run(code, tmp_path).strip() == "reference+halve"


def test_the_commands_that_it_names_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake (\w[\w-]*)", README))
    assert {"compare", "test"} <= named
    for target in named & {"compare", "test", "lint", "test-slow", "test-formats"}:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_environment_and_command_is_named():
    for word in IDS:
        assert word in README
    for command in ("compare", "play", "envs", "train"):
        assert f"acgym {command}" in README


DOCS = {page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md")}
RECIPES = sorted({
    word
    for word in re.findall(r"`([^`\s]+)`", DOCS["recipes"])
    if re.fullmatch(rf"({'|'.join([*METHODS, 'acbench'])})-[^=]+", word)
})  # fmt: skip


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_of_the_page_is_one(recipe):
    assert read_recipe(recipe)


def test_the_page_names_every_method_and_every_option():
    assert len(RECIPES) >= 30
    for name, method in METHODS.items():
        assert f"`{name}" in DOCS["recipes"], name
        for word in words(method.options).values():
            assert re.search(rf"\b{re.escape(word.example)}\b|`{word.pattern}`", DOCS["recipes"]) or re.search(
                rf"[`-](?:{word.pattern})[`-]", DOCS["recipes"]
            ), (name, word.example)


@pytest.mark.parametrize("page", ["recipes", "environments"])
def test_the_code_of_a_page_runs(page, tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", DOCS[page], re.DOTALL)
    assert blocks
    for block in blocks:
        _run(block + "\nprint('ran')\n", tmp_path)


PYTHON = re.findall(r"```python\n(.*?)```", DOCS["python"], re.DOTALL)


@pytest.mark.parametrize("block", PYTHON, ids=["first", "own", "add", "frames"])
@pytest.mark.slow
def test_the_scripts_of_the_python_page_run(block, tmp_path):
    if "to_pandas" in block:
        pytest.importorskip("pandas")
    assert _run(block + "\nprint('ran')\n", tmp_path).endswith("ran\n")


LEARNT = ["extend", "first-comparison", "run-folder"]
"""Pages to learn from, whose code plays some episodes."""


@pytest.mark.parametrize("page", LEARNT)
@pytest.mark.slow
def test_the_code_of_a_page_to_learn_from_runs(page, tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", DOCS[page], re.DOTALL)
    assert blocks
    for block in blocks:
        _run(block + "\nprint('ran')\n", tmp_path)


def test_the_code_of_every_page_is_run():
    with_code = {page for page, text in DOCS.items() if "```python" in text}
    fragments = {"bfcl", "signals"}  # lines that need data or a run
    assert with_code - fragments <= {"recipes", "environments", "python", *LEARNT}


def test_every_page_is_linked_from_the_readme_or_the_index_and_is_in_the_navigation():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in DOCS:
        assert f"docs/{page}.md" in README or f"({page}.md)" in DOCS["index"], page
        assert f"- {page}.md" in navigation, page


def test_every_link_between_pages_leads_to_one():
    for page, text in [*DOCS.items(), ("README", README)]:
        folder = ROOT if page == "README" else ROOT / "docs"
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
            assert (folder / link).exists(), (page, link)


def test_every_command_that_a_page_names_exists():
    from typer.main import get_command

    from acgym.cli.app import app

    known = set(get_command(app).commands)
    for page, text in [*DOCS.items(), ("README", README)]:
        shown = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL))
        for command in re.findall(r"^(?:\w+=\S+ )?acgym ([a-z][a-z-]*)", shown, re.MULTILINE):
            assert command in known, (page, command)
