import io

from rich.console import Console

from eval.demo import _choice, one_person
from fsa.choices.sandbox_text.measuring import measure
from fsa.choices.simulation.tastes import POLE_NAMES
from tests.fsa.serve.small import text_rewards


def test_the_new_person_prefers_formal_answers_and_nothing_else():
    for topic in range(5):
        choice = _choice(topic)
        chosen, rejected = measure(choice["chosen"]), measure(choice["rejected"])
        assert chosen["formality"] > 0 > rejected["formality"]
        assert chosen["length"] * rejected["length"] > 0
    assert {"formal", "casual"} <= set(POLE_NAMES)


def test_rewards_before_and_after_their_choices_are_shown():
    console = Console(file=io.StringIO(), width=150)
    one_person(text_rewards(), console)  # type: ignore[arg-type]
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "reward before" in said
    assert said.count("(formal, ") == said.count("(casual, ") == 2
    assert "Prefers the formal short answer to the casual short one: " in said
