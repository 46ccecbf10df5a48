import numpy as np
import pytest
from numpy.testing import assert_array_equal

from fsa.errors import FeatureError
from fsa.features.rendering import Template
from fsa.features.stored import StoredFeatures
from fsa.features.tokens import Tokens


class Lengths(StoredFeatures):
    """The number of a text's words; it runs no backbone, and counts how often it would."""

    computes = "Lengths"
    width = 1
    backbone_hash = "none"
    _max_tokens = 4
    _computed = {"layout": "test"}  # noqa: RUF012

    def __init__(self, store: bool = True) -> None:
        super().__init__("none", 8, 6, "float32", "cpu", store)
        self.ran: list[list[int]] = []

    def _render(self, prompts, responses):
        return Template("response").render_all(prompts, responses)

    def _tokenize(self, texts):
        words = [text.text.split() for text in texts]
        return [Tokens(np.zeros(min(len(w), 4), np.int64), max(len(w) - 4, 0)) for w in words]

    def _run(self, batch):
        self.ran.append([len(tokens.ids) for tokens in batch])
        return np.array([[len(tokens.ids)] for tokens in batch], np.float32)


@pytest.fixture(autouse=True)
def _cache(own_cache):
    pass


TEXTS = ["a b", "c", "a b", "d e f"]


def test_a_text_is_computed_once_longest_first_and_kept():
    first = Lengths()
    assert first.extract([""] * 4, TEXTS)[:, 0].tolist() == [2, 1, 2, 3]
    assert first.ran == [[3, 2], [1]]  # at most 6 tokens a batch, with padding
    again = Lengths()
    assert_array_equal(again.extract([""] * 4, TEXTS), first.extract([""] * 4, TEXTS))
    assert again.ran == []


def test_without_a_store_it_is_computed_each_time():
    extractor = Lengths(store=False)
    for _ in range(2):
        extractor.extract([""], ["c"])
    assert extractor.ran == [[1], [1]]


def test_without_a_store_memory_may_keep_it_until_it_is_told_to_forget(own_cache):
    extractor = Lengths(store=False)
    extractor.kept = 2
    first = extractor.extract([""] * 2, ["c", "a b"])
    assert_array_equal(extractor.extract([""] * 2, ["c", "a b"]), first)
    assert extractor.ran == [[2, 1]]
    extractor.forget()
    extractor.extract([""], ["c"])
    assert extractor.ran == [[2, 1], [1]]
    extractor.hold([""] * 2, ["c", "d e f"])
    extractor.forget()
    extractor.extract([""] * 3, ["c", "d e f", "a b"])
    assert extractor.ran == [[2, 1], [1], [3], [2]]
    assert not list((own_cache / "features").rglob("*.vectors"))


def test_long_texts_are_counted_and_warned_of_once():
    extractor = Lengths()
    with pytest.warns(UserWarning, match="1 of 1 texts have more than 4 tokens"):
        extractor.extract([""], ["a b c d e f"])
    extractor.extract([""], ["a b c d e f"])
    assert extractor.num_cut == 1


@pytest.mark.filterwarnings("ignore")
def test_long_texts_are_told_apart_up_to_a_bound_and_forgotten(monkeypatch):
    monkeypatch.setattr("fsa.features.stored._MOST_CUT", 3)
    extractor = Lengths(store=False)
    for first in "abcdef":
        extractor.extract([""] * 2, [f"{first} b c d e f", f"{first} b c d e f g"])
        assert extractor.num_cut <= 3
    assert extractor.num_cut == len(extractor._cut) == 3
    extractor.forget()
    assert extractor.num_cut == 0


def test_numbers_are_no_text_and_none_at_all_is_no_row():
    with pytest.raises(FeatureError, match="Lengths reads text"):
        Lengths().extract([""], [(1.0, 2.0)])
    assert Lengths().extract([], []).shape == (0, 1)


def test_another_way_to_compute_has_another_fingerprint():
    one, other = Lengths(), Lengths()
    other._computed = {"layout": "test.2"}
    assert one.fingerprint == Lengths().fingerprint != other.fingerprint
