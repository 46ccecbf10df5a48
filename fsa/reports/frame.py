"""`frame_of`: rows as a pandas frame, which every table, page and picture is made from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from fsa.files import whole_file
from fsa.reports.numbers import number, with_interval
from fsa.reports.row import FIELDS, Row


def frame_of(rows: Sequence[Row]) -> pd.DataFrame:
    """One line a row, in order; columns are the fields of `Row`, the slice in words ("" for everything)."""
    columns = {name: [getattr(row, name) for row in rows] for name in FIELDS}
    columns["slice"] = [row.slice_name for row in rows]
    frame = pd.DataFrame(columns)
    return frame.astype(dict.fromkeys(("value", "low", "high"), float))


def texts(
    frame: pd.DataFrame, show: Literal["number", "interval"] = "number", *, sign: bool = False
) -> pd.Series:
    """Every number of a frame as it is written, with its interval if asked for."""
    if show == "number":
        made = [number(*each, sign=sign) for each in zip(frame.value, frame.metric, strict=True)]
    else:
        columns = frame.value, frame.low, frame.high, frame.metric
        made = [with_interval(*each, sign=sign) for each in zip(*columns, strict=True)]
    return pd.Series(made, frame.index, dtype=object)


def wide(frame: pd.DataFrame, index: str | list[str], columns: str, text: pd.Series) -> pd.DataFrame:
    """Texts as a table, lines and columns in the order in which they came; "-" where there is none."""
    names = [index] if isinstance(index, str) else index
    table = frame.assign(text=text).drop_duplicates([*names, columns], keep="last")
    table = table.pivot(index=index, columns=columns, values="text")
    lines = frame[names].drop_duplicates()
    order = pd.MultiIndex.from_frame(lines) if len(names) > 1 else pd.Index(lines[names[0]], name=index)
    return table.reindex(index=order, columns=frame[columns].drop_duplicates()).fillna("-")


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write all numbers, to six digits."""
    with whole_file(path) as unfinished:
        frame.to_csv(unfinished, index=False, float_format="%.6g", lineterminator="\n")
