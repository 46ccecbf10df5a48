from eval.generations.answers import AnswerWriter, Writing
from eval.generations.page import page
from eval.generations.raters import SandboxRater
from eval.generations.steering import write
from fsa.choices.sandbox import ATTRIBUTES
from tests.factories.stand_in_policy import TYPES, StandIn


def test_the_page_shows_every_group_and_keeps_markup_out(field, sandbox):
    written = write(AnswerWriter(StandIn(), Writing()), field, [8])
    written.given[8][0, 0, 0] = "one | two\n* <b>three"
    text = page(written, field, SandboxRater(sandbox), "NP-DPO")
    assert [line for line in text.splitlines() if line.startswith("## ")] == [f"## {name}" for name in TYPES]
    assert "one \\| two<br>\\* &lt;b>three" in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.replace("\\|", "").count("|") == 4 for line in tables)
    assert f"*{ATTRIBUTES[0]} " in text


def test_groups_take_turns_until_there_are_answers_enough_and_choices_are_shown(field, sandbox):
    written = write(AnswerWriter(StandIn(), Writing()), field, [8])
    text = page(written, field, SandboxRater(sandbox), "NP-DPO", at_least=6)
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == [f"## {name}" for name in [*TYPES, *TYPES[:2]]]
    assert text.count("<summary>8 choices</summary>") == 6
    choice = field.subjects[0].choices[0]
    assert f"chosen: {choice.options[choice.outcome.index]}<br>not chosen:" in text
