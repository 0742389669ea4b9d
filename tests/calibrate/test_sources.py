"""Calibration: specs and their spelling, what each source gives, mixtures, and what is refused."""

from __future__ import annotations

import hashlib
import json
import random
import tracemalloc
from collections import Counter
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acgym import play
from acgym.agents.prompt import PromptBuilder
from acgym.assemble.make import calibration_of, local
from acgym.assemble.spec import parse_spec
from acgym.calibrate.chats import DrawnChats, chat_lines, chat_tokens, read_chat
from acgym.calibrate.files import check_files, read_calibration, read_text
from acgym.calibrate.sample import TRAJECTORIES, draw
from acgym.calibrate.spec import DEFAULT, PRESETS, Calibration, Source, parse_calibration
from acgym.compress import parse
from acgym.seeds import CALIBRATION_SEEDS
from tests.helpers.plain_envs import LEVELLED
from tests.helpers.small_agent import CHATML, tokenizer
from tests.helpers.tiny import save_model

ENVS = {"ACB/Needle-v0": {"level": 1}, LEVELLED: {}}
WORDS = "the code of bel is 12 and the code of ado is 7.\n"


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    return local(parse_spec(f"hf:{save_model(tmp_path_factory.mktemp('model'))}"))


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("".join(random.Random(0).choices("abdelo 01\n", k=3000)))
    return path


def chat(i, length=3):
    asked = [{"role": "user", "content": f"what is the code of bel {i}?"}, {"role": "assistant", "content": "12 " * i}]
    return {"messages": [{"role": "system", "content": "you know codes"}, *asked * length]}


@pytest.fixture
def chats(tmp_path):
    path = tmp_path / "talks.jsonl"
    path.write_text("\n\n".join(json.dumps(chat(i)) for i in range(20)))
    return path


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("trajectories", Calibration((Source("trajectories"),))),
        ("pile.txt", Calibration((Source("text", "pile.txt"),))),
        ("text:a,b.txt,64x256,seed3", Calibration((Source("text", "a,b.txt"),), 64, 256, 3)),
        ("chats:x+y.jsonl,seed3", Calibration((Source("chats", "x+y.jsonl"),), None, None, 3)),
        ("text:a*3", Calibration((Source("text", "a"),))),
        ("128x512", Calibration((), 128, 512)),
        ("seed7", Calibration((), None, None, 7)),
        (
            "trajectories*0.5+chats:f.jsonl*.3+text:p.txt*0.2,8x16",
            Calibration(
                (Source("trajectories", None, "0.5"), Source("chats", "f.jsonl", ".3"), Source("text", "p.txt", "0.2")),
                8,
                16,
            ),
        ),
        ("text:a+text:b", Calibration((Source("text", "a"), Source("text", "b")))),
        ("text:p.txt,acbench-gptq", Calibration((Source("text", "p.txt"),), 128, 2048, 0)),
        ("acbench-awq", Calibration((), 128, 512, 42)),
    ],
)
def test_spelling(written, expected):
    assert parse_calibration(written) == expected
    assert parse_calibration(str(expected)) == expected


paths = st.text("ab.+*x,/ 0", min_size=1).filter(lambda t: t.strip() == t and "," not in t and "*" not in t)
sources = st.one_of(
    st.builds(Source, st.just("trajectories"), st.none(), st.sampled_from(["1", "0.5", "2"])),
    st.builds(Source, st.sampled_from(["text", "chats"]), paths, st.sampled_from(["1", "0.25", "3"])),
)
shapes = st.one_of(st.just((None, None)), st.tuples(st.integers(50, 500), st.integers(1, 4096)))


@given(st.lists(sources, min_size=1, max_size=3, unique_by=lambda s: s.name), shapes, st.none() | st.integers(0, 99))
@settings(max_examples=150, deadline=None)
def test_canonical_text_reads_back(chosen, shape, seed):
    if len(chosen) == 1:
        chosen = [Source(chosen[0].kind, chosen[0].path)]
    calibration = Calibration(tuple(chosen), *shape, seed)
    assert parse_calibration(str(calibration)) == calibration


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "a calibration is empty; write trajectories, text:FILE"),
        ("trajectorys", "did you mean 'trajectories'"),
        ("chat:x.txt", "did you mean 'chats'"),
        ("text:", "cannot read 'text:'"),
        ("trajectories:3", "cannot read 'trajectories:3'"),
        ("talks.jsonl", "write chats:talks.jsonl"),
        ("text:a+text:a", "names text:a twice"),
        ("text:a*0+text:b", "weight of text:a .* must be over 0"),
        ("text:a,0x5", "at least 1 sample of 1 token, got 0x5"),
        ("text:a*0.999+text:b*0.001,8x16", "text:b gets none of 8"),
        ("text:a,acbench-rtn", "acbench-rtn reads no calibration"),
    ],
)
def test_bad_spelling_is_refused(written, said):
    with pytest.raises(ValueError, match=said):
        parse_calibration(written)


