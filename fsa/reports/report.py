"""`Report`: numbers and where they come from, as JSON, Markdown, pictures and on the console."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from fsa.errors import ConfigError
from fsa.files import write_whole
from fsa.reports.frame import frame_of
from fsa.reports.plots import plot
from fsa.reports.row import Row
from fsa.reports.tables import Table, tables

__all__ = ["Report", "Row"]


@dataclass(frozen=True)
class Report:
    """Rows, and what is needed to make them again.

    Attributes:
        rows: The numbers.
        about: `command`, `date`, `versions` and whatever else explains them; see `about_this_run`.
    """

    rows: Sequence[Row]
    about: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The rows as a frame; see `frame_of`."""
        return frame_of(self.rows)

    def tables(self) -> Iterator[Table]:
        """The rows as tables, under them what is known of people and choices; see `tables`."""
        counts = self.about.get("counts")
        told = counts if isinstance(counts, Mapping) else {}  # several reports as one tell a list
        return tables(self.frame, {data: of for data, of in told.items() if isinstance(of, Mapping)})

    def save(self, folder: str | Path) -> Path:
        """Write `report.json`, `report.md` and a PNG for each metric known at two or more context sizes.

        Returns:
            The folder.
        """
        folder = self.save_json(folder)
        pictures = []
        for metric, curves in self._curves().items():
            pictures.append("".join(c if c.isalnum() or c in "-_" else "_" for c in metric) + ".png")
            plot(curves, folder / pictures[-1])
        write_whole(folder / "report.md", self.markdown(pictures))
        return folder

    def save_json(self, folder: str | Path) -> Path:
        """Write `report.json` alone.

        Returns:
            The folder.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        stored = {"rows": [row.to_json() for row in self.rows], "about": dict(self.about)}
        text = json.dumps(stored, indent=1, ensure_ascii=False, allow_nan=False)
        write_whole(folder / "report.json", text + "\n")
        return folder

    @classmethod
    def load(cls, *paths: str | Path) -> Report:
        """Read one report or several as one; a path is a folder or its `report.json`.

        Where two hold a number about the same thing, the later one stands.

        Raises:
            ConfigError: A file is missing or no report.
        """
        if not paths:
            raise ConfigError("no report to load; name a folder or a report.json")
        reports = [_read(Path(path)) for path in paths]
        return reports[0] if len(reports) == 1 else cls.merge(reports)

    @classmethod
    def merge(cls, reports: Sequence[Report]) -> Report:
        """Several reports as one; later numbers replace earlier ones about the same thing.

        What the reports say alike about themselves stays, the rest becomes a list in their order.
        """
        rows = {row.key: row for report in reports for row in report.rows}
        names = {name: None for report in reports for name in report.about}
        said = {name: [report.about[name] for report in reports if name in report.about] for name in names}
        return cls(list(rows.values()), {name: _distinct(values) for name, values in said.items()})

    def markdown(self, pictures: Sequence[str] = ()) -> str:
        """The report as Markdown: for every data set and metric a table, then how it was made."""
        parts = ["# Report", *(f"![{name}]({name})" for name in pictures)]
        said = self.about.get("command", [])
        source = "".join(f" `{command}`" for command in ([said] if isinstance(said, str) else said))
        place = None
        for table in self.tables():
            if table.place != place:
                place = table.place
                parts.append(f"## {place}")
            parts.append(table.markdown() + source)
        if self.about:
            lines = [f"- {name}: {_in_words(value)}" for name, value in self.about.items()]
            parts += ["## How this was made", "\n".join(lines)]
        return "\n\n".join(parts) + "\n"

    def print_tables(self, console: Console | None = None, metrics: Sequence[str] = ("accuracy",)) -> None:
        """Print methods by context sizes, worst group beside the mean; every metric if none is named."""
        console = console or Console()
        # Rich takes 80 columns where there is no terminal, too few for a mean and a worst group at six sizes.
        if not console.is_terminal:
            console.width = max(console.width, 120)
        for table in self.tables():
            if table.metric in metrics or not metrics:
                console.print(table.console())

    def _curves(self) -> dict[str, list[Table]]:
        found: dict[str, list[Table]] = {}
        for table in self.tables():
            if len(table.sizes) > 1:
                found.setdefault(table.metric, []).append(table)
        return found


def _read(path: Path) -> Report:
    path = path / "report.json" if path.is_dir() else path
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: not a readable report: {error}") from error
    if not isinstance(stored, dict) or not isinstance(stored.get("rows"), list):
        raise ConfigError(f"{path}: a report is an object with `rows` and `about`")
    return Report([Row.from_json(row) for row in stored["rows"]], stored.get("about", {}))


def _distinct(values: list[Any]) -> Any:
    flat = [one for value in values for one in (value if isinstance(value, list) else [value])]
    unique = [one for i, one in enumerate(flat) if one not in flat[:i]]
    return unique[0] if len(unique) == 1 else unique


def _in_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_in_words(part)}" for name, part in value.items())
    if isinstance(value, list):
        return "; ".join(_in_words(part) for part in value)
    return f"`{value}`"
