"""safetensors files, read by the page that describes the format and apart from the library."""

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.records import Nonsense, strict_json
from tests.fuzz.trying import Opinion

SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}


def read_tensors(content: bytes) -> tuple[dict[str, tuple[str, list[int], Any, int]], dict[str, str]]:
    """A safetensors file by the page that describes the format: dtype, shape, numbers and place of each.

    Raises:
        Nonsense: It is none.
    """
    if len(content) < 8:
        raise Nonsense("there is no length")
    size = struct.unpack("<Q", content[:8])[0]
    if size > len(content) - 8:
        raise Nonsense("the header ends after the file")
    try:
        header = strict_json(content[8 : 8 + size].decode())
    except UnicodeDecodeError:
        raise Nonsense("the header is not UTF-8") from None
    if not isinstance(header, dict):
        raise Nonsense("the header is no object")
    metadata = header.pop("__metadata__", {})
    if metadata is not None and not (
        isinstance(metadata, dict) and all(isinstance(one, str) for one in metadata.values())
    ):
        raise Nonsense("metadata are no texts")
    data, found, spans = content[8 + size :], {}, []
    for name, entry in header.items():
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise Nonsense(f"{name} is no entry")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(dtype, str) or not _counts(shape) or not _counts(offsets) or len(offsets) != 2:
            raise Nonsense(f"{name} is no tensor")
        if dtype not in SIZES:
            raise Nonsense(f"{name} is of type {dtype}")
        start, end = offsets
        if not start <= end <= len(data) or end - start != math.prod(shape) * SIZES[dtype]:
            raise Nonsense(f"{name} does not lie where it should")
        values = np.frombuffer(data[start:end], FLOATS[dtype]) if dtype in FLOATS else np.zeros(0)
        spans.append((start, end))
        found[name] = (dtype, shape, values, 8 + size + start)
    at = 0
    for start, end in sorted(spans):
        if start != at:
            raise Nonsense("tensors overlap, or there is a hole")
        at = end
    if at != len(data):
        raise Nonsense("there is more than the tensors")
    return found, metadata or {}


def _counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(one) is int and 0 <= one < 2**63 for one in value)


def of_tensors(path: Path, before: bytes) -> Opinion:
    """What a file that took the place of another has to be."""

    def nonsense(why: str) -> Opinion:
        return Opinion("nonsense", why, [path.name, str(path.parent)])

    wanted, of_run = read_tensors(before)
    try:
        found, metadata = read_tensors(path.read_bytes())
    except Nonsense as wrong:
        return nonsense(wrong.why)
    if found.keys() != wanted.keys():
        return nonsense("there are other tensors")
    if metadata.get("run") != of_run.get("run"):
        return nonsense("it is of another run")
    for name, (dtype, shape, values, _) in found.items():
        if dtype not in (*FLOATS, "BF16"):
            return nonsense(f"{name} holds no numbers with a point")
        if sorted(shape) != sorted(wanted[name][1]) or math.prod(shape) != math.prod(wanted[name][1]):
            return nonsense(f"{name} has another shape")
        if not np.isfinite(values).all():
            return nonsense(f"{name} is not finite")
    return Opinion("unsure")
