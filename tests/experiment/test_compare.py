"""The main job on tiny random models: what is played, probed and kept, what is refused, and how a run goes on."""

from __future__ import annotations

import gc
import json
import shutil

import pytest
from safetensors.numpy import load_file

import acgym.probe.baseline as compare_probe
from acgym.analysis.comparison import assemble_result
from acgym.analysis.result import ComparisonResult
from acgym.assemble.make import local
from acgym.assemble.spec import parse_spec
from acgym.experiment.run import Listener, prepare, run_comparison
from acgym.probe.run import decision_sequences, probe_pair
from acgym.record.run import Run, RunExists
from tests.helpers.plain_envs import LEVELLED
from tests.helpers.plain_envs import SAY as NO_LEVEL
from tests.helpers.tiny import save_model
from tests.helpers.toys import ECHO

NEEDLE = "ACB/Needle-v0"
ENVS = [NEEDLE, LEVELLED]


class Stages(Listener):
    """Notes the stages."""

    def __init__(self):
        self.stages = []

    def stage(self, agent, what):
        self.stages.append((agent, what))


class Census(Stages):
    """Counts the models alive whenever one is probed; without collecting garbage, as in a real run."""

    most = 0

    def stage(self, agent, what):
        super().stage(agent, what)
        if what == "probing":
            self.count()

    def count(self):
        self.most = max(self.most, sum(type(thing).__name__ == "LlamaForCausalLM" for thing in gc.get_objects()))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    save_model(folder / "a")
    save_model(folder / "b", seed=1)
    save_model(folder / "c", words="other")
    return folder


def specs(models):
    a, b, c = (f"hf:{models}/{name}" for name in "abc")
    return [a, f"{a}+rtn-w3-g32", f"{b}+gptq-w4-g32", f"{a}+wanda-50", c, "oracle"]


@pytest.fixture(scope="module")
def done(models, tmp_path_factory):
    """A finished run: folder, settings, result, what the listener heard."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    settings = prepare(specs(models), ENVS, episodes=3, seed=7, level=1)
    census = Census()
    census.count()
    before = census.most
    result = run_comparison(settings, folder, listener=census)
    return folder, settings, result, census, before


def agent_of(result, spec):
    return next(agent for agent in result.to_json()["agents"] if agent["name"] == spec)


def words(run, spec):
    """Everything of an agent's episodes but the seconds."""
    return {
        (e.env, e.seed): (e.task_hash, e.success, [(t.text, t.prompt_ids, t.token_ids) for t in e.turns])
        for e in run.episodes(spec)
    }


def test_every_agent_plays_the_same_seeds(done):
    folder, settings, _, _, _ = done
    run = Run.read(folder)
    wanted = {(env, seed) for env in ENVS for seed in range(7_000_000, 7_000_003)}
    for spec in settings.agents:
        assert set(words(run, spec)) == wanted
    assert prepare(["oracle"], [ECHO], seed=8).seeds[0] > settings.seeds[-1]


def test_at_most_one_dense_model_and_one_copy_are_alive(done):
    _, _, _, census, before = done
    assert census.most - before == 2


