"""People as models of RewardBench: `python -m fsa.serve.rewardbench --model=fsa/ann --tokenizer=BACKBONE`.

For models that `person.save_reward` cannot write; such folders need no registration. `fsa/anybody` is
an unknown person, whose rewards say what personalising leaves of safety and capability.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.errors import ChoiceDataError, ConfigError
from fsa.serve.conversations import taken_apart
from fsa.serve.in_process import InProcess
from fsa.serve.people import Asked
from fsa.serve.scoring import Scored, ToScore

PREFIX, ANYBODY = "fsa/", "anybody"


def register(name: str, model: str | None = None, people: str | None = None) -> None:
    """Let RewardBench, in this process, find a person under `fsa/NAME`.

    Args:
        name: Such as fsa/ann; fsa/anybody is an unknown person.
        model, people: See `InProcess`; None takes FSA_MODEL and FSA_PEOPLE.

    Raises:
        ConfigError: The name does not begin with fsa/.
    """
    from rewardbench.models import REWARD_MODEL_CONFIG

    if not name.startswith(PREFIX) or name == PREFIX:
        raise ConfigError(f"a person's name for RewardBench is {PREFIX}NAME, came {name!r}")
    person = name.removeprefix(PREFIX)
    rewards = InProcess(model, people)
    REWARD_MODEL_CONFIG[name] = {
        "model_builder": lambda path, **options: _Person(rewards, person),
        "pipeline_builder": PersonPipeline,
        "quantized": False,
        "custom_dialogue": False,
        "model_type": "Custom Classifier",
    }


class _Person(nn.Module):
    """What RewardBench takes for the model: it wants a module with a configuration."""

    def __init__(self, rewards: InProcess, person: str) -> None:
        super().__init__()
        self.rewards, self.person = rewards, person
        self.config = SimpleNamespace(pad_token_id=0)


class PersonPipeline:
    """Rewards of conversations as RewardBench asks for them: as texts in a chat template.

    Args:
        task: Not used.
        model: What the builder of `register` made.
        tokenizer: RewardBench's own; not used.
    """

    def __init__(self, task: str, model: Any, tokenizer: Any) -> None:
        self.task, self.model, self.tokenizer = task, model, tokenizer
        self._rewards, self._name = model.rewards, model.person

    def __call__(self, samples: Sequence[str], **options: Any) -> Float[Tensor, " m"]:
        """Rewards in nats [m].

        Raises:
            ChoiceDataError: A text is in no chat template that is known, or no person has this name.
        """
        asked = Asked(self._rewards.tenant, None if self._name == ANYBODY else self._name)
        answers = self._rewards.score([_to_score(asked, sample) for sample in samples])
        return torch.tensor([_reward(answer) for answer in answers])


def _to_score(asked: Asked, sample: str) -> ToScore:
    prompt, response = taken_apart(sample)
    if not prompt:
        raise ChoiceDataError(
            f"a conversation must be in a chat template that fsa knows, came {sample[:60]!r}; name a "
            "tokenizer that has one (--tokenizer)"
        )
    return ToScore(asked, prompt, [response])


def _reward(answer: Scored | Exception) -> float:
    if isinstance(answer, Exception):
        raise answer
    return answer.reward[0]


def main() -> None:
    """RewardBench's own command line, with the person that `--model` names."""
    from rewardbench.rewardbench import main as run

    given = sys.argv[1:]
    for i, argument in enumerate(given):
        if argument.partition("=")[0] == "--model":
            register(argument.partition("=")[2] or " ".join(given[i + 1 : i + 2]))
    run()


if __name__ == "__main__":
    main()
