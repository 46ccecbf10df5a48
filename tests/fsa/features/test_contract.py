"""Promises of every extractor; members are found by walking the folder, and made by their own tests."""

import numpy as np
import pytest

import fsa.features
from fsa.errors import FeatureError
from fsa.features.extractor import FeatureExtractor
from tests.factories.family import example, members
from tests.factories.reward_models import text

MEMBERS = members(fsa.features, FeatureExtractor)


def test_the_members_are_found():
    assert set(MEMBERS) >= {"HiddenState", "LogProb", "Measured", "Numeric", "Radial"}


@pytest.fixture(params=MEMBERS)
def make(request, bert, llama, own_cache):
    return lambda: example(MEMBERS[request.param])({"bert": str(bert), "llama": str(llama)})


@pytest.fixture
def responses(make):
    """Texts, or numbers for an extractor that reads no text."""
    texts = [text(i, 3 + i % 4) for i in range(7)]
    try:
        make().extract(["p"], texts[:1])
    except FeatureError:
        return [[i / 7] for i in range(7)]
    return texts


def test_a_row_each_of_finite_single_precision_numbers(make, responses):
    extractor = make()
    rows = extractor.extract(["p"] * 7, responses)
    assert rows.shape == (7, extractor.width)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()


def test_a_row_does_not_depend_on_its_company_or_order(make, responses):
    rows = make().extract(["p"] * 7, responses)
    order = [3, 0, 6, 1]
    np.testing.assert_allclose(
        make().extract(["p"] * 4, [responses[i] for i in order]), rows[order], atol=1e-5
    )


def test_equal_settings_have_one_fingerprint(make):
    assert make().fingerprint == make().fingerprint != ""


def test_none_is_a_matrix_without_rows(make):
    extractor = make()
    assert extractor.extract([], []).shape == (0, extractor.width)
