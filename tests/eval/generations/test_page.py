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
