"""Which labelled responses a judge is shown."""

from collections.abc import Sequence

import numpy as np
import pytest

from fsa.errors import ConfigError
from fsa.features.extractor import FeatureExtractor
from fsa.judge.examples import SimilarExamples
from fsa.judge.scores import AttributeScores, Labelled, Probe


class Angle(FeatureExtractor):
    """A text that is a number of degrees, as a point on a circle: the nearest number is the most similar."""

    fingerprint = "angle"
    width = 2

    def extract(self, prompts: Sequence, responses: Sequence, progress: bool = False) -> np.ndarray:
        angles = np.deg2rad([float(text) for text in responses])
        return (7 * np.stack([np.cos(angles), np.sin(angles)], 1)).astype(np.float32)


def labelled(prompt: str, *scores: float, reasoning: str | None = None) -> Labelled:
    probe = Probe(prompt, prompt, tuple(f"response {i}" for i in range(len(scores))))
    said = None if reasoning is None else tuple((reasoning,) for _ in scores)
    return Labelled(probe, AttributeScores(("wit",), np.array(scores)[:, None], reasoning=said))


def learned(*entries: Labelled, levels: int | None = None) -> SimilarExamples:
    examples = SimilarExamples(Angle(), levels)
    examples.learn(entries)
    return examples


def test_one_example_a_level_the_nearest_that_has_it_and_the_nearest_last():
    examples = learned(
        labelled("10", 0, 0),
        labelled("20", 0, 0),
        labelled("30", 0.5, 0.5),
        labelled("80", 0.5, 0.5),
        labelled("70", 0.5, 1),
    )
    (near,) = examples.near(["19"], "wit")
    # Level 0: 20 (1 degree away) beats 10; 0.5: 30 beats 80 and 70; 1: only 70 has it.
    assert [example.prompt for example in near] == ["70", "30", "20"]
    assert [example.scores[example.shows] for example in near] == [1.0, 0.5, 0.0]


def test_no_example_is_shown_twice():
    near = learned(labelled("10", 0, 1), labelled("90", 0, 1)).near(["11"], "wit")[0]
    assert sorted(example.prompt for example in near) == ["10", "90"]


def test_the_probes_own_prompt_is_never_shown():
    near = learned(labelled("10", 0, 0), labelled("50", 0, 0)).near(["10"], "wit")[0]
    assert [example.prompt for example in near] == ["50"]


def test_fewer_levels_are_spread_from_lowest_to_highest():
    entries = [labelled(str(i), level, level) for i, level in enumerate((0, 0.25, 0.5, 0.75, 1))]
    near = learned(*entries, levels=3).near(["40"], "wit")[0]
    assert sorted(example.scores[0] for example in near) == [0, 0.5, 1]


def test_a_missing_reasoning_is_the_score_in_words():
    given = learned(labelled("10", 0.75, 0.75, reasoning="It is droll.")).near(["1"], "wit")[0][0]
    assert given.reasonings == ("It is droll.", "It is droll.")
    worded = learned(labelled("10", 0, 1)).near(["1"], "wit")[0][0]
    assert worded.reasonings == (
        "The response has very little of it.",
        "The response has very much of it.",
    )


def test_examples_are_wanted_but_none_were_given():
    with pytest.raises(ConfigError, match="call learn"):
        SimilarExamples(Angle()).near(["1"], "wit")
    with pytest.raises(ConfigError, match="came none"):
        SimilarExamples(Angle()).learn([])
    with pytest.raises(ConfigError, match="levels must be 1 or more"):
        SimilarExamples(Angle(), levels=0)


def test_an_attribute_without_labels_is_one_clear_error():
    with pytest.raises(ConfigError, match="'grace' is not scored; scored are wit"):
        learned(labelled("10", 0, 1)).near(["1"], "grace")