def test_samples_are_shared_by_weight():
    mixed = parse_calibration("trajectories*0.5+chats:f*0.3+text:p*0.2,128x512")
    assert mixed.shares() == [64, 38, 26]  # 64, 38.4, 25.6
    assert parse_calibration("text:a+text:b+text:c,100x2").shares() == [34, 33, 33]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.integers(300, 1000))
def test_shares_sum_to_the_samples_and_are_off_by_less_than_one(weights, samples):
    chosen = tuple(Source("text", str(i), str(weight)) for i, weight in enumerate(weights))
    shares = Calibration(chosen, samples, 4).shares()
    assert sum(shares) == samples
    assert all(abs(got - samples * w / sum(weights)) < 1 for got, w in zip(shares, weights, strict=True))


def test_an_agents_own_calibration_lies_over_that_of_all():
    default = parse_calibration("text:a.txt,64x256,seed2")
    assert str(parse_calibration("chats:b").over(default)) == "chats:b,64x256,seed2"
    assert str(parse_calibration("8x16").over(default)) == "text:a.txt,8x16,seed2"
    assert str(calibration_of(parse_spec("reference+gptq-w3"), default)) == str(default)
    assert (
        str(calibration_of(parse_spec("reference+gptq-w3@trajectories,seed3"), default)) == "trajectories,64x256,seed3"
    )
    assert calibration_of(parse_spec("reference+rtn-w3"), default) is None


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("reference+GPTQ-w3@text:A+b.txt,8x16", "reference+gptq-w3-g128@text:A+b.txt,8x16"),
        ("reference+wanda-2:4+gptq-w4@128x64", "reference+wanda-2:4+gptq-w4-g128@128x64"),
        ("reference+gptq-w3@trajectories*2+text:p*1,8x16", "reference+gptq-w3-g128@trajectories*2+text:p*1,8x16"),
        ("reference+wanda-50@seed4@rerun", "reference+wanda-50@seed4@rerun"),
        ("hf:owner/name+sparsegpt-50@chats:a+b.jsonl", "hf:owner/name+sparsegpt-50@chats:a+b.jsonl"),
        ("reference+acbench-gptq", "reference+gptq-w4-g128-sym-actorder-static@128x2048,seed0"),
        ("reference+acbench-wanda-2:4@text:c4.txt", "reference+wanda-2:4@text:c4.txt,128x4096,seed0"),
        ("hf:owner/name+acbench-rtn", "hf:owner/name+rtn-w4-g128-sym"),
    ],
)
def test_agent_spec_holds_a_calibration(written, canonical):
    spec = parse_spec(written)
    assert spec.text == canonical
    assert parse_spec(canonical) == spec
    assert spec.base.calibration is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("reference+rtn-w4@text:a", "'rtn-w4-g128' reads no calibration; drop '@text:a'"),
        ("reference+gptq-w4@", "a calibration is empty"),
        ("reference+acbench-awq@text:a,3x4", "calibrated on 128x512,seed42; for another shape write the recipe out"),
        ("reference+acbench@text:a", "'acbench' names no recipe"),
        ("reference+acbench-gpqt", "unknown compression method"),
        ("oracle+gptq-w4@text:a", "has no model"),
    ],
)
def test_bad_calibration_in_an_agent_spec_is_refused(written, said):
    with pytest.raises(ValueError, match=said):
        parse_spec(written)


@pytest.mark.parametrize("name", [name for name in PRESETS if PRESETS[name].recipe])
def test_presets_are_recipes_with_the_calibration_that_they_need(name):
    preset = PRESETS[name]
    recipe = parse(preset.recipe)
    assert str(recipe) == preset.recipe
    assert recipe.needs_calibration == (preset.samples is not None) == (preset.seed is not None)


