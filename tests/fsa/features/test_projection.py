"""The projection is scikit-learn's, is fitted on what it is given, and survives saving bit for bit."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from safetensors.numpy import load_file, save_file
from sklearn.decomposition import PCA

from fsa.errors import CheckpointError, ConfigError, FeatureError
from fsa.features.projection import Projection

RESPONSES = ["word " * (1 + 7 * i % 13) for i in range(200)]


@pytest.fixture
def vectors() -> np.ndarray:
    """Spreads from 1 to 1/12 along random directions, off the origin."""
    generator = np.random.default_rng(0)
    scaled = generator.normal(size=(200, 12)) / np.arange(1, 13)
    return (scaled @ generator.normal(size=(12, 12)) + 5).astype(np.float32)


@pytest.mark.parametrize("num_rows", [200, 9], ids=["more rows than features", "fewer"])
def test_components_are_those_of_scikit_learn_up_to_sign(vectors: np.ndarray, num_rows: int) -> None:
    rows, responses = vectors[:num_rows], RESPONSES[:num_rows]
    ours = Projection(num_components=4, extras=[]).fit(rows, responses).apply(rows, responses)
    theirs = PCA(4, whiten=True, svd_solver="full").fit_transform(rows.astype(np.float64))
    theirs *= np.sqrt(num_rows / (num_rows - 1))  # it divides by m - 1; unit spread here is the population's
    assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-5)


def test_components_are_centred_of_unit_spread_and_uncorrelated(vectors: np.ndarray) -> None:
    projected = Projection(num_components=6, extras=[]).fit(vectors, RESPONSES).apply(vectors, RESPONSES)
    assert_allclose(projected.mean(axis=0), 0, atol=1e-6)
    assert_allclose(np.cov(projected.T, bias=True), np.eye(6), atol=1e-5)


def test_sign_is_that_of_the_largest_loading(vectors: np.ndarray) -> None:
    components = Projection(num_components=12).fit(vectors, RESPONSES).tensors()["components"]
    largest = components[np.abs(components).argmax(axis=0), np.arange(12)]
    assert (largest > 0).all()


def test_measures_stand_beside_at_their_scale(vectors: np.ndarray) -> None:
    projection = Projection(num_components=2, extras=["log_length", "log_words"], extras_scale=3.0)
    projected = projection.fit(vectors, RESPONSES).apply(vectors, RESPONSES)
    assert projected.shape == (200, 4)
    assert projection.width == 4
    lengths = np.log1p([len(text) for text in RESPONSES])
    assert_allclose(projected[:, 2], 3 * (lengths - lengths.mean()) / lengths.std(), rtol=1e-5, atol=1e-5)


def test_only_the_rows_given_are_fitted(vectors: np.ndarray) -> None:
    train = Projection(num_components=4).fit(vectors[:100], RESPONSES[:100])
    before = train.tensors()
    train.apply(vectors[100:] * 50, RESPONSES[100:])
    assert all((before[name] == tensor).all() for name, tensor in train.tensors().items())
    assert_allclose(before["centre"], vectors[:100].mean(axis=0, dtype=np.float64))
    # Those left out are not centred by it: what they look like had no say.
    assert np.abs(train.apply(vectors[100:] + 1, RESPONSES[100:]).mean(axis=0)).max() > 0.1


def test_a_row_does_not_depend_on_the_others(vectors: np.ndarray) -> None:
    projection = Projection(num_components=8).fit(vectors, RESPONSES)
    alone = [projection.apply(vectors[i : i + 1], RESPONSES[i : i + 1])[0] for i in range(200)]
    assert_allclose(alone, projection.apply(vectors, RESPONSES), rtol=1e-6, atol=1e-7)


def test_identity_passes_numbers_through() -> None:
    vectors, numbers = np.array([[0.25], [0.5]], np.float32), [(0.25,), (0.5,)]
    projection = Projection(num_components=None, extras=[]).fit(vectors, numbers)
    assert_array_equal(projection.apply(vectors, numbers), vectors)
    assert projection.width == 1


def test_components_that_the_data_lack_are_not_made_up() -> None:
    plane = np.random.default_rng(1).normal(size=(50, 2)) @ np.random.default_rng(2).normal(size=(2, 6))
    projection = Projection(num_components=5, extras=[])
    with pytest.warns(UserWarning, match="have 2 components, not the 5 asked for"):
        projection.fit(plane.astype(np.float32), RESPONSES[:50])
    assert projection.width == 2
    # Three points span two directions, whatever their width.
    with pytest.warns(UserWarning, match="have 2 components"):
        Projection(num_components=5).fit(np.eye(3, 6), RESPONSES[:3])


def test_a_measure_that_never_varies_is_zero(vectors: np.ndarray) -> None:
    same = ["four"] * 200
    assert_array_equal(Projection(2).fit(vectors, same).apply(vectors, same)[:, 2], 0)


def test_saved_and_loaded_is_the_same_to_the_bit(vectors: np.ndarray, tmp_path: Path) -> None:
    arguments = {"num_components": 5, "extras": ["log_length", "log_lines"], "extras_scale": 2.0}
    projection = Projection(**arguments).fit(vectors, RESPONSES)
    projection.save(tmp_path / "p.safetensors")
    loaded = Projection.load(tmp_path / "p.safetensors", **arguments)
    assert_array_equal(loaded.apply(vectors, RESPONSES), projection.apply(vectors, RESPONSES))
    for name, tensor in projection.tensors().items():
        assert_array_equal(loaded.tensors()[name], tensor)


def test_loading_is_strict(vectors: np.ndarray, tmp_path: Path) -> None:
    path, bad = tmp_path / "p.safetensors", tmp_path / "bad.safetensors"
    Projection(5).fit(vectors, RESPONSES).save(path)
    good = load_file(path)
    broken = {
        r"missing tensors \['centre'\]": {name: t for name, t in good.items() if name != "centre"},
        r"tensors of no use \['more'\]": {**good, "more": np.zeros(1)},
        r"components is float64 \[11, 5\], wanted finite float64 \[12, 5\]": {
            **good,
            "components": good["components"][1:].copy(),
        },
        r"centre is float32": {**good, "centre": good["centre"].astype(np.float32)},
        r"centre is .* wanted finite": {**good, "centre": good["centre"] * np.nan},
        r"extras_scale is float64 \[2\]": {**good, "extras_scale": np.zeros(2)},
    }
    for message, tensors in broken.items():
        save_file(tensors, bad)
        with pytest.raises(CheckpointError, match=message):
            Projection.load(bad, num_components=5)
    with pytest.raises(CheckpointError, match="5 components; the configuration says 4"):
        Projection.load(path, num_components=4)
    bad.write_bytes(b"nonsense")
    for unreadable in (bad, tmp_path / "none"):
        with pytest.raises(CheckpointError, match="not a saved projection"):
            Projection.load(unreadable)


def test_misuse_is_named(vectors: np.ndarray) -> None:
    for message, call in {
        "not fitted": lambda: Projection().apply(vectors, RESPONSES),
        "two responses or more": lambda: Projection().fit(vectors[:1], RESPONSES[:1]),
        "one row for each of 3 responses": lambda: Projection().fit(vectors, RESPONSES[:3]),
        "not finite": lambda: Projection().fit(vectors * np.nan, RESPONSES),
        "all features are the same": lambda: Projection().fit(np.ones((9, 3)), RESPONSES[:9]),
        "features are 12 wide; the projection is of 3": lambda: (
            Projection(2).fit(np.eye(5, 3), RESPONSES[:5]).apply(vectors, RESPONSES)
        ),
        "num_components is 0": lambda: Projection(num_components=0),
        "extras\\[0\\] is 'size'; it must be one of log_length": lambda: Projection(extras=["size"]),
        "extras_scale is nan": lambda: Projection(extras_scale=float("nan")),
    }.items():
        with pytest.raises((FeatureError, ConfigError), match=message):
            call()
