"""Each sample's own person as verl's reward: a reward manager, and a custom reward function.

`reward.reward_manager={source: importlib, name: FsaRewardManager, module: {path: pkg://fsa.serve.verl}}`, or
`reward.custom_reward_function.path=pkg://fsa.serve.verl`. No import of verl: it is called by its convention.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from fsa.errors import ChoiceDataError
from fsa.serve.asked_rows import asked_in
from fsa.serve.batching import MicroBatcher
from fsa.serve.in_process import InProcess
from fsa.serve.people import Asked
from fsa.serve.scoring import Scored, ToScore
from fsa.serve.trl import as_text

_MOST, _WAIT = 256, 0.005  # samples scored together, and the seconds that the first of them waits
_SETTINGS = ("model", "people", "tenant", "device")
_Answer = tuple[Scored, bool]


class FsaRewardManager:
    """Rewards of samples, each for the person that its `extra_info` names (`user`, or `choices`).

    verl asks one sample at a time, many at once; what comes within a few milliseconds is scored together. A
    sample without a person, or with one who is not known, gets the reward of an unknown person, and
    `fsa_known` 0 among the metrics. Set up by `reward.custom_reward_function.reward_kwargs` (`model`,
    `people`, `tenant`, `device`) or the environment, see `InProcess`.

    Args:
        config: verl's whole configuration.
        tokenizer: Of the policy; responses are decoded with it.
        compute_score, reward_router_address, reward_model_tokenizer, more: Given by verl, and not used.
    """

    def __init__(
        self,
        config: Any,
        tokenizer: Any,
        compute_score: Any = None,
        reward_router_address: str | None = None,
        reward_model_tokenizer: Any = None,
        **more: Any,
    ) -> None:
        self.config, self.tokenizer = config, tokenizer
        self._rewards = _opened(*_settings(config))
        self._batches: MicroBatcher[ToScore, _Answer] | None = None

    async def run_single(self, data: Any) -> dict[str, Any]:
        """Reward of one sample: of several sequences of it, the last.

        Args:
            data: verl's `DataProto` of one sample or more.

        Returns:
            `reward_score` in nats, and `reward_extra_info`: `fsa_known`, and `fsa_stderr` in nats.

        Raises:
            ChoiceDataError: `extra_info` names no person that can be read.
        """
        item = data[len(data) - 1]
        words = item.non_tensor_batch
        about = _plain(words.get("extra_info")) or {}
        prompt = _plain(words.get("raw_prompt"))
        response = await asyncio.to_thread(self._decoded, item.batch)
        asked = about.get("prompt") if prompt is None else prompt
        answer = await self._batch().submit(_to_score(self._rewards, about, asked, response))
        return {"reward_score": answer[0].reward[0], "reward_extra_info": _about(answer)}

    def _decoded(self, batch: Mapping[str, Any]) -> str:
        response = batch["responses"]
        length = int(batch["attention_mask"][-response.shape[-1] :].sum())
        return str(self.tokenizer.decode(response[:length], skip_special_tokens=True))

    def _batch(self) -> MicroBatcher[ToScore, _Answer]:
        if self._batches is None:
            self._batches = MicroBatcher(
                lambda items: _answers(self._rewards, items), max_items=_MOST, max_wait=_WAIT, max_queue=10**6
            )
            self._batches.start()
        return self._batches


def compute_score(
    data_source: Any,
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    model: str | None = None,
    people: str | None = None,
    tenant: str | None = None,
    device: str | None = None,
    **more: Any,
) -> dict[str, float]:
    """Reward of one response, as verl's custom reward functions give it.

    verl hands the prompt to no such function: it has to be in `extra_info`, as `prompt`, with `user` or
    `choices`. `FsaRewardManager` needs no copy of it, and scores samples together.

    Args:
        data_source, ground_truth, more: Given by verl, and not used.
        solution_str: The response.
        extra_info: Column of the data set.
        model, people, tenant, device: `reward.custom_reward_function.reward_kwargs`; see `InProcess`.

    Returns:
        `score` in nats; `fsa_known` and `fsa_stderr` become metrics.

    Raises:
        ChoiceDataError: There is no prompt, or `extra_info` names no person that can be read.
    """
    about = _plain(extra_info) or {}
    if about.get("prompt") is None:
        raise ChoiceDataError(
            f"extra_info: prompt must be given, came {', '.join(map(str, about)) or 'nothing'}"
        )
    rewards = _opened(model, people, tenant, device)
    [answer] = _answers(rewards, [_to_score(rewards, about, about["prompt"], solution_str)])
    if isinstance(answer, Exception):
        raise answer
    return {"score": answer[0].reward[0], **_about(answer)}


@lru_cache(maxsize=8)
def _opened(model: str | None, people: str | None, tenant: str | None, device: str | None) -> InProcess:
    """One model for all who ask in this process."""
    return InProcess(model, people, tenant, device)


def _to_score(rewards: InProcess, about: Mapping[str, Any], prompt: Any, response: str) -> ToScore:
    asked = asked_in(about.get("user"), about.get("choices"), rewards.tenant, "extra_info")
    return ToScore(asked or Asked(rewards.tenant), as_text("" if prompt is None else prompt), [response])


def _answers(rewards: InProcess, items: Sequence[ToScore]) -> list[_Answer | Exception]:
    unknown = Asked(rewards.tenant)
    return [
        answer if isinstance(answer, Exception) else (answer, is_known and item.asked != unknown)
        for (answer, is_known), item in zip(rewards.score_with_known(items), items, strict=True)
    ]


def _about(answer: _Answer) -> dict[str, float]:
    scored, is_known = answer
    return {"fsa_known": float(is_known), "fsa_stderr": scored.stderr[0] if scored.stderr else 0.0}


def _settings(config: Any) -> tuple[str | None, ...]:
    """What verl's configuration says under `reward.custom_reward_function.reward_kwargs`."""
    found = config
    for name in ("reward", "custom_reward_function", "reward_kwargs"):
        found = found.get(name) if isinstance(found, Mapping) or hasattr(found, "get") else None
    said = found or {}
    return tuple(said.get(name) for name in _SETTINGS)


def _plain(value: Any) -> Any:
    """A value with lists where Parquet and Ray have arrays."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
