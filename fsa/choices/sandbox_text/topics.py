"""What the sandbox talks about: everyday tasks, and advice on each that says the same in any style."""

from __future__ import annotations

from pathlib import Path

import yaml

_STORED = yaml.safe_load(Path(__file__).with_name("topics.yaml").read_text("utf-8"))

TASKS: tuple[str, ...] = tuple(_STORED["advice"])
"""Name of each topic: a task that completes "How do I ...?"."""

ADVICE: tuple[tuple[str, ...], ...] = tuple(map(tuple, _STORED["advice"].values()))
"""Pieces of advice on each topic, each completing "You should ..."."""

QUESTIONS: tuple[str, ...] = tuple(_STORED["questions"])
"""Wordings of a prompt."""

SITUATIONS: tuple[str, ...] = tuple(_STORED["situations"])
"""What a prompt may say of the person who asks."""
