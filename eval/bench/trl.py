"""TRL's DPO and reward training, as its documentation has them, on the pairs that ours get."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from eval.bench.clock import Clock, loaded_memory
from fsa.choices.table import ChoiceTable

Pair = dict[str, str]
"""`prompt`, `chosen` and `rejected`."""


def trl_dpo(folder: Path, pairs: Sequence[Pair], per_step: int, warm: int, **lora: Any) -> dict[str, float]:
    """`DPOTrainer`, the reference's log-probabilities computed before training; see `Clock.read`."""
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.dpo_trainer import DPOTrainer

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    clock = Clock(warm, loaded_memory(model))

    class Timed(DPOTrainer):
        def training_step(self, model: Any, inputs: Any, *rest: Any, **more: Any) -> Any:
            clock.step(int(inputs["attention_mask"].sum()))
            return super().training_step(model, inputs, *rest, **more)

    with tempfile.TemporaryDirectory(prefix="fsa-bench-") as out:
        settings = _settings(out, pairs, per_step)
        Timed(
            model=model,
            args=DPOConfig(**settings, precompute_ref_log_probs=True),
            train_dataset=Dataset.from_list(list(pairs)),
            processing_class=AutoTokenizer.from_pretrained(folder),
            peft_config=_adapters(**lora),
        ).train()
    return clock.read()


def trl_reward(
    folder: Path, pairs: Sequence[Pair], per_step: int, warm: int, **lora: Any
) -> dict[str, float]:
    """`RewardTrainer`, its new head trained in full; see `Clock.read`."""
    from trl.trainer.reward_config import RewardConfig
    from trl.trainer.reward_trainer import RewardTrainer

    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32, num_labels=1)
    clock = Clock(warm, loaded_memory(model))

    class Timed(RewardTrainer):
        def training_step(self, model: Any, inputs: Any, *rest: Any, **more: Any) -> Any:
            clock.step(int(inputs["attention_mask"].sum()))
            return super().training_step(model, inputs, *rest, **more)

    for_rewards: dict[str, Any] = {"lora_task_type": "SEQ_CLS", "lora_modules_to_save": ["score"]}
    with tempfile.TemporaryDirectory(prefix="fsa-bench-") as out:
        Timed(
            model=model,
            args=RewardConfig(**_settings(out, pairs, per_step)),
            train_dataset=Dataset.from_list(list(pairs)),
            processing_class=AutoTokenizer.from_pretrained(folder),
            peft_config=_adapters(**lora, **for_rewards),
        ).train()
    return clock.read()


def pairs_of(table: ChoiceTable, rows: Sequence[int]) -> list[Pair]:
    """Choices as TRL takes them; the blank line that we put before a response is the prompt's end here."""
    choices = [table.choice(row) for row in rows]
    return [
        {
            "prompt": f"{choice.prompt}\n\n",
            "chosen": str(choice.options[choice.outcome.places(2).index(0)]),
            "rejected": str(choice.options[choice.outcome.places(2).index(1)]),
        }
        for choice in choices
    ]


def _settings(out: str, pairs: Sequence[Pair], per_step: int) -> dict[str, Any]:
    """What both trainers are told; the rest is as TRL has it."""
    return {
        "output_dir": out,
        "per_device_train_batch_size": per_step,
        "max_steps": len(pairs) // per_step,
        "train_sampling_strategy": "sequential",  # the pairs come in the order that ours are in
        "max_length": None,  # nothing is cut, here or there
        "gradient_checkpointing": False,
        "bf16": False,
        "use_cpu": True,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }


def _adapters(rank: int, alpha: int, **more: Any) -> Any:
    from trl.trainer.model_config import ModelConfig
    from trl.trainer.utils import get_peft_config

    lora: dict[str, Any] = {
        "lora_r": rank,
        "lora_alpha": alpha,
        "lora_dropout": 0.0,
        "lora_target_modules": ["all-linear"],
    }
    return get_peft_config(ModelConfig(use_peft=True, **lora, **more))
