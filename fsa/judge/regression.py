"""`RegressionJudge`: a language model scores responses on one attribute a request; the base of two judges."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from fsa.errors import ConfigError
from fsa.features.rendering import plain
from fsa.judge.attributes import HELPSTEER2, MORAL_FOUNDATIONS, Attribute, attributes_from_yaml, check_names
from fsa.judge.engines.engine import Engine, Question, Reply
from fsa.judge.examples import Example, SimilarExamples
from fsa.judge.judge import Cost, Judge
from fsa.judge.prompts import answer, scoring_instructions, under_letters
from fsa.judge.schema import letters_for, read_scores, scores_schema
from fsa.judge.scores import AttributeScores, Labelled, Probe
from fsa.seeding import random_bits, stable_hash

_ORDER, _SAMPLING, _SHOT = range(3)  # what a random number is for


class RegressionJudge(Judge):
    """Asks for a score from 0 to 100 and a sentence of reasoning, one attribute a request.

    What a reply does not validly say is NaN and a named problem. Equal responses are shown once, get the same
    score, and count as the problem "duplicate response". Everything random comes from the seed, the probe's
    key, the attribute and the sample.

    Args:
        engine: Carries the questions to a language model.
        attributes: Names from HelpSteer2's five and the six moral foundations, definitions of one's own
            (`name`, `definition`, `high`, `low`), or a YAML file of them.
        examples: Chooses the labelled responses to show, of those that `learn` is given; None shows none.
        samples: Requests a probe and attribute, each in its own order of letters; their mean is the score.
        max_reasoning: Most characters of a reasoning.
        max_chars: Most characters of each prompt and response shown; None shows all.
        seed: Same seed, same questions.

    Raises:
        ConfigError: An argument is not what it may be.

    Reference:
        [Adams2025] Steerable Pluralism: few-shot comparative regression.
    """

    compares: bool

    def __init__(
        self,
        engine: Engine,
        attributes: Sequence[str | Attribute] | str = HELPSTEER2,
        examples: SimilarExamples | None = None,
        samples: int = 1,
        max_reasoning: int = 200,
        max_chars: int | None = None,
        seed: int = 0,
    ) -> None:
        for name, value in (("samples", samples), ("max_reasoning", max_reasoning), ("max_chars", max_chars)):
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be 1 or more, came {value}")
        self.engine, self.examples, self.samples = engine, examples, samples
        self.defined = _defined(attributes)
        self.max_reasoning, self.max_chars, self.seed = max_reasoning, max_chars, seed
        self._cost = Cost()

    @property
    def attributes(self) -> tuple[str, ...]:
        return tuple(attribute.name for attribute in self.defined)

    @property
    def cost(self) -> Cost:
        return self._cost

    def learn(self, labelled: Sequence[Labelled], progress: bool = False) -> None:
        if self.examples is not None:
            self.examples.learn(labelled, progress)

    def score(self, probes: Sequence[Probe], progress: bool = False) -> list[AttributeScores]:
        started = time.monotonic()
        asked = list(self._requests(probes))
        replies = self.engine.ask([request.question for request in asked], progress)
        tallies = [_Tally(probe, self.attributes, self.samples) for probe in probes]
        for request, reply in zip(asked, replies, strict=True):
            tallies[request.probe].add(request, reply, self.max_reasoning)
        self._cost += cost_of(replies, time.monotonic() - started)
        return [tally.scores() for tally in tallies]

    @abstractmethod
    def groups(self, count: int) -> list[tuple[int, ...]]:
        """Which of so many different responses go into one request together."""

    def _requests(self, probes: Sequence[Probe]) -> Iterator[_Request]:
        """All requests for one attribute, then for the next: what they share stands together."""
        for column, attribute in enumerate(self.defined):
            prompts = [probe.prompt for probe in probes]
            near = self.examples.near(prompts, attribute.name) if self.examples else [[] for _ in probes]
            for row, probe in enumerate(probes):
                shots = self._shots(near[row])
                texts = distinct_texts(probe)
                for sample in range(self.samples):
                    for group in self.groups(len(texts)):
                        key = (stable_hash(probe.key), stable_hash(attribute.name), sample, group[0])
                        order = tuple(group[place] for place in self._order(len(group), *key))
                        question = self._question(attribute, probe, [texts[i] for i in order], shots, key)
                        yield _Request(row, column, sample, order, question)

    def _question(
        self,
        attribute: Attribute,
        probe: Probe,
        texts: Sequence[str],
        shots: tuple[tuple[str, str], ...],
        key: tuple[int, ...],
    ) -> Question:
        letters = letters_for(len(texts))
        return Question(
            scoring_instructions(attribute, self.compares),
            shots,
            under_letters(probe.prompt, texts, letters, self.max_chars),
            scores_schema(letters, self.max_reasoning),
            max_tokens=len(letters) * most_tokens(self.max_reasoning),
            seed=int(random_bits(self.seed, _SAMPLING, *key) >> np.uint64(33)),
        )

    def _shots(self, near: Sequence[Example]) -> tuple[tuple[str, str], ...]:
        """Questions and answers as the model should give them, in the schema asked for."""
        shots = []
        for example in near:
            kept = list(range(len(example.responses))) if self.compares else [example.shows]
            # Shuffled, or the letter would tell what the file's order tells; the same for every sample.
            order = [kept[i] for i in self._order(len(kept), _SHOT, stable_hash(example.prompt))]
            letters = letters_for(len(order))
            said = [(example.scores[i], example.reasonings[i]) for i in order]
            texts = [example.responses[i] for i in order]
            ask = under_letters(example.prompt, texts, letters, self.max_chars)
            shots.append((ask, answer(dict(zip(letters, said, strict=True)), self.max_reasoning)))
        return tuple(shots)

    def _order(self, count: int, *key: int) -> list[int]:
        return [int(i) for i in np.argsort(random_bits(self.seed, _ORDER, *key, np.arange(count)))]


def distinct_texts(probe: Probe) -> list[str]:
    """The probe's responses as texts, each once, in the order that they first come."""
    return list(dict.fromkeys(plain(response) for response in probe.responses))


