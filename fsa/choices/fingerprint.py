"""`fingerprint`: whether two tables hold the same choices, in a few digits."""

from __future__ import annotations

import hashlib
from dataclasses import fields

import numpy as np
import pyarrow as pa

from fsa.choices.table import ChoiceTable


def fingerprint(table: ChoiceTable) -> str:
    """Hash of all that a table says; equal for equal choices in equal order, wherever they were read from."""
    content = hashlib.blake2b(digest_size=20)
    for each in fields(table):
        column = getattr(table, each.name)
        if isinstance(column, np.ndarray):
            content.update(f"{each.name} {column.dtype} {column.shape}".encode())
            content.update(np.ascontiguousarray(column).tobytes())
        elif isinstance(column, pa.Array | pa.ChunkedArray):
            content.update(each.name.encode())
            for name in column:  # each with its length, so that no two lists of texts read alike
                text = name.as_py().encode()
                content.update(len(text).to_bytes(8, "little") + text)
    return content.hexdigest()
