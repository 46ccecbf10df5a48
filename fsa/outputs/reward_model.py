"""`RewardModel`: a trained model, from which each person's rewards come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.backbones import backbone_hash, resolve
from fsa.encoders.encoder import ContextEncoder
from fsa.errors import CheckpointError, ChoiceDataError, ShapeError
from fsa.features.extractor import FeatureExtractor
from fsa.features.projection import Projection
from fsa.likelihoods.likelihood import ChoiceLikelihood, picked
from fsa.models.scorer import Scorer
from fsa.outputs.api_inputs import Choices, as_choices
from fsa.outputs.head_size import HEADS, heads
from fsa.outputs.history import History
from fsa.outputs.matched_noise import matched_noise
from fsa.outputs.person import Person as Person
from fsa.outputs.person_file import load_person
from fsa.outputs.reading import device_of, options_of, read
from fsa.outputs.scores import Scores as Scores
from fsa.predictive import Predictive
from fsa.runs.components import build_parts
from fsa.runs.folder import (
    CONFIG_JSON,
    PROJECTION,
    RUN,
    WEIGHTS,
    load_strictly,
    save_tensors,
    write_json,
)
from fsa.runs.hub import OnHub
from fsa.runs.opening import check_layout, open_folder
from fsa.types import Belief, ChoiceBatch, Numbers, Text

if TYPE_CHECKING:
    from fsa.judge.target import AlignmentTarget
    from fsa.outputs.item_tokens import Texts
    from fsa.outputs.statements import Bank

FORMAT = "fsa.reward.1"
_OTHERS = {"likelihood": ChoiceLikelihood, "features": FeatureExtractor}
_MOST = 1_000_000  # of any width or number of samples
BACKBONE_HASH = "backbone_sha256"  # of the weights that adapters belong to, in config.json


class RewardModel(OnHub, nn.Module):
    """Gives a new person's reward model from a few of their choices, without training.

    Args:
        config: Plain form of the parts: `encoder`, `scorer`, `likelihood`, `features`, `projection`, each a
            class path and its arguments, with `d_feature`, `d_belief` and `num_samples`.
        projection: Fitted projection of the features.
        trust_remote_code: Whether class paths outside fsa may be imported.
        parts: Parts that are there already, by slot, in place of new ones; see `from_parts`.

    Example:
        >>> rewards = fsa.RewardModel.from_pretrained("runs/demo")
        >>> person = rewards.for_user([{"prompt": "Hi", "chosen": "Hello!", "rejected": "What?"}])
        >>> person.prefers("Bye", "See you!", "Go.")
        0.93
    """

    layout: ClassVar[str] = FORMAT

    def __init__(
        self,
        config: Mapping[str, Any],
        projection: Projection,
        trust_remote_code: bool = False,
        parts: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        check_layout(config, self.layout)
        self.config, self.projection = dict(config), projection
        self.num_samples = _count(config, "num_samples")
        widths = (_count(config, "d_feature"), _count(config, "d_belief"))
        if projection.width != widths[0]:
            raise CheckpointError(
                f"config.json: d_feature is {widths[0]}, but the projection is {projection.width} wide"
            )
        built = dict(parts or {})
        for bases, first in ((HEADS, widths), (_OTHERS, ())):
            if missing := {slot: base for slot, base in bases.items() if slot not in built}:
                built |= build_parts(config, missing, *first, trust_remote_code=trust_remote_code)
        self.encoder: ContextEncoder = built["encoder"]
        self.scorer: Scorer = built["scorer"]
        self.likelihood: ChoiceLikelihood = built["likelihood"]
        self.features: FeatureExtractor = built["features"]
        self.scorer.bind(self.encoder)
        self._heads_in_double()
        self.eval()
        self.texts: Texts | None = None
        if self.scorer.reads_tokens:
            from fsa.outputs.item_tokens import read_alike, texts_of  # needs peft, which takes seconds

            scorer: Any = self.scorer
            read_alike(scorer, self.features, projection)
            self.texts = texts_of(scorer, self.features)
            _check_backbone(self.config, scorer.language_model.name)

    def _heads_in_double(self) -> None:
        # Double precision costs a head nothing and makes a score the same in any batch.
        for part in (self.encoder, self.likelihood, *([] if self.scorer.reads_tokens else [self.scorer])):
            part.double()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Move or cast as torch has it; heads stay in double precision, whatever `float()` says."""
        moved = super()._apply(fn, recurse)
        self._heads_in_double()
        return moved

    def resize_buffers(self, stored: Mapping[str, Tensor]) -> None:
        """Let buffers grow to stored ones, before these are checked and loaded."""
        for name, module in self.named_modules():
            if name and (resize := getattr(module, "resize_buffers", None)):
                part = f"{name}."
                resize({n.removeprefix(part): t for n, t in stored.items() if n.startswith(part)})

    @classmethod
    def from_parts(
        cls,
        config: Mapping[str, Any],
        projection: Projection,
        *,
        encoder: ContextEncoder,
        scorer: Scorer,
        likelihood: ChoiceLikelihood,
        features: FeatureExtractor,
    ) -> Self:
        """A model of parts that are there already, such as trained ones; no weight is read or copied.

        The parts become the model's own, on the CPU: heads are in double precision from then on.

        Args:
            config: Their plain form; see the class.
            projection: Fitted projection of the features.
            encoder, scorer, likelihood, features: The parts.
        """
        parts = {"encoder": encoder, "scorer": scorer, "likelihood": likelihood, "features": features}
        return cls(config, projection, parts=parts)

    @classmethod
    def from_pretrained(
        cls, name: str | Path, *, revision: str | None = None, trust_remote_code: bool = False
    ) -> Self:
        """Open a run folder, a folder written by `save_pretrained`, or a model on the hub.

        Args:
            name: Path or hub id.
            revision: Branch, tag or commit of a hub id.
            trust_remote_code: Whether parts that are not fsa's own may be imported and run.

        Raises:
            CheckpointError: The folder is not a reward model of this layout, a tensor is missing or left
                over, or a part is foreign.
        """
        folder, config = open_folder(name, cls.layout, revision)
        bases = {"projection": Projection, **_OTHERS}
        parts = build_parts(config, bases, trust_remote_code=trust_remote_code)
        projection = parts.pop("projection").read(folder / PROJECTION)
        widths = (_count(config, "d_feature"), _count(config, "d_belief"))
        parts |= heads(config, widths, folder / WEIGHTS, trust_remote_code)
        model = cls(config, projection, trust_remote_code, parts)
        load_strictly(model, folder / WEIGHTS, model.resize_buffers)
        model.origin = folder
        return model

    def save_pretrained(self, folder: str | Path) -> None:
        """Write config.json, model.safetensors, projection.safetensors and README.md, the model card."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / CONFIG_JSON, self.config)
        # Training was in single precision, so nothing is lost.
        single = {name: t.float() if t.is_floating_point() else t for name, t in self.state_dict().items()}
        plain = {name: t.detach().cpu().contiguous() for name, t in single.items()}
        save_tensors(folder / WEIGHTS, plain, self.config.get(RUN))
        tensors = {name: torch.from_numpy(t).contiguous() for name, t in self.projection.tensors().items()}
        save_tensors(folder / PROJECTION, tensors, self.config.get(RUN))
        from fsa.runs.model_card import write_card  # tables and plots take seconds: not to open a model

        write_card(folder, self.config, self.origin)

    def for_user(
        self,
        choices: Choices,
        half_life: float | None = None,
        stated: Mapping[str, Any] | AlignmentTarget | None = None,
        bank: Bank | None = None,
    ) -> Person:
        """One person, read once; see `for_users`. No choices at all give the prior.

        Args:
            choices, half_life: As in `for_users`.
            stated: What they say they like, such as `{"log_length": "low"}`; see `Bank.evidence`.
            bank: Responses whose levels give that a meaning.
        """
        person = self.for_users([choices], half_life)[0]
        return person if stated is None else person.state(stated, bank)

    def for_users(self, choices_of_each: Sequence[Choices], half_life: float | None = None) -> list[Person]:
        """Many people, read together; the same beliefs as one by one.

        Args:
            choices_of_each: Each person's choices; their order counts only with a half-life: oldest first.
            half_life: Choices after which one counts half as much, > 0, for tastes that drift; None for
                tastes that stay.

        Raises:
            ChoiceDataError: Something is no choice.
            ConfigError: `half_life` is not above 0, or the encoder counts all choices alike.
        """
        for i, choices in enumerate(choices_of_each):
            if isinstance(choices, str | Mapping) or not isinstance(choices, Sequence):
                raise ChoiceDataError(f"people[{i}]: choices must be a list of choices, came {choices!r:.80}")
        return self.read([History(tuple(as_choices(choices)), half_life) for choices in choices_of_each])

    def read(self, histories: Sequence[History]) -> list[Person]:
        """Many people from what is known of them; see `for_users`."""
        if not histories:
            return []
        beliefs = read(self, histories)
        each = [beliefs] if len(histories) == 1 else [beliefs.of_user(i) for i in range(len(histories))]
        return [self._person(*known) for known in zip(each, histories, strict=True)]

    def load_person(self, path: str | Path) -> Person:
        """A person whom `Person.save` wrote; see there.

        Raises:
            CheckpointError: It is no such file, was read by another model, lacks a tensor, or was changed.
        """
        return self._person(*load_person(self, path))

    def _person(self, belief: Belief, history: History | None) -> Person:
        return Person(self, belief, history)

    @torch.no_grad()
    def score_batch(
        self,
        people: Sequence[Person],
        prompts: Sequence[Text],
        responses: Sequence[Sequence[Text | Numbers]],
        probabilities: bool = False,
    ) -> list[Scores]:
        """Score responses for m people at once, each to their own prompt; no score depends on the others.

        Args:
            people: Whose rewards [m].
            prompts: What is responded to [m].
            responses: One or more responses for each [m] of [k].
            probabilities: Whether to say how probable it is that each response is picked.

        Raises:
            ShapeError: The three disagree about m, a person has no response to score, or a person was read by
                another model.
            ChoiceDataError: A prompt or response is neither text, chat nor numbers.
        """
        if not len(people) == len(prompts) == len(responses):
            raise ShapeError(
                f"{len(people)} people, {len(prompts)} prompts, {len(responses)} lists of responses"
            )
        if not people:
            return []
        choices = options_of(self, people, prompts, responses)
        known = [person.belief for person in people]
        beliefs = known[0] if len(known) == 1 else Belief.of_users(known)
        noise, chances = self._noise(beliefs), None
        if probabilities:
            predictive, spread = self.scorer.predictive_and_spread(choices, beliefs, noise)
            chances = picked(self.likelihood, predictive, choices.option_mask)[:, 0].cpu().numpy()
        else:
            spread = self.scorer.spread(choices, beliefs, noise)
        mean, *doubt = (
            part[:, 0].cpu().numpy() for part in (spread.mean, spread.std, spread.low, spread.high)
        )
        scored, has_doubt = [], (beliefs.std > 0).any(-1).tolist()
        for i, each in enumerate(responses):
            mine = (i, slice(len(each)))
            std, low, high = (part[mine] if has_doubt[i] else None for part in doubt)
            scored.append(Scores(mean[mine], std, low, high, None if chances is None else chances[mine]))
        return scored

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return device_of(self)

    def latents(self, belief: Belief) -> Float[Tensor, "s b z"]:
        """Samples of beliefs to average predictions over; a point needs one."""
        return belief.sample(self._noise(belief))

    def predictive(self, choices: ChoiceBatch, belief: Belief) -> Predictive:
        """Scores of options to average probabilities over; see `Scorer.predictive`."""
        return self.scorer.predictive(choices, belief, self._noise(belief))

    def _noise(self, belief: Belief) -> Float[Tensor, "s 1 z"]:
        width = belief.mean.shape[1]
        if self.scorer.runs_per_latent or not (belief.std > 0).any():
            return belief.mean.new_zeros(1, 1, width)
        # All people get the same noise, so that scores do not depend on company or on calls before.
        return matched_noise(self.num_samples, width).unsqueeze(1).to(belief.mean.device)


def _check_backbone(config: dict[str, Any], backbone: str) -> None:
    """Adapters say nothing without the weights that they were trained for: note these, or hold them to it."""
    found = backbone_hash(resolve(backbone), weights_only=True)
    if config.setdefault(BACKBONE_HASH, found) != found:
        raise CheckpointError(
            f"config.json: backbone {backbone} had weights {config[BACKBONE_HASH][:12]}..., those there now "
            f"are {found[:12]}...; adapters fit the weights that they were trained for alone"
        )


def _count(config: Mapping[str, Any], name: str) -> int:
    value = config.get(name)
    if type(value) is not int or not 1 <= value <= _MOST:
        raise CheckpointError(
            f"config.json: {name} should be a whole number from 1 to {_MOST:,}, came {value!r:.80}"
        )
    return value
