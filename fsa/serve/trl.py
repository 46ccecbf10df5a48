"""`reward`: each row's own person as a reward function of TRL's.

`trl grpo --reward_funcs fsa.serve.trl.reward`, with FSA_MODEL and FSA_PEOPLE in the environment. No import of
trl: it is called by its convention.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fsa.errors import ChoiceDataError, ShapeError
from fsa.serve.asked_rows import asked_in
from fsa.serve.in_process import InProcess
from fsa.serve.scoring import Scored, ToScore
from fsa.types import Text


class PersonReward:
    """Rewards of completions, each for the person whom its row names; a batch may mix people.

    The data set's column `user` names a person of FSA_PEOPLE, or `choices` holds records of theirs; a row
    with neither gets None, which says to TRL that this function has no word on it. A person whose name is not
    known is an unknown person, and counted in the metric `fsa/unknown_people`.

    Args:
        model, people, tenant, device: See `InProcess`.
        user: Column of names.
        choices: Column of lists of records, or of their JSON.

    Example:
        >>> GRPOTrainer(model, reward_funcs=PersonReward("runs/demo", "people.jsonl"))  # doctest: +SKIP
    """

    def __init__(
        self,
        model: str | None = None,
        people: str | None = None,
        tenant: str | None = None,
        device: str | None = None,
        user: str = "user",
        choices: str = "choices",
    ) -> None:
        self._rewards = InProcess(model, people, tenant, device)
        self.user, self.choices = user, choices

    def __call__(
        self,
        prompts: Sequence[Any],
        completions: Sequence[Any],
        log_metric: Callable[[str, float], None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """Rewards as TRL wants them.

        Args:
            prompts: Texts, or chats [m].
            completions: Texts, or chats of what was answered [m].
            log_metric: TRL's own; called once a batch, on every process.
            columns: The data set's columns, one entry a completion [m], and whatever else TRL gives.

        Returns:
            Nats, or None for a row without a person, and for a completion that no record could hold [m].

        Raises:
            ChoiceDataError: A name or record of a row is none; names the row and column.
            ShapeError: Prompts and completions are not equally many.
        """
        if len(prompts) != len(completions):
            raise ShapeError(f"{len(prompts)} prompts, {len(completions)} completions")
        asked = [
            asked_in(*self._cells(columns, i), self._rewards.tenant, f"row {i}") for i in range(len(prompts))
        ]
        items = [
            (i, ToScore(who, as_text(prompts[i]), [as_text(completions[i])]))
            for i, who in enumerate(asked)
            if who is not None
        ]
        rewards: list[float | None] = [None] * len(prompts)
        unknown: dict[str, None] = {}
        answers = self._rewards.score_with_known([item for _, item in items])
        for (i, item), (answer, is_known) in zip(items, answers, strict=True):
            rewards[i] = _reward(answer)
            unknown |= {} if is_known else {str(item.asked.user): None}
        if log_metric is not None:
            log_metric("fsa/unknown_people", float(len(unknown)))
        if unknown:
            warnings.warn(
                f"people without choices, scored as unknown: {', '.join(list(unknown)[:5])}", stacklevel=2
            )
        return rewards

    def _cells(self, columns: Mapping[str, Any], row: int) -> tuple[Any, Any]:
        return tuple(columns[name][row] if name in columns else None for name in (self.user, self.choices))  # type: ignore[return-value]


def as_text(value: Any) -> Text:
    """A prompt or completion as fsa has it: a text, or a chat of roles and texts.

    One message of the assistant's is its text; parts and fields that are no text are left out.
    """
    if isinstance(value, str):
        return value
    messages = tuple({"role": str(one["role"]), "content": _content(one.get("content"))} for one in value)
    if len(messages) == 1 and messages[0]["role"] == "assistant":
        return messages[0]["content"]
    return messages


def _content(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))


def _reward(answer: Scored | Exception) -> float | None:
    if isinstance(answer, Scored):
        return answer.reward[0]
    if isinstance(answer, ChoiceDataError):
        return None  # a policy may write what no record could hold, such as half a surrogate pair
    raise answer


reward = PersonReward()
"""Set up by the environment when it is first called."""
