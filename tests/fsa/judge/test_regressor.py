"""The regressor."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from fsa.errors import CheckpointError, ConfigError
from fsa.features.hidden_state import HiddenState
from fsa.judge.regressor import RegressorJudge, bent, ridge
from fsa.judge.scores import Probe
from fsa.judge.select import select
from fsa.judge.target import AlignmentTarget
from tests.factories.labelled import made_up

# A small one, for the family's contract.
EXAMPLES = {"RegressorJudge": RegressorJudge}


def fitted() -> RegressorJudge:
    judge = RegressorJudge(level_penalty=1e-6, gap_penalty=1e-6)
    judge.learn(made_up(60))
    return judge


LENGTH = fitted()


def test_ridge_is_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    rows, wanted = generator.normal(size=(30, 4)), generator.normal(size=(30, 2))
    # Theirs is the sum of squares plus alpha, ours the mean plus the penalty.
    theirs = Ridge(alpha=0.3 * 30, fit_intercept=False).fit(rows, wanted)
    np.testing.assert_allclose(ridge(rows, wanted, 0.3), theirs.coef_.T, atol=1e-10)


def test_what_length_decides_is_learned() -> None:
    test = made_up(50, seed=1)
    scores = LENGTH.score([each.probe for each in test])
    assert LENGTH.attributes == ("long", "short")
    missed = [np.abs(one.mean - each.labels.mean).max() for one, each in zip(scores, test, strict=True)]
    assert max(missed) < 0.15  # log characters against log words: nearly a line


def test_order_does_not_change_a_score_to_the_last_bit() -> None:
    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.text("abc ", min_size=1, max_size=30), min_size=2, max_size=5), st.randoms())
    def check(texts: list[str], random: object) -> None:
        order = list(range(len(texts)))
        random.shuffle(order)  # type: ignore[attr-defined]
        one, two = LENGTH.score(
            [Probe("k", "p", tuple(texts)), Probe("other key", "p", tuple(texts[i] for i in order))]
        )
        np.testing.assert_array_equal(two.mean, one.mean[order])
        assert ((one.mean >= 0) & (one.mean <= 1)).all()

    check()


def test_other_probes_do_not_change_a_score() -> None:
    probes = [each.probe for each in made_up(20, responses=3, seed=2)]
    together = LENGTH.score(probes)
    for probe, one in zip(probes, together, strict=True):
        np.testing.assert_array_equal(LENGTH.score([probe])[0].mean, one.mean)


def test_equal_responses_tie() -> None:
    (scores,) = LENGTH.score([Probe("k", "p", ("w1 w2", "w3", "w1 w2"))])
    np.testing.assert_array_equal(scores.mean[0], scores.mean[2])
    assert select(scores, AlignmentTarget({"long": float(scores.mean[0, 0])})).ties == (0, 2)


@given(st.floats(-5, 5), st.floats(0, 5))
def test_bending_keeps_the_order_and_the_range(low: float, more: float) -> None:
    one, two = bent(np.array([low, low + more]))
    assert 0 <= one <= two <= 1
    assert not 0.05 <= low <= 0.95 or one == low


def test_features_and_weights_come_back_bit_for_bit(tmp_path: Path, bert: Path, own_cache: Path) -> None:
    judge = RegressorJudge(HiddenState(str(bert), reads="response"), num_components=4)
    judge.learn(made_up(30))
    judge.save(tmp_path / "saved")
    again = RegressorJudge.load(tmp_path / "saved")
    probes = [each.probe for each in made_up(5, seed=4)]
    for one, two in zip(judge.score(probes), again.score(probes), strict=True):
        np.testing.assert_array_equal(one.mean, two.mean)
    assert again.attributes == judge.attributes
    assert judge.cost.requests == 0
    assert judge.cost.seconds > 0


def test_a_damaged_folder_is_refused(tmp_path: Path) -> None:
    LENGTH.save(tmp_path)
    about = json.loads((tmp_path / "regressor.json").read_text())
    (tmp_path / "regressor.json").write_text(json.dumps(about | {"attributes": ["long"]}))
    with pytest.raises(CheckpointError, match=r"intercept must be finite \[1\], came \[2\]"):
        RegressorJudge.load(tmp_path)
    (tmp_path / "regressor.json").write_text("{}")
    with pytest.raises(CheckpointError, match="not a saved regressor"):
        RegressorJudge.load(tmp_path)


def test_misuse_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gap_penalty must be > 0"):
        RegressorJudge(gap_penalty=0)
    with pytest.raises(ConfigError, match="features or measures"):
        RegressorJudge(measures=())
    with pytest.raises(ConfigError, match="two labelled probes or more, came 1"):
        RegressorJudge().learn(made_up(1))
    with pytest.raises(ConfigError, match="learned nothing"):
        RegressorJudge().score([])
    with pytest.raises(ConfigError, match="after it has learned"):
        RegressorJudge().save(tmp_path)
