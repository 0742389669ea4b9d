"""Whether a text says that all is done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acgym.scorers.final_word import says_done


@pytest.mark.parametrize(
    "text",
    [
        *["Done.", "done", "**Done**", "DONE!", "The task is complete.", "The task is now done.", "Task completed."],
        *["I have finished!", "I've finished the task.", "I am done.", "I’m done with the task", "All done!"],
        *["I put the mug in the box. The task is complete. Let me know!", "Everything is done now.", "Finished"],
        *["Ok, the task has been completed successfully.", "I think that the task is done.", "It is done."],
        *["I have successfully completed the task.", "The task has now been completed.", "Goal achieved!"],
        *["No further action is needed.", "The mug is already in the cabinet, so the task is complete."],
        *["Task completed ✅", "Action: end", "Action: done (the task is complete)", "All steps are done."],
        *["All tasks are complete.", "Completed the task.", "The goal has been reached.", "Mission accomplished"],
    ],
)
def test_a_final_word(text):
    assert says_done(text)


@pytest.mark.parametrize(
    "text",
    [
        *["", "The mug is clean.", "The task is not done.", "Is it done?", "Done?", "When the task is done, I rest."],
        *["I have taken the mug", "done with the mug, now the cup", "take mug", "I am not finished.", "the done mug"],
        *["Task complete? No.", "I am not done", "go to table 1", "All steps are not done.", "done (not really)"],
        *["If the mug is in the box, then so the task is done", "I put it there, so that the task is done."],
        *["When I have it, so the task is done.", "It is not clean, so the task is not done.", '"Is it done?"'],
        *["done " * 5_000, "(" * 5_000, "✅" * 5_000, ", so" * 5_000],
    ],
)
def test_no_final_word(text):
    assert not says_done(text)


@given(st.text())
def test_no_text_raises(text):
    assert says_done(text + "\nDone.")