def test_result_is_json_without_nan_and_can_be_made_again(done):
    folder, _, result, _, _ = done
    text = (folder / "comparison.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail) == result.to_json()
    assert ComparisonResult.from_json(json.loads(text)) == result
    assert assemble_result(Run.read(folder)) == result
    assert result.to_json()["anchors"][LEVELLED] == {"success": 0.25, "progress": 0.5}


def test_signals_are_those_of_the_probe(done, models):
    folder, settings, result, _, _ = done
    first, coarse = (local(parse_spec(settings.agents[0])) for _ in range(2))
    from acgym.compress import compress

    compress(coarse.model, "rtn-w3-g32")
    rows = sorted((e for e in Run.read(folder).episodes(first.name) if e.env == NEEDLE), key=lambda e: e.seed)
    wanted = probe_pair(first.model, coarse.model, decision_sequences(rows))
    found = agent_of(result, settings.agents[1])["signals"]
    assert found[NEEDLE]["n_tokens"] == wanted.n_tokens
    assert found[NEEDLE]["kl"] == pytest.approx(wanted.kl, rel=1e-5)
    assert wanted.kl > 0.01
    assert found["all"]["energy"] == pytest.approx((found[NEEDLE]["energy"] + found[LEVELLED]["energy"]) / 2)
    arrays = load_file(Run.read(folder).folder(settings.agents[1]) / "signals.safetensors")
    assert {"/".join(name.split("/")[:2]) for name in arrays} == set(ENVS)
    assert arrays[f"{NEEDLE}/kl"].mean() == pytest.approx(wanted.kl, rel=1e-4)
    assert agent_of(result, settings.agents[0])["signals"]["all"]["kl"] == 0.0


def test_unmeasured_signals_come_with_a_reason(done):
    _, settings, result, _, _ = done
    other_tokens, scripted = (agent_of(result, spec) for spec in settings.agents[4:])
    assert "tokens are not those of" in other_tokens["sheet"]["signals"]["reason"]
    assert scripted["sheet"]["signals"]["reason"] == "the agent has no model"
    for agent in (other_tokens, scripted):
        assert set(agent["signals"].values()) == {None}
    assert agent_of(result, settings.agents[2])["signals"][NEEDLE]["kl"] > 0  # another base, the same tokens


def test_each_base_is_calibrated_on_its_own_trajectories(done, models, tmp_path):
    folder, settings, _, _, _ = done
    spec = settings.agents[2]
    alone = prepare([spec], ENVS, episodes=3, seed=7, level=1)
    run_comparison(alone, tmp_path / "alone")
    assert words(Run.read(tmp_path / "alone"), spec) == words(Run.read(folder), spec)


def test_sizes_and_seconds(done):
    _, _, result, _, _ = done
    dense, coarse, *_ = (agent["sheet"] for agent in result.to_json()["agents"])
    assert dense["bits_per_weight"] == 16.0
    assert "compression" not in dense
    assert 3 < coarse["bits_per_weight"] < 4
    assert coarse["weight_bytes"] < dense["weight_bytes"]
    assert coarse["play"]["episodes"] == 6  # three in each of two environments
    assert agent_of(result, "oracle")["scores"]["all"]["success"] == 1.0


def test_same_command_replays_nothing(done):
    folder, settings, result, _, _ = done
    before = {path: path.read_bytes() for path in folder.rglob("*.jsonl")}
    census = Stages()
    assert run_comparison(settings, folder, listener=census) == result
    assert census.stages == []
    assert {path: path.read_bytes() for path in folder.rglob("*.jsonl")} == before


def test_interrupted_run_goes_on(done, tmp_path):
    """The first agent complete, the second with one torn episode and no data sheet, the others not begun."""
    folder, settings, result, _, _ = done
    shutil.copytree(folder, tmp_path / "run")
    run = Run.read(tmp_path / "run")
    (tmp_path / "run" / "comparison.json").unlink()
    for spec in settings.agents[2:]:
        shutil.rmtree(run.folder(spec))
    (run.folder(settings.agents[1]) / "agent.json").unlink()
    episodes = run.folder(settings.agents[1]) / "episodes.jsonl"
    episodes.write_bytes(episodes.read_bytes()[:-30])
    again = run_comparison(settings, tmp_path / "run")
    for spec in settings.agents:
        assert words(run, spec) == words(Run.read(folder), spec)
        assert agent_of(again, spec)["comparisons"] == agent_of(result, spec)["comparisons"]
        assert agent_of(again, spec)["signals"] == agent_of(result, spec)["signals"]


def test_signals_on_outdated_tokens_are_taken_again(done, tmp_path):
    folder, settings, result, _, _ = done
    shutil.copytree(folder, tmp_path / "run")
    run = Run.read(tmp_path / "run")
    sheet = run.read_json("agent.json", settings.agents[1])
    sheet["signals"] = {"tokens_sha256": "0", "by_env": {}}
    run.write_json("agent.json", sheet, settings.agents[1])
    again = run_comparison(settings, tmp_path / "run")
    assert agent_of(again, settings.agents[1])["signals"] == agent_of(result, settings.agents[1])["signals"]


@pytest.mark.slow
def test_large_logits_are_not_kept(done, models, tmp_path, monkeypatch):
    """As with a vocabulary of 150,000: forms of the first model are compared with it, others are measured alone."""
    _, settings, result, _, _ = done
    monkeypatch.setattr(compare_probe, "MAX_LOGITS", 0)
    few = prepare(settings.agents[:3], ENVS, episodes=3, seed=7, level=1)
    again = run_comparison(few, tmp_path / "run")
    same_base, other_base = again.to_json()["agents"][1:]
    for env in ENVS:
        kept, made = agent_of(result, same_base["name"])["signals"][env], same_base["signals"][env]
        assert made["kl"] == pytest.approx(kept["kl"], rel=1e-5)
        assert other_base["signals"][env]["kl"] is None
        assert other_base["signals"][env]["erank"] > 1
    assert "too large to keep" in other_base["sheet"]["signals"]["reason"]
    assert other_base["signals"]["all"]["kl"] is None


def test_failed_agent_is_counted_and_never_scored(models, tmp_path):
    save_model(tmp_path / "short", context=16)
    settings = prepare([f"hf:{models}/a", f"hf:{tmp_path}/short"], [NEEDLE], episodes=2, level=1)
    result = run_comparison(settings, tmp_path / "run")
    failed = result.to_json()["agents"][1]
    for row in (failed["scores"][NEEDLE], failed["scores"]["all"], failed["comparisons"][NEEDLE]):
        assert (row["n"], row["n_failed"]) == (0, 2)
        assert "context window is 16" in row["reason"]
        assert "success" not in row
    backwards = prepare([f"hf:{tmp_path}/short", f"hf:{models}/a"], [NEEDLE], episodes=2, level=1)
    dense_failed = run_comparison(backwards, tmp_path / "backwards").to_json()["agents"][1]
    assert "no episode with tokens" in dense_failed["sheet"]["signals"]["reason"]


def test_other_settings_or_weights_are_refused(models, done, tmp_path):
    folder, settings, _, _, _ = done
    with pytest.raises(RunExists, match=r"episodes is 3 there and 4 now.*Choose another --out, or use the same"):
        run_comparison(prepare(settings.agents, ENVS, episodes=4, seed=7, level=1), folder)
    save_model(tmp_path / "m")
    run_comparison(prepare([f"hf:{tmp_path}/m"], [LEVELLED], episodes=1), tmp_path / "run")
    save_model(tmp_path / "m", seed=5)
    with pytest.raises(RunExists, match="models"):
        run_comparison(prepare([f"hf:{tmp_path}/m"], [LEVELLED], episodes=1), tmp_path / "run")


def test_calibration_file_must_be_the_prepared_one(tmp_path):
    (tmp_path / "text").write_text("one")
    settings = prepare(["oracle"], [ECHO], episodes=1, calibration=tmp_path / "text")
    assert settings.calibration == f"text:{tmp_path}/text"
    run_comparison(settings, tmp_path / "run")
    (tmp_path / "text").write_text("two")
    with pytest.raises(ValueError, match="not the calibration file that the run was made with; it was changed"):
        run_comparison(settings, tmp_path / "run")
    with pytest.raises(RunExists, match="calibration_files"):
        run_comparison(prepare(["oracle"], [ECHO], episodes=1, calibration=tmp_path / "text"), tmp_path / "run")
    with pytest.raises(RunExists, match=r"calibration is .* there and \"trajectories\" now"):
        run_comparison(prepare(["oracle"], [ECHO], episodes=1), tmp_path / "run")


@pytest.mark.slow
def test_one_recipe_under_two_calibrations(models, tmp_path):
    (tmp_path / "text").write_text("the code of bel is 12.\n" * 200)
    recipe = f"hf:{models}/a+gptq-w3-g32"
    agents = [f"hf:{models}/a", recipe, f"{recipe}@text:{tmp_path}/text,8x64", f"hf:{models}/a+rtn-w3-g32"]
    result = run_comparison(prepare(agents, [NEEDLE], episodes=2, level=1), tmp_path / "run")
    assert [agent["name"] for agent in result.to_json()["agents"]] == agents
    told = [agent["sheet"].get("calibration") for agent in result.to_json()["agents"]]
    assert (told[0], told[3]) == (None, None)
    assert told[1]["calibration"] == "trajectories"
    assert (told[2]["tokens"], told[2]["sources"][0]["sequences"]) == (512, 8)
    assert told[1]["tokens"] == result.to_json()["agents"][1]["sheet"]["compression"]["calibration_tokens"]
    kl = [agent["signals"][NEEDLE]["kl"] for agent in result.to_json()["agents"][1:3]]
    assert kl[0] != kl[1]


def test_a_short_calibration_file_stops_a_run_before_anything_is_played(models, tmp_path):
    (tmp_path / "text").write_text("the code of bel is 12.\n" * 200)
    a = f"hf:{models}/a"
    settings = prepare([a, f"{a}+gptq-w3-g32@text:{tmp_path}/text,64x64"], [NEEDLE], episodes=2, level=1)
    with pytest.raises(ValueError, match=r"asks for 4,096 tokens of text:.*, which has [\d,]+ for this model"):
        run_comparison(settings, tmp_path / "run")
    assert Run.read(tmp_path / "run").episodes(a) == []


def test_strangers_environment_plays_by_module_and_id(tmp_path):
    settings = prepare(["oracle", "random"], [f"tests.helpers.toys:{ECHO}", NO_LEVEL], episodes=4)
    assert (settings.modules, list(settings.envs)) == (("tests.helpers.toys",), [ECHO, NO_LEVEL])
    result = run_comparison(settings, tmp_path / "run")
    assert result.to_json()["agents"][0]["scores"]["all"]["success"] == 1.0
    assert result.to_json()["agents"][1]["scores"][NO_LEVEL]["success"] == 0.25
    assert result.to_json()["anchors"][NO_LEVEL] is None


def test_replay_scores_as_the_run_it_replays(done, tmp_path):
    folder, settings, result, _, _ = done
    spec = settings.agents[1]
    replay = f"replay:{Run.read(folder).folder(spec)}/episodes.jsonl"
    again = run_comparison(prepare([replay], ENVS, episodes=3, seed=7, level=1), tmp_path / "run").to_json()["agents"][
        0
    ]
    for name in ("success", "progress", "steps", "generated_tokens"):
        assert again["scores"]["all"][name] == agent_of(result, spec)["scores"]["all"][name]
    with pytest.raises(ValueError, match="holds no episode of"):
        prepare([replay], ENVS, episodes=4, seed=7, level=1)
