"""Train a language model on responses: `python -m train.sft --config configs/policy/sft_sandbox.yaml`."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import lightning as L
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from fsa.choices.fingerprint import fingerprint
from fsa.choices.source import Source
from fsa.choices.splits import Splits, Splitter
from fsa.choices.table import ChoiceTable
from fsa.errors import ConfigError
from fsa.features.rendering import Template
from fsa.features.response_tokens import response_tokens
from fsa.models.next_token import NextToken
from fsa.models.start import Pretrained, Start, Started
from fsa.recipes.in_run_folder import in_run_folder
from fsa.runs.claim import begin, finish
from fsa.runs.folder import META, about_this_run, write_json
from fsa.settings import Range
from fsa.training.loop import Loop
from fsa.training.optimizers import AdamW
from fsa.training.processes import is_first_process
from fsa.training.sft import NextTokenModule
from fsa.training.sft_data import Epochs, SequenceData, SequenceSettings, TokenSequences
from fsa.types import Text


@in_run_folder
def train_sft(
    config: Mapping[str, Any],
    source: Source,
    backbone: str | Start,
    on: Literal["chosen", "all"] = "chosen",
    sequences: SequenceSettings = SequenceSettings(),  # noqa: B008 (parts hold settings only until they are used)
    optimizer: AdamW = AdamW(lr=1e-5, weight_decay=0.0),  # noqa: B008
    splits: Splitter = Splitter(),  # noqa: B008
    loop: Loop = Loop(),  # noqa: B008
    gradient_checkpointing: bool = False,
    seed: int = 0,
    out: str = "runs/sft",
    resume: bool = False,
    overwrite: bool = False,
) -> Started:
    """Train all weights of a language model on responses, and write them as an ordinary model folder.

    The folder opens with `transformers`' `from_pretrained`, and is what a policy run takes as its backbone.
    Each response to a prompt is read once an epoch, however many people chose it.

    Args:
        config: The whole configuration in plain form; the command line fills it in.
        source: Where prompts and responses come from.
        backbone: A name, folder or hub id of a trained model; or a part that makes an untrained one.
        on: Learn to write responses that a user `chosen` in the training split, or `all` responses to its
            prompts; the latter gives a model that can write what only few people like.
        sequences: How prompts and responses are batched.
        optimizer: How the loss is minimised.
        splits: How choices are parted; the splits of the policy run, or it is tested on what was read here.
        loop: How long training goes on.
        gradient_checkpointing: Compute activations again in the backward pass, to save memory.
        seed: Seed of batches and dropout.
        out: Run folder to write.
        resume: Go on from the run folder's last checkpoint; `--resume RUN` on the command line.
        overwrite: Start anew where the folder holds a run already, which is lost.

    Raises:
        ConfigError: Parts do not fit each other or the choices; or the folder holds a run already.
    """
    console, started, folder = Console(stderr=True, quiet=not is_first_process()), time.monotonic(), Path(out)
    Range(at_least=0, below=2**32).check("seed", seed)
    L.seed_everything(seed, verbose=False)
    table = source.load()
    train_items, validation_items = items_to_read(splits(table), on)
    start = Pretrained(backbone) if isinstance(backbone, str) else backbone
    train_texts, validation_texts = texts_of(table, train_items), texts_of(table, validation_items)
    template = Template("prompt+response")
    model, tokenizer = start.build([template.render(*pair).text for pair in zip(*train_texts, strict=True)])
    if is_first_process():  # before training, so that a run that dies can be resumed
        begin(folder, config, fingerprint(table), resume)

    train, validation = (
        tokens_of(tokenizer, texts, sequences.max_tokens) for texts in (train_texts, validation_texts)
    )
    data = SequenceData(train, validation, sequences, seed, tokenizer.pad_token_id or 0)
    counts = {
        "train_responses": len(train.ids),
        "train_tokens": int(train.lengths.sum()),
        "validation_responses": len(validation.ids),
        "steps_an_epoch": len(Epochs(train.lengths, sequences.batch_tokens, seed)),
    }
    console.print(_summary(model, counts, loop))
    module = NextTokenModule(NextToken(model, gradient_checkpointing=gradient_checkpointing), optimizer, seed)
    prepared = time.monotonic()
    outcome = loop.fit(module, data, folder, resume)
    if not is_first_process():
        return Started(model, tokenizer)
    seconds = {"prepare": round(prepared - started, 1), "train": round(time.monotonic() - prepared, 1)}
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    about = about_this_run(command=" ".join(sys.argv), seed=seed, seconds=seconds)
    trained_on = {name: config.get(name) for name in ("source", "splits", "on", "backbone")}
    write_json(folder / META, {**about, **outcome, "counts": counts, "trained_on": trained_on})
    finish(folder)
    console.print(
        f"{folder}: best validation NLL {outcome['validation_nll']:.4f} nats per response token at step "
        f"{outcome['best_step']}"
    )
    return Started(model.eval(), tokenizer)


def items_to_read(
    parted: Splits, on: Literal["chosen", "all"]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Items to train on and items to validate with: no response of one is read in the other.

    Raises:
        ConfigError: Options are no text, or nothing new is left to validate with.
    """
    if parted.train.is_numeric:
        raise ConfigError("options are numbers; a language model reads text")
    pick = chosen_items if on == "chosen" else all_items
    train = pick(parted.train)
    validation = np.setdiff1d(pick(parted.validation), train)
    if not len(validation):
        raise ConfigError(
            "every response of the validation split is one of the training split as well; split by prompt "
            "(--splits.by prompt) or by both"
        )
    return train, validation


def chosen_items(part: ChoiceTable) -> NDArray[np.int64]:
    """Items that came first in some choice, alone or in a tie, ascending."""
    return np.unique(part.option[part.place == 0]).astype(np.int64)


def all_items(part: ChoiceTable) -> NDArray[np.int64]:
    """Every item of the prompts of some choices, ascending, whether it was offered or not."""
    return np.flatnonzero(np.isin(part.item_prompt, np.unique(part.prompt)))


def texts_of(table: ChoiceTable, items: NDArray[np.int64]) -> tuple[list[Text], list[Text]]:
    """Prompts and responses of items."""
    prompts = [table.text(int(number)) for number in table.item_prompt[items]]
    return prompts, [table.text(int(number)) for number in table.item_response[items]]


def tokens_of(tokenizer: Any, texts: tuple[list[Text], list[Text]], max_tokens: int) -> TokenSequences:
    """Prompts and responses as a policy reads and writes them; warns where some are cut."""
    rows = response_tokens(tokenizer, *texts, max_tokens=max_tokens)
    num_cut = sum(row.num_cut > 0 for row in rows)
    if num_cut:
        warnings.warn(f"{num_cut} of {len(rows)} texts have more than {max_tokens} tokens: cut", stacklevel=2)
    return TokenSequences([row.ids for row in rows], [row.start for row in rows])


def _summary(model: Any, counts: Mapping[str, int], loop: Loop) -> str:
    num_parameters = sum(p.numel() for p in model.parameters())
    epochs = loop.max_steps / counts["steps_an_epoch"]
    return (
        f"{num_parameters:,} parameters; {counts['train_responses']:,} responses, "
        f"{counts['train_tokens']:,} tokens with their prompts, to read {epochs:.1f} times in "
        f"{loop.max_steps:,} steps; {counts['validation_responses']:,} responses to validate with"
    )