def test_a_text_gives_windows_that_the_seed_chooses(agent, text):
    ids = agent.tokenizer.encode(text.read_text(), add_special_tokens=False)
    windows = [tuple(ids[at : at + 16]) for at in range(0, len(ids) - 15, 16)]
    drawn = draw(parse_calibration(f"text:{text},20x16,seed1"), agent, {})
    assert [len(row) for row in drawn.sequences] == [16] * 20
    at = [windows.index(tuple(row)) for row in drawn.sequences]
    assert at == sorted(set(at))  # each once, in the order of the text
    assert drawn == draw(parse_calibration(f"text:{text},20x16,seed1"), agent, {})
    assert drawn.sequences != draw(parse_calibration(f"text:{text},20x16,seed2"), agent, {}).sequences
    everything = draw(parse_calibration(f"text:{text},{len(windows)}x16"), agent, {}).sequences
    assert [tuple(row) for row in everything] == windows


def test_a_bare_path_takes_what_there_is(agent, text):
    ids = agent.tokenizer.encode(text.read_text(), add_special_tokens=False)
    drawn = draw(read_calibration(str(text)), agent, {})
    assert list(chain.from_iterable(drawn.sequences)) == ids
    assert max(map(len, drawn.sequences)) <= 512
    (row,) = drawn.facts["sources"]
    assert row["notes"] == [f"{len(ids):,} of 65,536 tokens were there"]
    assert read_calibration(text) == read_calibration(str(text))
    assert read_calibration(None) == DEFAULT


def test_a_long_text_is_looked_at_from_its_beginning(agent, tmp_path):
    (tmp_path / "long").write_text(WORDS * 1000)
    drawn = draw(parse_calibration(f"text:{tmp_path}/long,4x8"), agent, {})
    assert drawn.facts["sources"][0]["notes"] == ["only the first 1,024 characters were looked at"]
    assert drawn.facts["tokens"] == 32


def test_a_text_that_is_too_short_says_how_many_tokens_it_has(agent, text):
    count = len(agent.tokenizer.encode(text.read_text(), add_special_tokens=False))
    with pytest.raises(ValueError, match=rf"asks for {count + 1:,} tokens of text:.* which has {count:,}") as error:
        draw(parse_calibration(f"text:{text},1x{count + 1}"), agent, {})
    assert f"write ',1x{count}'" in str(error.value)
    for asked in (f"{count // 16 + 1}x16", f"3x{count // 2}", f"2x{count}"):
        with pytest.raises(ValueError, match="Use a longer source, or ask for less: write ',") as error:
            draw(parse_calibration(f"text:{text},{asked}"), agent, {})
        shape = str(error.value).split("write ',")[1].split("'")[0]
        drawn = draw(parse_calibration(f"text:{text},{shape}"), agent, {})
        assert count / 2 - 1 <= drawn.facts["tokens"] <= count


def test_what_is_certainly_too_short_is_refused_before_a_model_is_needed(text):
    with pytest.raises(ValueError, match=r"asks for 65,536 tokens .* which has at most [\d,]+ for this model"):
        check_files(parse_calibration(f"text:{text},128x512"))
    assert list(check_files(parse_calibration(str(text)))) == [str(text)]


def test_a_length_over_the_context_window_is_refused(tmp_path, text):
    small = local(parse_spec(f"hf:{save_model(tmp_path / 'm', context=16)}"))
    with pytest.raises(ValueError, match=r"sequences of 32 tokens, and the context window .* is 16; .*',4x16'"):
        draw(parse_calibration(f"text:{text},4x32"), small, {})


@pytest.mark.parametrize(("content", "said"), [(b" \n", "empty"), (b"a\xff", "not UTF-8: .* at byte 1")])
def test_unreadable_text_is_refused(tmp_path, content, said):
    (tmp_path / "text").write_bytes(content)
    with pytest.raises(ValueError, match=said):
        read_text(tmp_path / "text")
    with pytest.raises(FileNotFoundError, match="no calibration text"):
        check_files(parse_calibration(f"text:{tmp_path}/none"))


def test_chats_go_through_the_chat_template(agent, chats):
    rows = [
        agent.tokenizer.apply_chat_template(chat(i)["messages"], tokenize=True, return_dict=False) for i in range(20)
    ]
    drawn = draw(parse_calibration(f"chats:{chats}"), agent, {})
    assert sorted(map(list, drawn.sequences)) == sorted(map(list, rows))
    cut = draw(parse_calibration(f"chats:{chats},10x30,seed5"), agent, {})
    assert sum(map(len, cut.sequences)) == 300
    assert max(map(len, cut.sequences)) == 30
    joined = [" ".join(map(str, row)) for row in rows]
    assert all(any(" ".join(map(str, row)) in whole for whole in joined) for row in cut.sequences)
    assert cut == draw(parse_calibration(f"chats:{chats},10x30,seed5"), agent, {})


