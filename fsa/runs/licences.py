"""Licences of backbones, as far as they can be known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import hf_hub_download, metadata_load, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError

README = "README.md"
UNKNOWN = "see backbone"

# Backbones by name come from packages that carry no card: their hub ids, and the licences stated there.
NAMED: Mapping[str, tuple[str, str]] = {
    "minilm": ("sentence-transformers/all-MiniLM-L6-v2", "apache-2.0"),
    "gemma-270m": ("google/gemma-3-270m", "gemma"),
    "smollm2-135m": ("HuggingFaceTB/SmolLM2-135M-Instruct", "apache-2.0"),
}


def hub_id(backbone: str) -> str | None:
    """The id under which a backbone is on the hub; None for a local folder."""
    if backbone in NAMED:
        return NAMED[backbone][0]
    return None if is_local(backbone) else backbone


def is_local(backbone: str) -> bool:
    """Whether a backbone is a folder rather than a name or a hub id."""
    return backbone not in NAMED and (
        Path(backbone).expanduser().is_dir() or backbone.count("/") > 1 or backbone[:1] in ("/", ".", "~")
    )


def licence(backbone: str) -> str:
    """Licence of a backbone as its README says; `UNKNOWN` where it does not, or where there is none here."""
    if backbone in NAMED:
        return NAMED[backbone][1]
    try:
        folder = Path(backbone).expanduser()
        readme: Any = folder / README if is_local(backbone) else try_to_load_from_cache(backbone, README)
        said = (metadata_load(readme) or {}) if readme and Path(readme).is_file() else {}
    except (
        HFValidationError,
        OSError,
        TypeError,
        ValueError,
        yaml.YAMLError,
    ):  # no id, no card, or none that can be read
        return UNKNOWN
    name = said.get("license_name") if said.get("license") == "other" else said.get("license")
    return name if isinstance(name, str) and name else UNKNOWN


def fetch_readme(backbone: str, token: str | None = None) -> None:
    """Have the README of a backbone in the cache, if it is on the hub and can be reached."""
    if backbone in NAMED or is_local(backbone):
        return
    try:
        hf_hub_download(backbone, README, token=token)
    except (HFValidationError, OSError):
        return  # the card will say where to look
