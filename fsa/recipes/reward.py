"""Train a reward model: `python -m train.reward --config configs/reward/choices.yaml --source.path FILE`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
from rich.console import Console

from fsa.choices.fingerprint import fingerprint
from fsa.choices.source import Source
from fsa.choices.splits import Splits, Splitter
from fsa.choices.table import ChoiceTable
from fsa.encoders.deep_set import DeepSet
from fsa.encoders.encoder import ContextEncoder
from fsa.episodes.by_user import choices_by_user
from fsa.episodes.dataset import collate
from fsa.errors import ConfigError
from fsa.features.extractor import FeatureExtractor
from fsa.features.hidden_state import HiddenState
from fsa.features.numeric import Numeric
from fsa.features.projection import Projection
from fsa.likelihoods.btl import BradleyTerryLuce
from fsa.likelihoods.likelihood import ChoiceLikelihood
from fsa.models.bilinear import Bilinear
from fsa.models.language_scorer import LanguageScorer
from fsa.models.policy import PolicyScorer
from fsa.models.scorer import Scorer
from fsa.objectives.nll import NegativeLogLikelihood
from fsa.objectives.objective import Objective
from fsa.outputs.item_tokens import item_tokens, read_alike, texts_of
from fsa.outputs.policy import Policy
from fsa.outputs.reward_model import RewardModel
from fsa.recipes.features import item_features
from fsa.recipes.in_run_folder import in_run_folder
from fsa.recipes.kept import kept_answers
from fsa.recipes.model_config import READER, model_config
from fsa.recipes.population import fit_population
from fsa.recipes.samplers import samplers
from fsa.recipes.taste_forms import POOLED, calibrate_better, choose_form, weights_of
from fsa.runs.claim import begin, finish
from fsa.runs.folder import META, RUN, about_this_run, write_json
from fsa.settings import Range
from fsa.training.datamodule import EpisodeData, EpisodeSettings
from fsa.training.loop import Loop
from fsa.training.module import ChoiceModule
from fsa.training.optimizers import AdamW
from fsa.training.processes import is_first_process

_FEW = 100  # validation choices: of fewer, the best of several validations is a matter of chance


@in_run_folder
def train_reward(
    config: Mapping[str, Any],
    source: Source,
    features: FeatureExtractor = HiddenState(),  # noqa: B008 (parts hold settings only until they are used)
    projection: Projection = Projection(),  # noqa: B008
    encoder: Callable[[int, int], ContextEncoder] = DeepSet,
    scorer: Callable[[int, int], Scorer] = Bilinear,
    likelihood: ChoiceLikelihood = BradleyTerryLuce(),  # noqa: B008
    objective: Objective = NegativeLogLikelihood(),  # noqa: B008
    optimizer: AdamW = AdamW(),  # noqa: B008
    splits: Splitter = Splitter(),  # noqa: B008
    episodes: EpisodeSettings = EpisodeSettings(),  # noqa: B008
    loop: Loop = Loop(),  # noqa: B008
    d_belief: int = 16,
    num_samples: int = 1,
    only_group: str | None = None,
    shuffle_choices: bool = False,
    encoder_from: str | None = None,
    train_encoder: bool = True,
    kept: str | None = None,
    kept_weight: float = 1.0,
    seed: int = 0,
    out: str = "runs/reward",
    resume: bool = False,
    overwrite: bool = False,
) -> RewardModel:
    """Train a reward model that reads a user's choices, and write its run folder.

    Args:
        config: The whole configuration in plain form; the command line fills it in.
        source: Where choices come from.
        features: What turns an option into numbers.
        projection: Fitted on the training split's responses, kept with the run.
        encoder: Reads a user's choices into a belief.
        scorer: Gives rewards of options under a belief.
        likelihood: Gives the probability of what was chosen.
        objective: What training minimises.
        optimizer: How it is minimised.
        splits: How choices are parted into training, validation and test.
        episodes: How episodes are drawn.
        loop: How long training goes on.
        d_belief: Width of the belief.
        num_samples: Latents drawn per user and step; 1 is enough for a point belief.
        only_group: Train on this group's choices alone: a dedicated model.
        shuffle_choices: Deal every outcome out anew among its options, at random: a leak test. Evaluation
            does the same, and has to find chance.
        encoder_from: Run folder to take the encoder from, with the features and projection that it reads and
            the width of its belief, in place of those named here; for `TunedReward` also the likelihood.
        train_encoder: Train the encoder too; without, only what it steers.
        kept: JSONL file of a policy's own answers, as `train.answers` writes them, that it goes on to give
            to every user: what is right for every taste. Each user of a step reads the next of them.
        kept_weight: Nats of loss for each nat that such an answer's tokens, summed, diverge from the
            reference's, >= 0.
        seed: Seed of weights, training episodes, belief noise and dropout.
        out: Run folder to write.
        resume: Go on from the run folder's last checkpoint; `--resume RUN` on the command line.
        overwrite: Start anew where the folder holds a run already, which is lost.

    Raises:
        ConfigError: Parts do not fit each other or the choices; or the folder holds a run already.
    """
    console, started, folder = Console(stderr=True, quiet=not is_first_process()), time.monotonic(), Path(out)
    Range(at_least=1, at_most=10**6).check("d_belief", d_belief)
    Range(at_least=1, at_most=10**6).check("num_samples", num_samples)
    Range(at_least=0, below=2**32).check("seed", seed)
    Range(at_least=0, at_most=10**6).check("kept_weight", kept_weight)
    L.seed_everything(seed, verbose=False)
    table = source.load()
    table = table.shuffled() if shuffle_choices else table
    parted = of_group(splits(table), only_group)
    check_fit(parted.train, likelihood)
    console.print(_summary(table, parted))

    start = RewardModel.from_pretrained(encoder_from) if encoder_from else None
    if start:
        config = {**config, **{slot: start.config[slot] for slot in READER}}
        features, projection, d_belief = start.features, start.projection, int(start.config["d_belief"])
    elif table.is_numeric and isinstance(features, HiddenState):
        features, projection, config = for_numbers(table, config)
    items = item_features(table, features)
    if not start:
        items.fit(projection, parted.train)
    matrix = items.project(projection)
    widths = (matrix.shape[1], d_belief)
    reader, scoring = start.encoder.float() if start else encoder(*widths), scorer(*widths)
    if scoring.starts_fitted:
        config, likelihood = _fitted(start, scoring, config)
    if is_first_process():  # before training, so that a run that dies can be resumed
        run = begin(folder, config, fingerprint(table), resume)

    reader.requires_grad_(train_encoder)
    scoring.fit_training_users(choices_by_user(parted.train, matrix))
    tokens, answers = None, kept_answers(kept, scoring) if kept else None
    if isinstance(scoring, LanguageScorer):
        read_alike(scoring, features, projection)
        tokens = item_tokens(table, scoring, texts_of(scoring, features))
    module = ChoiceModule(
        reader,
        scoring,
        likelihood,
        objective,
        optimizer,
        num_samples,
        episodes.context_sizes,
        seed,
        len(parted.train),
        kept_weight,
    )
    draws, frozen = samplers(parted, episodes, seed)
    data = EpisodeData(draws, frozen, matrix, episodes, tokens, kept=answers)
    shortened = draws.draw(np.arange(1000)).num_shortened  # a sample of the run's own episodes
    if shortened:
        console.print(
            f"{shortened / 10:.0f} % of contexts are shorter than drawn: their users have too few choices"
        )
    judged = len(np.unique(data.frozen.target[data.frozen.target >= 0]))
    if judged < _FEW and loop.validate_every < loop.max_steps:
        console.print(
            f"{judged} different choices to validate on: which step is best is told mostly by chance; raise "
            "episodes.validation_episodes or loop.validate_every"
        )
    prepared = time.monotonic()
    first = fit_population(module, parted, matrix, episodes, loop, folder, resume)
    from_start = bool(first) or scoring.starts_fitted
    tried, trial = choose_form(module, data, parted.train, matrix, loop, folder, resume)
    pooled = weights_of(module) if first else {}
    outcome = {**loop.fit(module, data, folder, resume, from_start), **first, **tried}
    outcome |= calibrate_better(module, data, trial, tried, pooled)
    sample = (collate(draws.draw(part), parted.train, matrix) for part in np.split(np.arange(2000), 8))
    scoring.fit_doubt(reader.eval(), sample, len(parted.train))
    kind = Policy if isinstance(scoring, PolicyScorer) else RewardModel
    model = kind.from_parts(
        model_config(config, matrix.shape[1], kind.layout),
        projection,
        encoder=reader,
        scorer=scoring,
        likelihood=likelihood,
        features=features,
    )
    if not is_first_process():
        return model
    model.config[RUN] = run
    seconds = {"prepare": round(prepared - started, 1), "train": round(time.monotonic() - prepared, 1)}
    about = about_this_run(
        command=" ".join(sys.argv), seed=seed, features=features.fingerprint, seconds=seconds
    )
    counts = {"source": dict(table.counts), "splits": dict(parted.counts), "shortened_of_1000": shortened}
    write_json(folder / META, {**about, **outcome, "counts": counts})
    model.save_pretrained(folder)  # last, so that its card can tell of the run
    finish(folder)
    console.print(
        f"{folder}: best validation NLL {outcome['validation_nll']:.4f} at step {outcome['best_step']}"
    )
    if outcome.get("weights") == POOLED:
        console.print(
            f"these weights gain {outcome['personal_gain']:.4f} nats a choice on validation people, not "
            "clearly more than nothing: the pooled model's are kept"
        )
    return model


def _fitted(
    start: RewardModel | None, scoring: Scorer, config: Mapping[str, Any]
) -> tuple[Mapping[str, Any], ChoiceLikelihood]:
    """Configuration and likelihood of a run that goes on from another one's rewards.

    Raises:
        ConfigError: No other run is named.
    """
    if start is None:
        raise ConfigError(
            f"{type(scoring).__name__} begins with another run's rewards; name the run with --encoder-from"
        )
    scoring.begin_with(start.scorer)
    return {**config, "likelihood": start.config["likelihood"]}, start.likelihood.float()


def for_numbers(
    table: ChoiceTable, config: Mapping[str, Any]
) -> tuple[FeatureExtractor, Projection, Mapping[str, Any]]:
    """Features, projection and configuration for options that are numbers, each of unit spread."""
    width = len(table.response(int(table.items_used[0])))
    # Every argument is named, so that a resumed run finds the configuration that it would have.
    arguments: dict[str, Any] = {
        "num_components": width,
        "extras": [],
        "extras_scale": 3.0,
        "whiten": True,
    }
    features, projection = Numeric(width), Projection(**arguments)
    plain = {
        "features": {"class_path": _path(features), "init_args": {"width": width}},
        "projection": {"class_path": _path(projection), "init_args": arguments},
    }
    return features, projection, {**config, **plain}


def _path(part: object) -> str:
    return f"{type(part).__module__}.{type(part).__name__}"


def of_group(parted: Splits, group: str | None) -> Splits:
    """Splits of one group's choices alone; all of them for None.

    Raises:
        ConfigError: There is no such group.
    """
    if group is None:
        return parted
    names = parted.train.groups.to_pylist()
    if group not in names:
        there = ", ".join(sorted(filter(None, names)))
        raise ConfigError(
            f"only_group is {group!r}, but "
            + (f"the groups are {there}" if there else "no group is named in the choices")
        )

    def of_it(part: ChoiceTable) -> ChoiceTable:
        return part.select(part.group == names.index(group))

    return Splits(of_it(parted.train), of_it(parted.validation), of_it(parted.test), parted.counts)


def check_fit(table: ChoiceTable, likelihood: ChoiceLikelihood) -> None:
    """Stop before any work where a likelihood cannot score what people said.

    Raises:
        ConfigError: The choices have outcomes or numbers of options that the likelihood does not know.
    """
    name = type(getattr(likelihood, "base", likelihood)).__name__  # noise around a likelihood adds no outcome
    unknown = table.outcome_kinds - likelihood.outcomes
    if unknown:
        raise ConfigError(
            f"the choices hold outcomes of kind {', '.join(sorted(unknown))}, but {name} scores only "
            f"{', '.join(sorted(likelihood.outcomes))};"
            " choose another likelihood, or drop them (--source.ties drop)"
        )
    most = int(table.num_options.max())
    if likelihood.max_options and most > likelihood.max_options:
        raise ConfigError(
            f"some choices have {most} options, but {name} scores at most {likelihood.max_options}"
        )


def _summary(table: ChoiceTable, parted: Splits) -> str:
    named = {"train": parted.train, "validation": parted.validation, "test": parted.test}
    sizes = ", ".join(f"{len(part):,} {name}" for name, part in named.items())
    dropped = "".join(f"; {name} {count:,}" for name, count in table.counts.items() if count)
    whole = f"{len(table):,} choices of {table.num_users:,} users over {len(table.items_used):,} items"
    return f"{whole}: {sizes}{dropped}"
