"""`Jsonl`: choices from JSONL files, plain or gzipped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from fsa.choices.reading.json_lines import json_blocks
from fsa.choices.reading.record_source import RULES, RecordSource
from fsa.choices.reading.table_cache import table_key
from fsa.errors import ConfigError

_WORTH_A_BAR = 20 << 20  # bytes


class Jsonl(RecordSource):
    """Records in files, one JSON object a line; see `parse_record` for the format.

    Parsed files are kept under `cache_dir()` by the hash of what is in them, so a second load takes a moment.
    Files with bad records are parsed anew each time, so that each time the records are listed.

    Args:
        path: A file, or several that are read one after the other; .jsonl or .jsonl.gz.
        max_line_bytes: A longer line is a bad record, > 0; it is never parsed.
        reading: See `RecordSource`.
    """

    def __init__(
        self,
        path: str | list[str],
        *,
        max_line_bytes: int = 8 << 20,
        **reading: Any,
    ) -> None:
        super().__init__(**reading)
        self.paths = [Path(p).expanduser() for p in ([path] if isinstance(path, str | Path) else path)]
        if not self.paths:
            raise ConfigError("path must name one file or more, came an empty list")
        if max_line_bytes < 1:
            raise ConfigError(f"max_line_bytes is {max_line_bytes}; it must be >= 1")
        self.max_line_bytes = max_line_bytes

    def _records(self) -> Iterator[tuple[str, Any]]:
        return chain.from_iterable(self._blocks())

    def _blocks(self) -> Iterator[list[tuple[str, Any]]]:
        sizes = {path: path.stat().st_size if path.is_file() else 0 for path in self.paths}
        if sum(sizes.values()) >= _WORTH_A_BAR:
            return self._blocks_behind_a_bar(sizes)
        read = partial(json_blocks, on_bad=self._on_bad, max_line_bytes=self.max_line_bytes)
        return chain.from_iterable(map(read, self.paths))

    def _blocks_behind_a_bar(self, sizes: Mapping[Path, int]) -> Iterator[list[tuple[str, Any]]]:
        columns = (TextColumn("reading choices"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        with Progress(*columns, transient=True) as bar:
            task = bar.add_task("", total=sum(sizes.values()))
            done = 0
            for path in self.paths:

                def on_bytes(count: int, done: int = done) -> None:
                    bar.update(task, completed=done + count)

                yield from json_blocks(
                    path, self._on_bad, max_line_bytes=self.max_line_bytes, on_bytes=on_bytes
                )
                done += sizes[path]

    def _key(self) -> str:
        return table_key([RULES, self.skip_bad, self.drop_ties, self.max_line_bytes], self.paths)

    def _whole(self) -> str:
        return ", ".join(map(str, self.paths))
