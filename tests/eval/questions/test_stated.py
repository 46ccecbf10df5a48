import numpy as np
import pytest

from eval.questions.stated import stated, statement
from fsa.choices.sandbox import ATTRIBUTES
from fsa.errors import ConfigError
from fsa.recipes.configured import configured
from fsa.recipes.reward import train_reward

SMALL = ["--source.num_prompts", "120", "--source.num_users", "120", "--source.choices_per_user", "30"]


def test_a_type_names_its_attribute_and_a_mixed_taste_its_strongest():
    taste = np.zeros(len(ATTRIBUTES))
    taste[1] = -1.0
    assert statement(taste) == {ATTRIBUTES[1]: "low"}
    taste = np.full(len(ATTRIBUTES), 0.1)
    taste[2] = 0.4
    assert statement(taste) == {ATTRIBUTES[2]: "high"}


@pytest.mark.slow
def test_a_true_statement_helps_and_a_false_one_harms_those_who_have_not_chosen(tmp_path):
    run = tmp_path / "run"
    given = ["--config", "configs/reward/sandbox.yaml", *SMALL, "--loop.max_steps", "80"]
    given += ["--loop.validate_every", "40", "--out", str(run), "--loop.progress", "false"]
    given += ["--episodes.validation_episodes", "60", "--episodes.users_per_step", "32"]
    given += ["--episodes.max_context", "10", "--episodes.max_targets", "10"]
    train_reward(**configured(train_reward, given))
    report = stated([str(run)], sizes=[0, 3], episodes=60, out=str(tmp_path / "out"))
    found = {(row.method, row.context_size): row for row in report.rows if row.metric == "accuracy"}
    assert (
        found["both", 0].value > found["choices alone", 0].value > found["both, the statement false", 0].value
    )
    assert found["both", 0].value == found["statement alone", 0].value == found["statement alone", 3].value
    gain = next(row for row in report.rows if row.metric == "over_choices" and row.context_size == 0)
    assert gain.value == pytest.approx(found["both", 0].value - found["choices alone", 0].value)


def test_other_choices_than_the_sandbox_s_have_no_known_taste(synthetic_run, tmp_path):
    with pytest.raises(ConfigError, match="only of the sandbox's people"):
        stated([str(synthetic_run)], out=str(tmp_path / "out"))
