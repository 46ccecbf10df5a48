"""How the sandbox says things: several wordings for every combination of styles, of matched lengths."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import yaml

Wordings: TypeAlias = Mapping[tuple[int, int], tuple[str, ...]]
"""By the levels, -1 or +1, of the two attributes that a table depends on."""

POLES: dict[str, tuple[str, str]] = {
    "length": ("concise", "long"),
    "tone": ("plain", "cheerful"),
    "formality": ("casual", "formal"),
    "structure": ("prose", "listy"),
    "hedging": ("direct", "hedged"),
}
"""The attributes of a response, and what levels -1 and +1 of each are called."""

ATTRIBUTES: tuple[str, ...] = tuple(POLES)
"""Names of the attributes, in the order of every array of levels."""

_STORED = yaml.safe_load(Path(__file__).with_name("wordings.yaml").read_text("utf-8"))
_LEVELS = {"--": (-1, -1), "-+": (-1, +1), "+-": (+1, -1), "++": (+1, +1)}


def _table(name: str) -> Wordings:
    return {_LEVELS[signs]: tuple(wordings) for signs, wordings in _STORED[name].items()}


GREETINGS = _table("greetings")
"""By tone and formality."""
LEAD_INS = _table("lead_ins")
"""By structure and formality; `{size}` is one of `SIZES`."""
SIZES = _table("sizes")
"""By length and formality."""
FRAMES = _table("frames")
"""By hedging and formality; a piece of advice follows."""
CLOSERS = _table("closers")
"""By tone and formality, of long responses alone."""
BULLETS: tuple[str, ...] = tuple(_STORED["bullets"])
"""What starts an item of a list."""