FUNCTION = {"name": "add_one", "description": "Adds.", "parameters": {"type": "object", "properties": {}}}
TALK = {
    "messages": [
        {"role": "system", "content": "count"},
        {"role": "user", "content": [{"type": "text", "text": "add "}, {"type": "text", "text": "one"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"type": "function", "function": {"name": "add_one", "arguments": '{"to": 3}'}}],
        },
        {"role": "tool", "content": "4"},
        {"role": "assistant", "content": "it is 4"},
    ],
    "tools": [{"type": "function", "function": FUNCTION}],
}


@pytest.mark.parametrize(("template", "adapted"), [(None, False), (CHATML, True)])
def test_calls_and_tools_are_shown_whether_or_not_the_template_knows_them(template, adapted):
    prompts = PromptBuilder(tokenizer(template), "the model")
    tokens = chat_tokens(read_chat(json.dumps(TALK).encode(), ""), prompts, "")
    assert tokens.adapted == adapted
    shown = prompts.tokenizer.decode(tokens.ids)
    for part in ("count", "Adds.", "add one", '"add_one", "arguments": {"to": 3}', "4<|im_end|>", "it is 4<|im_end|>"):
        assert part in shown


def test_a_chat_that_the_template_cannot_show_is_named(agent):
    row = {"messages": [{"role": "user", "content": "x"}], "tools": [{"type": "function", "function": {"name": "f"}}]}
    with pytest.raises(ValueError, match=r"chat template cannot show line 7: .*UndefinedError"):
        chat_tokens(read_chat(json.dumps(row).encode(), ""), agent.prompts, "line 7")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2 of .* is not JSON"),
        ('"\\ud800', "is not JSON"),
        ("[]", "has no list of messages"),
        ('{"messages": []}', "has no list of messages"),
        ('{"messages": [3]}', "has the role None; expected system, user"),
        ('{"messages": [{"role": "robot", "content": ""}]}', "the role 'robot'"),
        ('{"messages": [{"role": "user", "content": 3}]}', "something other than text"),
        ('{"messages": [{"role": "user"}]}', "something other than text"),
        ('{"messages": [{"role": "user", "content": [{"type": "image"}]}]}', "something other than text"),
        ('{"messages": [{"role": "assistant", "tool_calls": 3}]}', "are no list"),
        ('{"messages": [{"role": "assistant", "tool_calls": [{"function": 3}]}]}', "no name or no object"),
        (
            '{"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "x"}}]}]}',
            "no name",
        ),
        ('{"messages": [{"role": "user", "content": ""}], "tools": {"a": 1}}', "tools of .* no list of objects"),
    ],
)
def test_a_line_that_is_no_chat_is_named(tmp_path, line, said):
    (tmp_path / "talks").write_text(json.dumps(chat(1)) + "\n" + line)
    with pytest.raises(ValueError, match=said):
        check_files(parse_calibration(f"chats:{tmp_path}/talks"))


