"""`EndpointHandler`: a model behind the hub's Inference Endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsa.errors import ChoiceDataError
from fsa.outputs.loading import load


class EndpointHandler:
    """Answers requests of the hub's Inference Endpoints; `handler.py` of a pushed model imports it.

    Args:
        path: Folder of the model.
    """

    def __init__(self, path: str = "") -> None:
        self.rewards = load(path or ".")

    def __call__(self, data: Mapping[str, Any]) -> list[dict[str, Any]]:
        """A ranking for one person; see `Person.rank`.

        Args:
            data: `inputs`: an object of `prompt`, `responses` (one or more) and `choices` (the person's, as
                records; none gives the prior). `parameters`, if any: `top_k`.

        Raises:
            ChoiceDataError: `inputs` is not that; names the field.
        """
        inputs, parameters = data.get("inputs"), data.get("parameters") or {}
        if not isinstance(inputs, Mapping):
            raise ChoiceDataError(
                f"inputs must be an object of prompt, responses and choices, came {inputs!r:.80}"
            )
        for name in ("prompt", "responses"):
            if name not in inputs:
                raise ChoiceDataError(
                    f"inputs must have {name}, came {', '.join(map(str, inputs)) or 'nothing'}"
                )
        person = self.rewards.for_user(inputs.get("choices") or [])
        return person.rank(inputs["prompt"], inputs["responses"], top_k=parameters.get("top_k"))
