"""`Episode`: an episode as objects, which refuses what an episode may not be."""

from __future__ import annotations

from dataclasses import dataclass

from fsa.errors import EpisodeError
from fsa.types import Choice


@dataclass(frozen=True)
class Episode:
    """What may be seen of a user (context) and what must be predicted (target).

    Raises:
        EpisodeError: The target is empty, or context and target share a prompt; where the user has a single
            prompt, where they share a response.
    """

    context: tuple[Choice, ...]
    target: tuple[Choice, ...]

    def __post_init__(self) -> None:
        if not self.target:
            raise EpisodeError("target is empty; an episode predicts at least one choice")
        # By repr, because the messages of a chat have no hash.
        seen = {repr(choice.prompt) for choice in self.context}
        if len(seen | {repr(choice.prompt) for choice in self.target}) == 1:
            responses = {repr(response) for choice in self.context for response in choice.options}
            shared = responses & {repr(response) for choice in self.target for response in choice.options}
            if shared:
                raise EpisodeError(f"context and target share the response {min(shared)}")
            return
        for choice in self.target:
            if repr(choice.prompt) in seen:
                raise EpisodeError(f"context and target share the prompt {choice.prompt!r}")
