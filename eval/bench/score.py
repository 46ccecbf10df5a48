"""What scoring costs beside the bare forward pass of the backbone on the same texts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from eval.bench.figures import Figure, seconds
from fsa.choices.sandbox import Sandbox
from fsa.features.buckets import padded
from fsa.features.hidden_state import HiddenState
from fsa.features.projection import Projection
from fsa.outputs.reward_model import FORMAT, Person, RewardModel

_CHOICES = 10  # that the person is known by, read before the clock starts


def score_overhead(candidates: int = 1000, repetitions: int = 5, backbone: str = "minilm") -> list[Figure]:
    """Seconds to score candidates for one person, over seconds of the bare forward passes.

    The feature store is new and empty each time. The bare passes get the batches that scoring makes of the
    texts, as tensors already: to make them counts as ours, as do pooling, store, projection and the reward.

    Args:
        candidates: Texts to score.
        repetitions: How often, in turn with the bare passes.
        backbone: As `HiddenState` takes it.
    """
    prompt, texts = some_texts(candidates + 4 * _CHOICES)
    measured = []
    with tempfile.TemporaryDirectory(prefix="fsa-bench-") as folder:
        save_model(Path(folder) / "model", backbone, texts[candidates:], SMALL)
        for repetition in range(repetitions + 1):
            with cache_in(Path(folder) / f"cache-{repetition}"):
                person = person_of(Path(folder) / "model", prompt, texts[candidates:])
                measured.append(_timed(person, prompt, texts[:candidates], bare_first=repetition % 2 == 0))
    ours, bare = np.array(measured[1:]).T  # the first warms up
    named = f"{candidates:,} candidates"
    return [
        Figure("score_overhead", f"scoring {named}: times the bare forward pass", ours / bare, at_most=1.05),
        Figure("score_seconds", f"scoring {named}, s", ours),
        Figure("bare_forward_seconds", f"bare forward pass of {named}, s", bare),
    ]


@contextmanager
def cache_in(folder: Path) -> Iterator[None]:
    """Keep features in a folder of the measurement's own."""
    kept = os.environ.get("FSA_CACHE")
    os.environ["FSA_CACHE"] = str(folder)
    try:
        yield
    finally:
        os.environ.pop("FSA_CACHE", None)
        if kept is not None:
            os.environ["FSA_CACHE"] = kept


def _timed(person: Person, prompt: str, texts: list[str], bare_first: bool) -> tuple[float, float]:
    """Seconds of scoring and of the bare passes."""
    extractor = person.model.features
    assert isinstance(extractor, HiddenState)
    batches = _batches(extractor, prompt, texts)
    bare = seconds(lambda: _forward(extractor._model, batches)) if bare_first else 0.0
    ours = seconds(lambda: person.score(prompt, texts))
    return ours, bare or seconds(lambda: _forward(extractor._model, batches))


def _batches(extractor: HiddenState, prompt: str, texts: list[str]) -> list[tuple[Tensor, Tensor]]:
    """Token ids and mask of every batch that scoring makes."""
    rendered: list[Any] = list(extractor._render([prompt] * len(texts), texts))
    batches = []
    for _, batch in extractor._batches(np.arange(len(texts)), rendered):
        batches.append(padded([tokens.ids for tokens in batch], extractor._tokenizer.pad_token_id or 0))
    return batches


@torch.inference_mode()
def _forward(model: Any, batches: list[tuple[Tensor, Tensor]]) -> None:
    for ids, mask in batches:
        model(ids.to(model.device), attention_mask=mask.to(model.device)).last_hidden_state.cpu()


def person_of(folder: Path, prompt: str, texts: list[str]) -> Person:
    """A person whose choices are read; the backbone is loaded by that."""
    model = RewardModel.from_pretrained(folder)
    pairs = zip(texts[::2], texts[1::2], strict=True)
    return model.for_user(
        [{"prompt": prompt, "chosen": chosen, "rejected": rejected} for chosen, rejected in pairs][:_CHOICES]
    )


SMALL: dict[str, Any] = {
    "encoder": "fsa.encoders.deep_set.DeepSet",
    "scorer": "fsa.models.bilinear.Bilinear",
    "projection": {"num_components": 8},
}
"""A small head, so that what scoring adds to the backbone is seen."""


def save_model(folder: Path, backbone: str, texts: list[str], parts: Mapping[str, Any]) -> None:
    """A model with random weights: what it says costs as much as what a trained one says.

    Args:
        folder: To write.
        backbone: As `HiddenState` takes it.
        texts: To fit the projection on.
        parts: As `random_model` takes them.
    """
    random_model(*of_texts(backbone, texts), texts, **parts).save_pretrained(folder)


def of_texts(backbone: str, texts: list[str]) -> tuple[dict[str, Any], Float32[np.ndarray, "m d"]]:
    """Features of responses alone, as a part of a configuration, and those of some texts."""
    arguments = {"backbone": backbone, "reads": "response"}
    vectors = HiddenState(**arguments, store=False).extract([""] * len(texts), texts)  # type: ignore[arg-type]
    return {"class_path": "fsa.features.hidden_state.HiddenState", "init_args": arguments}, vectors


def some_texts(count: int) -> tuple[str, list[str]]:
    """A question, and this many different answers of the sandbox's, to whatever question."""
    prompts = -(-count // 4)
    table = Sandbox(num_prompts=prompts, responses_per_prompt=4, num_users=1).load()
    return str(table.text(0)), [str(table.response(item)) for item in range(count)]


def random_model(
    features: Mapping[str, Any],
    vectors: Float32[np.ndarray, "m d"],
    options: Sequence[Any],
    encoder: str,
    scorer: str,
    projection: Mapping[str, Any],
    d_belief: int = 16,
    **of_encoder: Any,
) -> RewardModel:
    """A model with random weights whose projection is fitted on some options."""
    fitted = Projection(**projection).fit(vectors, options)
    config = {
        "format": FORMAT,
        "d_feature": fitted.width,
        "d_belief": d_belief,
        "num_samples": 64,
        "encoder": {"class_path": encoder, "init_args": of_encoder},
        "scorer": {"class_path": scorer},
        "likelihood": {"class_path": "fsa.likelihoods.btl.BradleyTerryLuce"},
        "features": features,
        "projection": {"class_path": "fsa.features.projection.Projection", "init_args": projection},
    }
    return RewardModel(config, fitted)
