"""`Policy`: a trained policy, from which each person's comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from rich.progress import track

from fsa.errors import CheckpointError, ShapeError
from fsa.judge.target import AlignmentTarget
from fsa.models.language_scorer import LanguageScorer
from fsa.outputs.adapters import save_adapter
from fsa.outputs.api_inputs import Choices, as_prompts
from fsa.outputs.history import History
from fsa.outputs.reward_model import Person, RewardModel
from fsa.outputs.statements import Bank
from fsa.settings import setting, settings
from fsa.types import Belief, Text

FORMAT = "fsa.policy.1"
MAX_NEW_TOKENS = 200
"""Longest answer, in tokens, by default."""


@settings
class Generation:
    """How answers are written; further options are those of transformers' `generate`."""

    max_new_tokens: int | None = setting(
        default=MAX_NEW_TOKENS, doc="Longest answer, in tokens.", at_least=1, at_most=10**6
    )
    do_sample: bool | None = setting(
        default=False, doc="Draw answers at random; without, the likeliest token each time."
    )
    temperature: float | None = setting(default=1.0, doc="Of drawing; larger is more random.", above=0)
    batch_size: int = setting(default=32, doc="Prompts answered at once.", at_least=1)


_CHECKED = frozenset({"max_new_tokens", "do_sample", "temperature"})


class Policy(RewardModel):
    """Gives a new person's policy from a few of their choices, without training.

    It scores too: rewards are beta times the log-ratio to the reference.

    Example:
        >>> policy = fsa.Policy.from_pretrained("runs/policy")  # doctest: +SKIP
        >>> person = policy.for_user(choices)  # doctest: +SKIP
        >>> person.generate(["How do I ask for a rise?"], max_new_tokens=200)  # doctest: +SKIP
        >>> person.save_adapter("adapters/person")  # doctest: +SKIP
    """

    layout: ClassVar[str] = FORMAT

    def for_user(
        self,
        choices: Choices,
        half_life: float | None = None,
        stated: Mapping[str, Any] | AlignmentTarget | None = None,
        bank: Bank | None = None,
    ) -> PolicyPerson:
        """One person, read once. No choices at all give the prior."""
        return super().for_user(choices, half_life, stated, bank)  # type: ignore[return-value]

    def for_users(  # type: ignore[override]
        self, choices_of_each: Sequence[Choices], half_life: float | None = None
    ) -> list[PolicyPerson]:
        """Many people, read together; the same beliefs as one by one."""
        return super().for_users(choices_of_each, half_life)  # type: ignore[return-value]

    def _person(self, belief: Belief, history: History | None) -> PolicyPerson:
        return PolicyPerson(self, belief, history)

    def with_latent(self, z: torch.Tensor) -> PolicyPerson:
        """A person by their latent alone, for instance between two people [z]."""
        return PolicyPerson(self, Belief.point(z.detach().double()[None]))

    def strengthen(self, strength: float) -> None:
        """Let all people's answers, rewards and adapters be so many times as far from the reference.

        It acts on what is in memory: on adapters saved from now on, and on the run only where it is saved.

        Args:
            strength: 1 changes nothing, 0 gives the reference; larger steers further, and costs more.

        Raises:
            ConfigError: See `LanguageModel.scale`.
        """
        _scorer(self).language_model.scale(strength)

    @torch.no_grad()
    def generate(
        self,
        people: Sequence[PolicyPerson | None],
        prompts: Sequence[Text],
        batch_size: int = 32,
        progress: bool = False,
        **options: Any,
    ) -> list[Any]:
        """Answers to m prompts, each by the policy of its own person; a batch may mix people.

        Args:
            people: Whose policies [m]; None is the reference, with no adapter at all.
            prompts: What to answer [m].
            batch_size: Prompts answered at once.
            progress: Show a progress bar.
            options: Those of transformers' `generate`: `max_new_tokens`, `do_sample`, `num_beams`,
                `num_return_sequences` and so on.

        Returns:
            One text a prompt; a list of texts where `num_return_sequences` is above 1.

        Raises:
            ShapeError: People and prompts are not equally many, or a person was read by another policy.
        """
        if len(people) != len(prompts):
            raise ShapeError(f"{len(people)} people, {len(prompts)} prompts")
        Generation(batch_size=batch_size, **{k: options[k] for k in _CHECKED & options.keys()})
        if any(person is not None and person.model is not self for person in people):
            raise ShapeError("a person was read by another policy; beliefs of two models do not mix")
        texts = as_prompts(prompts)
        # The reference's rows apart: the adapters are on or off for a whole batch. Then by length.
        order = sorted(range(len(texts)), key=lambda i: (people[i] is None, len(str(texts[i]))))
        split = sum(person is not None for person in people)
        starts = [*range(0, split, batch_size), *range(split, len(order), batch_size)]
        answers: list[Any] = [None] * len(order)
        for start in track(starts, "Generating", disable=not progress):
            end = min(start + batch_size, split if start < split else len(order))
            rows = order[start:end]
            answered = self._answers([people[i] for i in rows], [texts[i] for i in rows], options)
            for i, answer in zip(rows, answered, strict=True):
                answers[i] = answer
        return answers

    def _answers(
        self, people: Sequence[PolicyPerson | None], prompts: Sequence[Text], options: dict[str, Any]
    ) -> list[Any]:
        assert self.texts is not None, "a policy's scorer reads tokens"
        model, tokenizer = _scorer(self).language_model, self.texts.tokenizer
        ids, mask = (each.to(self.device) for each in self.texts.prompts(prompts))
        padding = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
        given = {
            "max_new_tokens": MAX_NEW_TOKENS,
            "pad_token_id": padding,
            "eos_token_id": tokenizer.eos_token_id,
            "do_sample": False,
            **options,
        }
        steered = [person.belief.mean for person in people if person is not None]
        z = torch.cat(steered).float().to(self.device) if steered else None
        written = model.generate(ids, mask, z, **given)
        decoded = tokenizer.batch_decode(written[:, ids.shape[1] :], skip_special_tokens=True)
        each = options.get("num_return_sequences") or 1
        stripped = [text.strip() for text in decoded]
        return stripped if each == 1 else [stripped[i : i + each] for i in range(0, len(stripped), each)]


@dataclass(frozen=True, repr=False)
class PolicyPerson(Person):
    """One person's policy: a belief about them, and the policy it was read by."""

    model: Policy

    def generate(self, prompts: Sequence[Text], **options: Any) -> list[Any]:
        """Answers to some prompts; see `Policy.generate`.

        Raises:
            ShapeError: One prompt came where a list of them is wanted.
        """
        if isinstance(prompts, str) or (len(prompts) and isinstance(prompts[0], Mapping)):
            raise ShapeError("prompts must be a list of prompts, came one prompt; write [prompt]")
        return self.model.generate([self] * len(prompts), prompts, **options)

    def save_adapter(self, folder: str | Path, about: Mapping[str, str] | None = None) -> None:
        """Write a plain PEFT LoRA: this person's gains folded into its weights; see `save_adapter`."""
        save_adapter(_scorer(self.model).language_model, self.belief.mean[0].float(), Path(folder), about)


def _scorer(policy: Policy) -> LanguageScorer:
    if not isinstance(policy.scorer, LanguageScorer):
        raise CheckpointError(f"config.json: scorer is {type(policy.scorer).__name__}, which writes no text")
    return policy.scorer
