"""`ChoiceModule`: the training step, the same for rewards and policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import lightning as L
import torch
from jaxtyping import Float
from torch import Tensor

from fsa.encoders.encoder import ContextEncoder
from fsa.errors import ConfigError
from fsa.likelihoods.likelihood import ChoiceLikelihood, predicted
from fsa.models.scorer import Scorer
from fsa.objectives.objective import LossParts, Objective, mean_over_targets
from fsa.predictive import Predictive
from fsa.training.noise import normal_noise, seed_torch
from fsa.training.optimizers import AdamW
from fsa.training.sharding import shard
from fsa.types import EpisodeBatch, TokenRows

_DROPOUT = 102  # what the numbers are for; see fsa.training.noise
_VALIDATION_SAMPLES = 16
_SHOWN = 10  # steps between two numbers of the progress bar


class ChoiceModule(L.LightningModule):
    """Reads a user's context, scores the target, minimises the objective.

    Args:
        encoder: Context to belief.
        scorer: Options and latents to scores.
        likelihood: Scores to the probability of the outcome.
        objective: What to minimise.
        optimizer: How.
        num_samples: Latents drawn per user and step; 1 is enough for a point belief.
        context_sizes: Context sizes of the validation batches, in the order of their data loaders.
        seed: Seed of the run. Everything random in a step is made from it and the step's number, so that a
            resumed run needs no state of a generator: belief noise by (seed, episode), the same on any rank;
            dropout by (seed, batch, rank).
        num_choices: Choices of the training split: a prior over weights counts as much as one choice per nat.
        kept_weight: Nats of loss for each nat that a kept answer (`EpisodeBatch.kept`) diverges.

    Raises:
        ConfigError: The objective needs beliefs with a spread and the encoder gives points, or it needs a
            policy and the scorer is none.
    """

    def __init__(
        self,
        encoder: ContextEncoder,
        scorer: Scorer,
        likelihood: ChoiceLikelihood,
        objective: Objective,
        optimizer: AdamW,
        num_samples: int = 1,
        context_sizes: Sequence[int] = (0, 1, 3, 5, 10),
        seed: int = 0,
        num_choices: int = 1,
        kept_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if objective.needs_spread and not encoder.has_spread:
            raise ConfigError(
                f"{type(objective).__name__} needs a Gaussian belief, but {type(encoder).__name__} gives"
                " points; choose an encoder with a spread, or fsa.objectives.nll.NegativeLogLikelihood"
            )
        if objective.needs_policy and not scorer.needs_reference:
            raise ConfigError(
                f"{type(objective).__name__} needs a policy, but {type(scorer).__name__} is none; choose"
                " fsa.models.policy.PolicyScorer, or fsa.objectives.smoothed_nll.SmoothedNLL"
            )
        scorer.bind(encoder)
        self.encoder, self.scorer, self.num_choices = encoder, scorer, num_choices
        self.likelihood, self.objective = likelihood, objective
        self.optimizer, self.num_samples = optimizer, num_samples
        self.context_sizes, self.seed, self.kept_weight = tuple(context_sizes), seed, kept_weight

    def forward(self, batch: EpisodeBatch) -> tuple[LossParts, Tensor]:
        """The loss, and the scores it came from [s b n k p]."""
        given_context = self.encoder(batch.context)
        given_all = self.encoder(batch.everything) if self.objective.needs_posterior else given_context
        noise = self._noise(self.seed, batch, self.num_samples, given_context.mean.shape[1])
        seen = self.objective.scorer_belief(given_context, given_all)
        if self.objective.counts_each:
            predictive = self.scorer.predictive(batch.target, seen, noise)
        else:
            latents = self.objective.draw(given_context, given_all, noise)
            predictive = Predictive(self.scorer(batch.target, latents, seen))
        log_probs = predictive.evenly(self.likelihood.log_prob(predictive.scores, batch.target.places))
        # Members of an ensemble learn each for itself, not what the others leave.
        each = [
            self.objective(of_one, batch.target, given_context, given_all)
            for of_one in log_probs.chunk(predictive.members)
        ]
        parts = LossParts(
            torch.stack([one.loss for one in each]).mean(),
            {name: torch.stack([one.parts[name] for one in each]).mean() for name in each[0].parts},
        )
        parts = self.objective.with_scores(parts, predictive.scores, batch.target)
        if batch.kept is not None:
            parts = self._with_kept(parts, batch.kept, seen.mean)
        prior = (self.encoder.prior() + self.scorer.prior()) / self.num_choices
        return replace(parts, loss=parts.loss + prior), predictive.scores

    def _with_kept(self, parts: LossParts, kept: TokenRows, z: Float[Tensor, "b z"]) -> LossParts:
        """The loss with how far the policy of each user diverges where nobody's taste should change it."""
        nats = self.scorer.divergence(kept, z.float()[kept.slot]).mean()
        loss = parts.loss + self.kept_weight * nats
        return LossParts(loss, {**parts.parts, "kept": nats.detach()})

    def on_train_batch_start(self, batch: EpisodeBatch, batch_idx: int) -> None:
        # The whole run is one epoch, so this is the batch's number in the run, also after resuming.
        seed_torch(self.device, self.seed, _DROPOUT, batch_idx, self.global_rank)

    def training_step(self, batch: EpisodeBatch, batch_idx: int) -> Tensor:
        parts, _ = self(batch)
        trainer: Any = self.trainer
        written = trainer.log_every_n_steps * trainer.accumulate_grad_batches
        if (batch_idx + 1) % written == 0 or batch_idx % _SHOWN == 0:  # telling a number takes a millisecond
            self.log("train/loss", parts.loss.detach(), prog_bar=True)
            self.log_dict({f"train/{name}": value for name, value in parts.parts.items()})
        return parts.loss

    def validation_step(self, batch: EpisodeBatch, batch_idx: int, dataloader_idx: int = 0) -> None:
        given_context = self.encoder(batch.context)
        target = batch.target
        # Seed 0: the same at every validation.
        noise = self._noise(0, batch, _VALIDATION_SAMPLES, given_context.mean.shape[1])
        best, log_prob = predicted(
            self.likelihood, self.scorer.predictive(target, given_context, noise), target
        )
        nll = -mean_over_targets(log_prob, target.mask)
        is_predicted = (best == best.amax(-1, keepdim=True)) & target.option_mask
        credit = (is_predicted & (target.places == 0)).sum(-1) / is_predicted.sum(-1).clamp(min=1)
        accuracy = mean_over_targets(credit, target.mask)
        size, users = self.context_sizes[dataloader_idx], len(batch.index)
        shared: dict[str, Any] = {"add_dataloader_idx": False, "batch_size": users, "sync_dist": True}
        self.log(f"validation/nll_{size}", nll.mean(), **shared)
        self.log(f"validation/accuracy_{size}", accuracy.mean(), **shared)

    def _noise(self, seed: int, batch: EpisodeBatch, num_samples: int, width: int) -> Float[Tensor, "s b z"]:
        # A point has no use for it; a language model would run once for each latent, so it takes the mean.
        if not self.encoder.has_spread or self.scorer.runs_per_latent:
            return torch.zeros(1, len(batch.index), width, device=batch.index.device)
        return _in_pairs(seed, batch, num_samples, width)

    def on_validation_epoch_end(self) -> None:
        logged = self.trainer.callback_metrics
        for name in ("nll", "accuracy"):
            values = [logged[f"validation/{name}_{size}"] for size in self.context_sizes]
            self.log(f"validation/{name}", torch.stack(values).mean(), prog_bar=True, sync_dist=True)

    def configure_model(self) -> None:
        """Split parameters over the processes, where the strategy is FSDP2; else nothing."""
        mesh = self.device_mesh
        if mesh is not None:
            for part in (self.encoder, self.scorer, self.likelihood, self.objective):
                shard(part, mesh["data_parallel"])

    def configure_optimizers(self) -> Any:
        optimizer, scheduler = self.optimizer.build(self, self.trainer.max_steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}


def _in_pairs(seed: int, batch: EpisodeBatch, num_samples: int, width: int) -> Float[Tensor, "s b z"]:
    """Noise and its opposite, so that what a belief is unsure of cannot turn a preference over; one sample
    stays alone."""
    half = normal_noise(seed, batch.index, (num_samples + 1) // 2, width)
    return torch.cat([half, -half])[:num_samples]
