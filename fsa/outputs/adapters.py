"""A person's policy as a plain LoRA adapter, which any engine serves."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from fsa.errors import ConfigError, OutputError
from fsa.files import whole_file, write_whole
from fsa.models.backbone import LanguageModel

SERVED_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Ranks that vLLM serves; another is padded up with zeros."""

WEIGHTS, CONFIG, ABOUT = "adapter_model.safetensors", "adapter_config.json", "fsa.json"
_BLOCK = re.compile(r"\.layers\.(\d+)\.")
SCORE = "base_model.model.score.weight"
_TEMPLATE = "chat_template.jinja"
# What stands between prompt and answer where a backbone has no chat template of its own: a blank line.
_BLANK_LINE = "{% for message in messages %}{{ message['content'] }}\n\n{% endfor %}"


@torch.no_grad()
def save_adapter(
    model: LanguageModel,
    z: Float[Tensor, " z"],
    folder: Path,
    about: Mapping[str, str] | None = None,
    score: Float[Tensor, "1 d"] | None = None,
) -> None:
    """Write one latent's adapter: one rank, one alpha, the gains folded into B. No code of ours is needed to
    open it: `peft.PeftModel.from_pretrained(backbone, folder)`.

    Args:
        model: The conditioned language model.
        z: Latent of the person.
        folder: Gets adapter_config.json, adapter_model.safetensors, the chat template that training used (a
            blank line after the prompt where the backbone has none), and fsa.json: what it is of.
        about: What the adapter depends on, see `fingerprint`.
        score: Weights of a head on the last token: the adapter is then one of a sequence classifier of one
            label, a reward, and not of a language model.

    Raises:
        ConfigError: The conditioning cannot be folded (FiLM), or the rank is above any that is served.
    """
    if not model.conditioning.can_fold:
        raise ConfigError(
            f"{type(model.conditioning).__name__} changes activations, which no adapter can do; only a model"
            " conditioned by LoraGain has adapters"
        )
    rank = model.rank
    served = next((each for each in SERVED_RANKS if each >= rank), None)
    if served is None:
        raise ConfigError(f"rank is {rank}; served are {', '.join(map(str, SERVED_RANKS))}")
    gains = model.conditioning.gains(z.to(next(model.parameters()).device))
    tensors: dict[str, Tensor] = {}
    for name, (down, up) in model.adapters().items():
        folded = up * model.conditioning.prepare(gains[name])  # [out, r]
        missing = served - rank
        tensors[f"{name}.lora_A.weight"] = functional.pad(down, (0, 0, 0, missing))
        tensors[f"{name}.lora_B.weight"] = functional.pad(folded, (0, missing))
    if score is not None:
        tensors[SCORE] = score
    plain = {name: tensor.detach().float().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # From here to the last line it says whose it is, and is not whole.
        _say(folder, about or {})
        _config(model, served, is_reward=score is not None).save_pretrained(str(folder))
        template = model.tokenizer.chat_template or _BLANK_LINE
        write_whole(folder / _TEMPLATE, template if isinstance(template, str) else _BLANK_LINE)
        with whole_file(folder / WEIGHTS) as unfinished:
            save_file(plain, unfinished, metadata={"format": "pt"})
    except (OSError, SafetensorError) as error:
        raise OutputError(f"{folder}: the adapter cannot be written: {error}") from error
    _say(folder, {**(about or {}), "weights": _sha256(folder / WEIGHTS)})


def _say(folder: Path, about: Mapping[str, str]) -> None:
    write_whole(folder / ABOUT, json.dumps(about, indent=2, ensure_ascii=False) + "\n")


def saved_adapter(folder: Path) -> dict[str, str] | None:
    """What the adapter in a folder depends on; None where there is none, or not the whole of it."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        is_whole = (folder / CONFIG).is_file() and about["weights"] == _sha256(folder / WEIGHTS)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return about if is_whole else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _config(model: LanguageModel, rank: int, is_reward: bool) -> Any:
    from peft import LoraConfig  # takes seconds: not where rewards alone are asked for

    # The scale alpha / rank stays what it was when the rank is padded.
    alpha = model.alpha * rank / model.rank
    names = list(model.adapters())
    kinds = sorted({name.rpartition(".")[2] for name in names})
    blocks = sorted({int(found[1]) for name in names if (found := _BLOCK.search(name))})
    # Where some blocks alone are adapted, each alike: peft would make layers in the others too.
    is_part = 0 < len(blocks) < len(model.shard_units()) and len(names) == len(blocks) * len(kinds)
    return LoraConfig(
        r=rank,
        lora_alpha=int(alpha) if alpha == int(alpha) else alpha,  # type: ignore[arg-type]
        target_modules=kinds,
        layers_to_transform=blocks if is_part else None,
        base_model_name_or_path=str(Path(model.name).absolute()) if Path(model.name).is_dir() else model.name,
        task_type="SEQ_CLS" if is_reward else "CAUSAL_LM",
        modules_to_save=["score"] if is_reward else None,
        inference_mode=True,
    )