def test_a_file_of_requests_with_tools_is_calibrated_on_as_it_is(agent, tmp_path):
    """The schema of the calibration file that mlcommons/endpoints publishes: no assistant, and a key of its own."""
    parameters = {"type": "object", "properties": {"artist": {"type": "string"}}, "required": ["artist"]}
    tool = {"type": "function", "function": {"name": "concert_find", "description": "Find.", "parameters": parameters}}
    said = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "When does she play?"}]
    path = tmp_path / "calib.jsonl"
    rows = [{"messages": said[first:], "tools": [tool], "subset": "live_simple"} for first in (0, 1)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    drawn = draw(parse_calibration(f"chats:{path}"), agent, {})
    texts = [agent.tokenizer.decode(ids) for ids in drawn.sequences]
    assert all("concert_find" in text and "When does she play?" in text for text in texts)
    assert sum("Be brief." in text for text in texts) == 1


def test_missing_or_empty_chats_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no calibration chats"):
        check_files(parse_calibration(f"chats:{tmp_path}/talks"))
    (tmp_path / "talks").write_text("\n \n")
    with pytest.raises(ValueError, match="are empty"):
        check_files(parse_calibration(f"chats:{tmp_path}/talks"))


@given(st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_reading_a_chat_only_raises_what_it_says(line):
    with pytest.raises(ValueError, match="somewhere"):
        read_chat(b'{"messages": [{"role": "user", "content": 3, "x": "' + line + b'"}]}', "somewhere")


@pytest.mark.slow
def test_trajectories_are_what_the_model_read_and_wrote_on_the_training_split(agent):
    expected, first = [], CALIBRATION_SEEDS
    for env, kwargs in ENVS.items():
        for episode in play(agent, env, range(first, first + TRAJECTORIES), kwargs=kwargs, split="train"):
            expected += [ids for ids, _ in episode.sequences()]
    assert draw(DEFAULT, agent, ENVS).sequences == expected
    assert draw(parse_calibration("trajectories,seed1"), agent, ENVS).sequences != expected
    tokens = sum(map(len, expected))
    more = draw(parse_calibration(f"trajectories,{tokens // 128 + 2}x128"), agent, ENVS)
    assert more.facts["tokens"] == (tokens // 128 + 2) * 128  # more than the first round has


def test_a_mixture_has_its_shares_of_tokens(agent, text, chats):
    mixed = parse_calibration(f"trajectories*0.5+chats:{chats}*0.3+text:{text}*0.2,40x24,seed9")
    drawn = draw(mixed, agent, ENVS)
    assert [row["tokens"] for row in drawn.facts["sources"]] == [20 * 24, 12 * 24, 8 * 24]
    assert drawn.facts["tokens"] == sum(map(len, drawn.sequences)) == 40 * 24
    assert drawn.facts["calibration"] == str(mixed)
    assert [row["source"] for row in drawn.facts["sources"]] == ["trajectories", f"chats:{chats}", f"text:{text}"]
    digests = check_files(mixed)
    assert [row["sha256"] for row in drawn.facts["sources"]] == [None, digests[str(chats)], digests[str(text)]]
    assert json.loads(json.dumps(drawn.facts)) == drawn.facts
    again = draw(mixed, agent, ENVS)
    assert again == drawn
    alone = draw(parse_calibration(f"text:{text},8x24"), agent, {})
    assert Counter(map(len, drawn.sequences[-8:])) == Counter(map(len, alone.sequences)) == {24: 8}


def test_a_mixture_that_one_source_cannot_fill_is_refused(agent, text, chats):
    with pytest.raises(ValueError, match=f"asks for 32,768 tokens of text:{text}, which has"):
        draw(parse_calibration(f"trajectories+text:{text}"), agent, ENVS)
    with pytest.raises(ValueError, match=r"asks for 12,672 tokens of chats:") as error:
        draw(parse_calibration(f"text:{text}*0.01+chats:{chats}*0.99,100x128"), agent, ENVS)
    shape = str(error.value).split("write ',")[1].split("'")[0]
    assert draw(parse_calibration(f"text:{text}*0.1+chats:{chats}*0.9,{shape}"), agent, ENVS).facts["tokens"] > 500


def test_of_a_long_text_only_what_can_be_needed_is_hashed(tmp_path):
    file = tmp_path / "long.txt"
    file.write_bytes(b"word " * 20_000)
    short, longer = parse_calibration(f"text:{file},4x8"), parse_calibration(f"text:{file},100x8")
    whole = hashlib.sha256(file.read_bytes()).hexdigest()
    assert check_files(short) == {str(file): hashlib.sha256(file.read_bytes()[: 4 * 8 * 32 * 4]).hexdigest()}
    assert check_files(short, longer) == check_files(longer, short) == {str(file): whole}
    before = check_files(short)
    with file.open("r+b") as stream:
        stream.seek(90_000)
        stream.write(b"behind what is read")
    assert check_files(short) == before
    assert check_files(longer) != {str(file): whole}


def test_of_a_file_of_chats_one_line_at_a_time_is_in_memory(tmp_path):
    line = json.dumps({"messages": [{"role": "user", "content": "x" * 100_000}]}).encode()
    (tmp_path / "chats.jsonl").write_bytes((line + b"\n\n") * 100 + line.replace(b"xx", b"xy"))
    tracemalloc.start()
    drawn = DrawnChats(tmp_path / "chats.jsonl")
    chat, where = drawn.read(100)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(drawn) == 101
    assert where.startswith("line 201 of ")
    assert chat.messages[0]["content"].startswith("xy")
    assert peak < 2_000_000  # of 10 MB
    assert [line.number for line in chat_lines(tmp_path / "chats.jsonl")] == list(range(1, 202, 2))


def test_a_line_that_never_ends_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("acgym.calibrate.chats.MOST_BYTES", 1 << 20)
    (tmp_path / "chats.jsonl").write_bytes(b"x" * (3 << 20))
    with pytest.raises(ValueError, match=r"line 1 of .* has more than 1 MiB"):
        DrawnChats(tmp_path / "chats.jsonl")
