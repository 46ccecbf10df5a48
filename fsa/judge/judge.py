"""`Judge`: what scores responses on attributes, and what that cost."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from fsa.judge.scores import AttributeScores, Labelled, Probe


@dataclass(frozen=True)
class Cost:
    """What judging took. Zero everywhere for a judge that asks no language model, but for the seconds.

    Attributes:
        requests: Sent to a language model, failed and repeated ones counted.
        prompt_tokens: Read by it.
        generated_tokens: Written by it.
        seconds: Of wall-clock time.
    """

    requests: int = 0
    prompt_tokens: int = 0
    generated_tokens: int = 0
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, other: Cost) -> Cost:
        return Cost(*(mine - theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


class Judge(ABC):
    """Scores responses on attributes, 0 to 1. Scoring trains nothing; what can learn does so in `learn`.

    A judge gives the same scores whatever the order of the probes, and NaN where it has no valid score.
    """

    @property
    @abstractmethod
    def attributes(self) -> tuple[str, ...]:
        """Names of what is scored."""

    @abstractmethod
    def score(self, probes: Sequence[Probe], progress: bool = False) -> list[AttributeScores]:
        """One set of scores a probe, in the order given.

        Args:
            probes: What to judge.
            progress: Show a bar where this takes more than about two seconds.
        """

    def learn(self, labelled: Sequence[Labelled], progress: bool = False) -> None:  # noqa: B027
        """Take in probes whose scores people gave. A judge with nothing to learn ignores them.

        Raises:
            ConfigError: There are too few to learn from.
        """

    @property
    def cost(self) -> Cost:
        """What all calls so far took."""
        return Cost()
