import pytest

from fsa.features.extractor import FeatureExtractor
from tests.factories.features import Hashed


def test_a_member_has_to_name_measure_and_extract():
    with pytest.raises(TypeError, match="abstract"):
        FeatureExtractor()  # type: ignore[abstract]


def test_a_row_is_as_wide_as_is_said_and_depends_on_its_own_text():
    extractor = Hashed()
    together = extractor.extract(["", ""], ["one two", "three"])
    assert together.shape == (2, extractor.width)
    assert (extractor.extract([""], ["three"])[0] == together[1]).all()
