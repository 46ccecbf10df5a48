"""Vectors come back bit for bit, whoever wrote them, whatever was interrupted."""

import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from fsa.errors import FeatureError
from fsa.features.store import FeatureStore


def rows(first: int, count: int, width: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Keys and vectors that belong together: number i has key i (hashed about) and vector i, i + 1, ..."""
    numbers = np.arange(first, first + count)
    keys = np.zeros((count, 16), np.uint8)
    keys[:, :8] = (numbers * 2654435761 % 2**32).astype("<u8").view(np.uint8).reshape(count, 8)
    return keys, (numbers[:, None] + np.arange(width)).astype(np.float32) / 7


def test_what_was_appended_comes_back_and_the_rest_is_missing(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path / "s", 3)
    keys, vectors = rows(0, 10)
    store.append(keys[:4], vectors[:4])
    store.append(keys[6:], vectors[6:])
    found, got = FeatureStore(tmp_path / "s", 3).get(keys[::-1])
    assert found.tolist() == [True] * 4 + [False] * 2 + [True] * 4
    assert_array_equal(got, np.where(found[:, None], vectors[::-1], 0))
    assert len(store) == 8


def test_an_empty_store_finds_nothing(tmp_path: Path) -> None:
    found, vectors = FeatureStore(tmp_path, 3).get(rows(0, 2)[0])
    assert not found.any()
    assert vectors.shape == (2, 3)
    assert FeatureStore(tmp_path, 3).get(np.zeros((0, 16), np.uint8))[1].shape == (0, 3)


def test_keys_that_differ_in_zero_bytes_at_the_end_are_different(tmp_path: Path) -> None:
    keys = np.zeros((3, 16), np.uint8)
    keys[1, 15], keys[2, 0] = 1, 1
    store = FeatureStore(tmp_path, 1)
    store.append(keys, np.array([[1.0], [2.0], [3.0]]))
    assert_array_equal(store.get(keys)[1], [[1.0], [2.0], [3.0]])


def test_two_open_writers_see_each_other(tmp_path: Path) -> None:
    one, two = FeatureStore(tmp_path, 3), FeatureStore(tmp_path, 3)
    keys, vectors = rows(0, 6)
    one.append(keys[:4], vectors[:4])
    two.append(keys[2:], vectors[2:])  # two keys are written twice: harmless
    for store in (one, two):
        found, got = store.get(keys)
        assert found.all()
        assert_array_equal(got, vectors)
    assert len(list(tmp_path.glob("*.keys"))) == 2


def _write(folder: Path, start: int) -> None:
    store = FeatureStore(folder, 3)
    for first in range(start, start + 200, 5):
        store.append(*rows(first, 5))


def test_processes_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(tmp_path / "s", start)) for start in (0, 200)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    keys, vectors = rows(0, 400)
    found, got = FeatureStore(tmp_path / "s", 3).get(keys)
    assert found.all()
    assert_array_equal(got, vectors)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_writes_to_its_own_files(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, 3)
    store.append(*rows(0, 2))
    child = os.fork()
    if child == 0:
        store.append(*rows(2, 2))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    store.append(*rows(4, 2))
    keys, vectors = rows(0, 6)
    assert_array_equal(store.get(keys)[1], vectors)
    assert len(list(tmp_path.glob("*.keys"))) == 2


@pytest.mark.parametrize(
    ("suffix", "lost_bytes", "kept"),
    [("vectors", 5, 4), ("vectors", 12, 4), ("vectors", 13, 3), ("keys", 1, 4), ("keys", 32, 3)],
)
def test_a_torn_tail_costs_only_itself(tmp_path: Path, suffix: str, lost_bytes: int, kept: int) -> None:
    keys, vectors = rows(0, 5)
    FeatureStore(tmp_path, 3).append(keys, vectors)
    (torn,) = tmp_path.glob(f"*.{suffix}")
    os.truncate(torn, torn.stat().st_size - lost_bytes)
    store = FeatureStore(tmp_path, 3)
    found, got = store.get(keys)
    assert found.tolist() == [True] * kept + [False] * (5 - kept)
    assert_array_equal(got[:kept], vectors[:kept])
    store.append(keys[kept:], vectors[kept:])  # resumed, in files of its own
    assert_array_equal(FeatureStore(tmp_path, 3).get(keys)[1], vectors)


def test_a_failed_write_is_followed_by_new_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FeatureStore(tmp_path, 3)
    keys, vectors = rows(0, 6)
    store.append(keys[:2], vectors[:2])
    writer = store._writer
    assert writer is not None
    writer.vectors.write(b"half")  # the disk is full in the middle of a row ...
    writer.vectors.flush()
    monkeypatch.setattr(writer, "write", _fail)
    with pytest.raises(OSError, match="full"):
        store.append(keys[2:4], vectors[2:4])
    store.append(keys[4:], vectors[4:])
    found, got = store.get(keys)
    assert found.tolist() == [True, True, False, False, True, True]
    assert_array_equal(got[found], vectors[found])


def _fail(keys: bytes, vectors: bytes, sums: bytes) -> None:
    raise OSError("the disk is full")


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    FeatureStore(tmp_path, 3, about={"pooling": "mean"})
    FeatureStore(tmp_path, 3, about={"pooling": "mean"})  # the same again is fine
    for arguments in ({"width": 4}, {"dtype": "float16"}, {"about": {"pooling": "last"}}):
        with pytest.raises(FeatureError, match=r"meta\.json: the store holds"):
            FeatureStore(tmp_path, **{"width": 3, "about": {"pooling": "mean"}, **arguments})
    (tmp_path / "meta.json").write_text("{")
    with pytest.raises(FeatureError, match="not a feature store"):
        FeatureStore(tmp_path, 3)


def test_keys_without_vectors_are_refused(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, 3)
    store.append(*rows(0, 2))
    next(tmp_path.glob("*.vectors")).unlink()
    with pytest.raises(FeatureError, match=r"\.vectors file is missing"):
        FeatureStore(tmp_path, 3).get(rows(0, 1)[0])


def test_half_precision_halves_the_space(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, 3, dtype="float16")
    keys, vectors = rows(0, 10)
    store.append(keys, vectors)
    assert next(tmp_path.glob("*.vectors")).stat().st_size == 10 * 3 * 2
    assert_array_equal(store.get(keys)[1], vectors.astype(np.float16).astype(np.float32))
    with pytest.raises(FeatureError, match="not finite as float16"):
        store.append(keys[:1], np.full((1, 3), 1e6))


def test_shapes_must_agree(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match=r"vectors are \[2, 3\]; 2 keys of width 4"):
        FeatureStore(tmp_path, 4).append(*rows(0, 2))
