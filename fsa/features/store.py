"""`FeatureStore`: vectors computed once, memory-mapped, written by any number of processes."""

from __future__ import annotations

import json
import os
import threading
import uuid
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8
from numpy.typing import NDArray

from fsa.errors import FeatureError
from fsa.files import replacing

_LAYOUT = "fsa.features.1"
_KEY_BYTES = 16


class FeatureStore:
    """A folder of vectors, found by 16-byte keys.

    Every writer appends to a pair of files of its own, `NAME.vectors` and then `NAME.keys`, so no two
    writers meet and no lock is held; readers merge all pairs. A pair has as many rows as both its files have
    in full: an interrupted write costs what it was writing, and its torn tail is skipped.

    Args:
        folder: Made if missing. One folder per fingerprint.
        width: Numbers in a vector.
        dtype: How vectors lie on the disk. float32 gives back what was computed; float16 halves the space and
            loses about three decimal digits.
        about: What the vectors depend on; a folder that says otherwise is refused.

    Raises:
        FeatureError: The folder holds something else, or lacks a file of a pair.
    """

    def __init__(
        self,
        folder: str | Path,
        width: int,
        *,
        dtype: str = "float32",
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder, self.width, self.dtype = Path(folder), width, np.dtype(dtype)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._check_meta({"layout": _LAYOUT, "width": width, "dtype": dtype, "about": dict(about or {})})
        self._lock = threading.Lock()
        self._writer: _Writer | None = None
        self._index = _Index.empty()
        self._damaged: dict[Path, set[int]] = {}

    def __len__(self) -> int:
        """Keys known, by any writer."""
        with self._lock:
            self._refresh()
            return len(self._index.keys)

    def get(
        self, keys: UInt8[np.ndarray, "m 16"]
    ) -> tuple[Bool[np.ndarray, " m"], Float32[np.ndarray, "m d"]]:
        """Which keys are known, and their vectors; zeros for those that are not."""
        with self._lock:
            self._refresh()
            known = np.zeros(len(keys), bool)
            vectors = np.zeros((len(keys), self.width), np.float32)
            wanted = np.arange(len(keys))
            while len(wanted):  # once; again where a damaged row may have an undamaged twin
                found, shard, row = self._index.find(_as_strings(keys[wanted]))
                damaged: list[NDArray[np.int64]] = []
                for number in np.unique(shard[found]):
                    mine = np.flatnonzero(found & (shard == number))
                    path = self._index.shards[number]
                    shape = (self._index.shards_seen[path], self.width)
                    vectors_of = np.memmap(path.with_suffix(".vectors"), self.dtype, "r", shape=shape)
                    rows = np.asarray(vectors_of[row[mine]])
                    good = self._is_whole(path, row[mine], keys[wanted[mine]], rows)
                    vectors[wanted[mine[good]]], known[wanted[mine[good]]] = rows[good], True
                    self._damaged.setdefault(path, set()).update(row[mine[~good]].tolist())
                    damaged.append(wanted[mine[~good]])
                wanted = np.concatenate(damaged) if damaged else wanted[:0]
                if len(wanted):
                    self._say_damaged(len(wanted))
                    self._index = _Index.of(self._index.shards_seen, self._damaged)
        return known, vectors

    def append(self, keys: UInt8[np.ndarray, "m 16"], vectors: Float[np.ndarray, "m d"]) -> None:
        """Keep vectors under their keys; a key that is known already is harmless.

        Raises:
            FeatureError: The shapes disagree, or a number is not finite as `dtype`.
        """
        with np.errstate(over="ignore"):  # said below, in words
            rows = np.ascontiguousarray(vectors, self.dtype)
        if rows.shape != (len(keys), self.width):
            raise FeatureError(f"vectors are {list(rows.shape)}; {len(keys)} keys of width {self.width} came")
        if not np.isfinite(rows).all():
            raise FeatureError(f"a vector is not finite as {self.dtype}; the store keeps finite numbers only")
        with self._lock:
            # A forked process must not write to its parent's files.
            if self._writer is None or self._writer.process != os.getpid():
                self._writer = _Writer(self.folder)
            try:
                sums = _sums(keys, rows)
                self._writer.write(
                    np.ascontiguousarray(keys, np.uint8).tobytes(), rows.tobytes(), sums.tobytes()
                )
            except BaseException:
                self._writer = None  # its files may end in half a row: nothing may follow that
                raise

    def _refresh(self) -> None:
        """Read the keys again if any file of keys has grown since."""
        paths = sorted(path for path in self.folder.glob("*.keys") if path.is_file())
        shards = {path: self._num_rows(path) for path in paths}
        if shards != self._index.shards_seen:
            self._index = _Index.of(shards, self._damaged)

    def _is_whole(
        self, path: Path, row: NDArray[np.int64], keys: UInt8[np.ndarray, "m 16"], rows: NDArray[Any]
    ) -> NDArray[np.bool_]:
        """Which rows are what was written [m]; all, in a pair of files without checksums."""
        try:
            sums = np.fromfile(path.with_suffix(".sums"), np.uint64)
        except OSError:
            return np.isfinite(rows).all(1)
        kept = sums[np.minimum(row, len(sums) - 1)] if len(sums) else np.zeros(len(row), np.uint64)
        return (row < len(sums)) & (kept == _sums(keys, rows))

    def _say_damaged(self, count: int) -> None:
        warnings.warn(
            f"{self.folder}: {count} rows are not what was written there; they are computed again",
            stacklevel=5,
        )

    def _num_rows(self, keys: Path) -> int:
        try:
            vectors_bytes = keys.with_suffix(".vectors").stat().st_size
        except FileNotFoundError as error:
            raise FeatureError(
                f"{keys}: its .vectors file is missing; delete the .keys file as well"
            ) from error
        return min(keys.stat().st_size // _KEY_BYTES, vectors_bytes // (self.width * self.dtype.itemsize))

    def _check_meta(self, meta: dict[str, Any]) -> None:
        path = self.folder / "meta.json"
        if path.is_dir():
            raise FeatureError(f"{path}: not a feature store: it is a folder")
        if not path.exists():
            with replacing(path) as unfinished:  # two writers at once put the same words there
                unfinished.write_text(json.dumps(meta, indent=1) + "\n")
        try:
            kept = json.loads(path.read_text())
        except ValueError as error:
            raise FeatureError(f"{path}: not a feature store: {error}") from error
        if kept != json.loads(json.dumps(meta)):
            raise FeatureError(
                f"{path}: the store holds {kept}, but {meta} was asked for; delete or move the folder"
            )


class _Writer:
    """One process's pair of files, growing row by row."""

    def __init__(self, folder: Path) -> None:
        self.process = os.getpid()
        name = uuid.uuid4().hex
        # Vectors first, here and in `write`: a key that can be read has its vector.
        self.vectors: BinaryIO = (folder / f"{name}.vectors").open("xb")
        self.sums: BinaryIO = (folder / f"{name}.sums").open("xb")
        self.keys: BinaryIO = (folder / f"{name}.keys").open("xb")

    def write(self, keys: bytes, vectors: bytes, sums: bytes) -> None:
        for file, content in ((self.vectors, vectors), (self.sums, sums), (self.keys, keys)):
            file.write(content)
            file.flush()


class _Index:
    """Sorted keys of all shards, and where each one's vector is."""

    def __init__(
        self,
        seen: dict[Path, int],
        keys: NDArray[np.bytes_],
        shard: NDArray[np.int64],
        row: NDArray[np.int64],
    ) -> None:
        self.shards_seen, self.shards = seen, list(seen)
        self.keys, self._shard, self._row = keys, shard, row

    @classmethod
    def empty(cls) -> _Index:
        return cls.of({})

    @classmethod
    def of(cls, shards: dict[Path, int], damaged: Mapping[Path, set[int]] | None = None) -> _Index:
        """Read the keys of these many rows of every shard, but those of damaged ones."""
        parts = [np.fromfile(path, np.uint8, rows * _KEY_BYTES) for path, rows in shards.items()]
        keys = _as_strings(np.concatenate([np.zeros(0, np.uint8), *parts]).reshape(-1, _KEY_BYTES))
        counts = np.array(list(shards.values()), np.int64)
        starts = np.cumsum(counts) - counts
        usable = np.ones(len(keys), bool)
        for path, start in zip(shards, starts, strict=True):
            usable[[start + row for row in (damaged or {}).get(path, ())]] = False
        unique, place = np.unique(keys[usable], return_index=True)
        first = np.flatnonzero(usable)[place]
        shard = np.searchsorted(starts + counts, first, side="right")
        return cls(shards, unique, shard, first - starts[shard] if len(starts) else first)

    def find(
        self, keys: NDArray[np.bytes_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
        """Whether each key is known, its shard, and its row there; 0 where it is not known."""
        if not len(self.keys):
            nowhere = np.zeros(len(keys), np.int64)
            return nowhere.astype(bool), nowhere, nowhere
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return self.keys[place] == keys, self._shard[place], self._row[place]


def _sums(keys: UInt8[np.ndarray, "m 16"], rows: NDArray[Any]) -> NDArray[np.uint64]:
    """Checksum of each row with its key [m]: any one changed 16-bit word changes it."""
    content = np.concatenate(
        [np.ascontiguousarray(part).view(np.uint16).reshape(len(keys), -1) for part in (keys, rows)], axis=1
    ).astype(np.uint64)
    weights = 2 * np.arange(1, content.shape[1] + 1, dtype=np.uint64) ** 3 + 1  # odd: no word is lost
    sums: NDArray[np.uint64] = (content * weights).sum(axis=1, dtype=np.uint64)
    return sums + np.uint64(0x9E3779B97F4A7C15)  # a row of zeros in a lost page has no sum of zero


def _as_strings(keys: UInt8[np.ndarray, "m 16"]) -> NDArray[np.bytes_]:
    """16 bytes as one string each: NumPy orders and compares those at once.

    It ignores zero bytes at the end, which is harmless among strings of one length.
    """
    return np.ascontiguousarray(keys, np.uint8).reshape(-1, _KEY_BYTES).view(f"S{_KEY_BYTES}")[:, 0]
