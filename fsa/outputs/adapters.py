"""A person's policy as a plain LoRA adapter, which any engine serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from peft import LoraConfig
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from fsa.errors import ConfigError
from fsa.models.backbone import LanguageModel

SERVED_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""Ranks that vLLM serves; another is padded up with zeros."""

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


@torch.no_grad()
def save_adapter(model: LanguageModel, z: Float[Tensor, " z"], folder: Path) -> None:
    """Write one latent's adapter: one rank, one alpha, the gains folded into B. No code of ours is needed to
    open it: `peft.PeftModel.from_pretrained(backbone, folder)`.

    Args:
        model: The conditioned language model.
        z: Latent of the person.
        folder: Gets adapter_config.json and adapter_model.safetensors, whole or not at all.

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
    folder.mkdir(parents=True, exist_ok=True)
    plain = {name: tensor.detach().float().cpu().contiguous() for name, tensor in tensors.items()}
    _config(model, served).save_pretrained(str(folder))
    unfinished = folder / f"{WEIGHTS}.unfinished"
    save_file(plain, unfinished, metadata={"format": "pt"})
    unfinished.replace(folder / WEIGHTS)  # last: a folder with weights is a whole one


def _config(model: LanguageModel, rank: int) -> Any:
    # The scale alpha / rank stays what it was when the rank is padded.
    alpha = model.alpha * rank / model.rank
    return LoraConfig(
        r=rank,
        lora_alpha=int(alpha) if alpha == int(alpha) else alpha,  # type: ignore[arg-type]
        target_modules=sorted({name.rpartition(".")[2] for name in model.adapters()}),
        base_model_name_or_path=model.name,
        task_type="CAUSAL_LM",
        inference_mode=True,
    )
