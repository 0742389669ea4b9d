"""What a chat template does to past calls: where it would change one, the model's own tokens stand, and it is said."""

from __future__ import annotations

import pytest

from acgym.agents.prompt import PromptBuilder
from acgym.types import Call, Message, Reply
from tests.helpers.tool_chats import TOOL, builder, said, text_of
from tests.helpers.tool_families import tokenizer

ITS = Call("look_up", {"word": "It's me"})
PLAIN = Call("look_up", {"word": "me"})
SAID = '<|python_start|>[look_up(word="It\'s me")]<|python_end|>'


def test_a_template_that_shows_only_the_id_of_a_call_confirms_no_format():
    """Nothing of the call's name came back, so nothing was proven; the words in the content prove nothing either."""
    with pytest.warns(UserWarning, match="could not be confirmed: the chat template writes a call as .*c00010000"):
        facts = builder("only-ids").tools.facts
    assert (facts["tool_call_parser"], facts["round_trip"]) == ("hermes", False)
    assert facts["tool_call_note"].endswith("which does not show what was called")
    with pytest.warns(UserWarning, match="could not be confirmed"):
        assert not builder("only-ids", "mistral").tools.round_trip


def test_kimis_ids_hold_the_name_and_results_name_their_call():
    build = builder("kimi")
    talk = said(build, [Message("user", "Go.")], build.tools.format.write([PLAIN, PLAIN]))
    text = build.render([*talk, Message("tool", '["one", "two"]')], [TOOL])
    for number, result in enumerate(("one", "two")):
        assert f"<|tool_call_begin|>functions.look_up:{number}<|tool_call_argument_begin|>" in text
        assert f'## Return of functions.look_up:{number}\n"{result}"' in text


def test_what_a_template_alters_is_said_in_the_record():
    facts = builder("quoting").tools.facts
    assert facts["round_trip"]
    assert facts["altered_by_template"] == ["an apostrophe", "a line break", "a backslash"]
    assert facts["own_tokens_kept"]
    assert "altered_by_template" not in builder("mistral").tools.facts


def test_a_turn_that_the_template_would_alter_stays_as_its_own_tokens():
    build = builder("quoting")
    talk = said(build, [Message("user", "Go.")], SAID)
    assert talk[-1].reply.calls == (ITS,)
    assert build.kept(talk[-1])
    talk.append(Message("tool", "found"))
    ids = build.ids(talk, [TOOL])
    whole = [*talk[1].reply.prompt_ids, *talk[1].reply.token_ids]
    assert ids[: len(whole)] == whole
    assert text_of(build, ids).count(SAID) == 1
    assert "It's me'" not in text_of(build, ids)
    # Without the tokens of the last turn the text is made anew, and still it is the model's own.
    anew = [talk[0], talk[1], talk[2], Message("assistant", "Done."), Message("user", "On.")]
    assert build.ids(anew, [TOOL])[: len(ids)] == ids[: len(ids)]
    mark = build.tokenizer.convert_tokens_to_ids("<|python_start|>")
    assert build.ids(anew, [TOOL]).count(mark) == 1, "the mark is the token that the model said, not letters"


def test_two_such_turns_each_keep_their_own_tokens():
    build = builder("quoting")
    talk = [Message("user", "Go.")]
    for word in ("It's", "that's"):
        talk = said(build, talk, f'<|python_start|>[look_up(word="{word}")]<|python_end|>')
        talk.append(Message("tool", "found"))
    last = Message("assistant", "other words", Reply("Done.", "Done.", (), (1,), (2,)))
    text = text_of(build, build.ids([*talk, last, Message("user", "On.")], [TOOL]))
    assert text.index('"It\'s"') < text.index('"that\'s"') < text.index("other words")


def test_a_turn_that_comes_back_equal_is_the_templates():
    build = builder("quoting")
    talk = said(build, [Message("user", "Go.")], SAID.replace("It's ", ""))
    assert talk[-1].reply.calls == (PLAIN,)
    assert not build.kept(talk[-1])
    assert "[look_up(word='me')]" in build.render(talk, [TOOL])


def test_another_agents_turn_that_the_template_would_alter_goes_back_in_its_words_as_letters():
    build = builder("quoting")
    other = Message("assistant", SAID, Reply(SAID, "", (ITS,)))
    ids = build.ids([Message("user", "Go."), other, Message("tool", "x")], [TOOL])
    assert SAID in text_of(build, ids)
    assert build.tokenizer.convert_tokens_to_ids("<|python_start|>") not in ids


def test_a_message_cannot_hold_the_place_of_a_turns_tokens():
    build = builder("quoting")
    cut = chr(0xF0000)
    talk = said(build, [Message("user", f"{2 * cut}1{2 * cut}")], SAID)
    text = text_of(build, build.ids([*talk, Message("tool", f"{2 * cut}1{2 * cut}")], [TOOL]))
    assert text.count(SAID) == 1
    assert text.count(f"{2 * cut}1{2 * cut}") == 2


def test_harmony_thought_goes_back_with_a_call_and_is_dropped_after_the_answer():
    build = builder("harmony")
    call = "<|start|>assistant<|channel|>commentary to=functions.look_up <|constrain|>json<|message|>"
    talk = said(
        build, [Message("user", "Go.")], f'<|channel|>analysis<|message|>hm<|end|>{call}{{"word": "me"}}<|call|>'
    )
    first = talk[-1].reply
    assert first.calls == (PLAIN,)
    talk.append(Message("tool", "found"))
    ids = build.ids(talk, [TOOL])
    assert tuple(ids[: len(first.prompt_ids) + len(first.token_ids)]) == (*first.prompt_ids, *first.token_ids)
    talk = said(
        build, talk, "<|channel|>analysis<|message|>so<|end|><|start|>assistant<|channel|>final<|message|>There."
    )
    assert talk[-1].reply.action == "There."
    text = text_of(build, build.ids([*talk, Message("user", "On.")], [TOOL]))
    assert "<|start|>assistant<|channel|>final<|message|>There.<|end|><|start|>user" in text
    assert "so" not in text.split("found")[1]


def test_cohere_words_stand_between_marks_of_the_template_and_their_tokens_are_kept():
    build = builder("cohere")
    talk = said(build, [Message("user", "Go.")], "<|START_RESPONSE|>There.")
    assert talk[-1].reply.action == "There."
    ids = build.ids([*talk, Message("user", "On.")], [TOOL])
    whole = [*talk[1].reply.prompt_ids, *talk[1].reply.token_ids]
    assert ids[: len(whole)] == whole


@pytest.mark.parametrize("family", ["harmony", "quoting"])
def test_a_date_that_a_template_asks_for_is_recorded_and_no_other(family):
    facts = PromptBuilder(tokenizer(family), family).facts
    assert facts.get("template_date") == ("2026-01-01" if family == "harmony" else None)
