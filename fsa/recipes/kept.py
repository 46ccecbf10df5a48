"""Answers that a policy gives to every user."""

from __future__ import annotations

from fsa.choices.own_answers import answer_lines
from fsa.episodes.tokens import ItemTokens
from fsa.errors import ChoiceDataError, ConfigError
from fsa.models.policy import PolicyScorer
from fsa.models.scorer import Scorer
from fsa.outputs.item_tokens import Texts


def kept_answers(path: str, scorer: Scorer) -> ItemTokens:
    """Finished answers of a file of `train.answers`, as a policy reads them.

    Raises:
        ChoiceDataError: The file cannot be read, or holds no finished answer.
        ConfigError: The scorer is no policy.
    """
    if not isinstance(scorer, PolicyScorer):
        raise ConfigError(f"kept is {path!r}, answers of a policy, but {type(scorer).__name__} is none")
    exchanges = [
        (prompt, response) for prompt, response, stopped in answer_lines(path) if stopped and response
    ]
    if not exchanges:
        raise ChoiceDataError(f"{path}: must hold at least one finished answer, came none")
    return Texts(scorer).items(*zip(*exchanges, strict=True))
