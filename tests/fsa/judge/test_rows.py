import numpy as np
import pytest

from fsa.errors import CheckpointError, ConfigError
from fsa.judge.rows import ProbeRows, distinct_rows
from fsa.judge.scores import Probe
from tests.factories.features import Hashed

PROBES = [Probe("p", "Q?", ("one", "two words", "one")), Probe("q", "Q?", ("a b c", "d"))]


def test_rows_of_every_probe_come_back_after_saving(tmp_path):
    rows = ProbeRows(None, ["log_length", "log_words"], 4, 1.0)
    rows.fit(PROBES)
    found = rows.of(PROBES)
    assert [each.shape for each in found] == [(3, rows.width), (2, rows.width)]
    np.testing.assert_array_equal(found[0][0], found[0][2])
    again = ProbeRows.load(tmp_path, rows.save(tmp_path))
    for mine, theirs in zip(found, again.of(PROBES), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert rows.of([]) == []


def test_features_stand_before_measures():
    rows = ProbeRows(Hashed(), ["log_length"], 2, 1.0)
    rows.fit(PROBES)
    assert rows.width == 3


def test_what_cannot_be_made_or_saved_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="came neither"):
        ProbeRows(None, [], 4, 1.0)
    rows = ProbeRows(Hashed(), [], 2, 1.0)
    rows.fit(PROBES)
    with pytest.raises(ConfigError, match="only HiddenState features can be saved, came Hashed"):
        rows.save(tmp_path)
    with pytest.raises(CheckpointError, match="features cannot be made"):
        ProbeRows.load(tmp_path, {"features": None})


def test_different_texts_are_counted_in_alphabetical_order():
    rows, counts, where = distinct_rows(PROBES[0], np.array([[1.0], [2.0], [1.0]]))
    assert (rows.tolist(), counts.tolist(), where.tolist()) == ([[1.0], [2.0]], [2, 1], [0, 1, 0])