def cost_of(replies: Sequence[Reply], seconds: float) -> Cost:
    """What some replies took."""
    return Cost(
        sum(reply.requests for reply in replies),
        sum(reply.prompt_tokens for reply in replies),
        sum(reply.generated_tokens for reply in replies),
        seconds,
    )


def most_tokens(max_reasoning: int) -> int:
    """Tokens that surely hold one entry of an answer, for texts of about a token a character or fewer."""
    return max_reasoning + 48


@dataclass(frozen=True)
class _Request:
    """A question, and where its answers belong: letter i is about different response `order[i]`."""

    probe: int
    attribute: int
    sample: int
    order: tuple[int, ...]
    question: Question


@dataclass
class _Tally:
    """Gathers what was said of one probe."""

    probe: Probe
    attributes: tuple[str, ...]
    samples: int
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.texts = distinct_texts(self.probe)
        shape = (self.samples, len(self.texts), len(self.attributes))
        self.values = np.full(shape, np.nan)
        self.reasoning: dict[tuple[int, int], str] = {}
        self.problems += ["duplicate response"] * (len(self.probe.responses) - len(self.texts))

    def add(self, request: _Request, reply: Reply, max_reasoning: int) -> None:
        """Take in one reply."""
        if reply.problem or reply.text is None:
            self.problems.append(reply.problem or "no answer")
            return
        letters = letters_for(len(request.order))
        found, problems = read_scores(reply.text, letters, max_reasoning)
        self.problems += problems
        for letter, response in zip(letters, request.order, strict=True):
            if letter in found:
                self.values[request.sample, response, request.attribute] = found[letter].score
                self.reasoning.setdefault((response, request.attribute), found[letter].reasoning)

    def scores(self) -> AttributeScores:
        """Mean and spread over the valid samples, for every response of the probe."""
        places = [self.texts.index(plain(response)) for response in self.probe.responses]
        valid = ~np.isnan(self.values)
        count = valid.sum(0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(valid, self.values, 0).sum(0) / count  # 0 / 0: no valid sample, NaN
            spread = np.sqrt(np.where(valid, (self.values - mean) ** 2, 0).sum(0) / count)
        columns = range(len(self.attributes))
        reasoning = tuple(tuple(self.reasoning.get((row, column)) for column in columns) for row in places)
        return AttributeScores(
            self.attributes,
            mean[places],
            spread[places] if self.samples > 1 else None,
            reasoning,
            tuple(self.problems),
        )


def _defined(attributes: Sequence[str | Attribute] | str) -> tuple[Attribute, ...]:
    if isinstance(attributes, str):
        return attributes_from_yaml(attributes)
    known = {attribute.name: attribute for attribute in (*HELPSTEER2, *MORAL_FOUNDATIONS)}
    for one in attributes:
        if isinstance(one, str) and one not in known:
            raise ConfigError(f"attribute {one!r} has no definition; known are {', '.join(known)}")
    defined = tuple(known[one] if isinstance(one, str) else one for one in attributes)
    if not defined:
        raise ConfigError("attributes must name one or more")
    check_names([attribute.name for attribute in defined], "attributes")
    return defined
