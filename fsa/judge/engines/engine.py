"""`Engine`: what carries questions to a language model and brings a text, or a named problem, back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Question:
    """One request to a language model.

    Attributes:
        instructions: What to do; the same for many questions, and so read first.
        shots: Example questions, each with the answer that it should get.
        ask: The question itself.
        schema: JSON schema of the answer.
        max_tokens: Most tokens of the answer.
        seed: Of whatever is random about the answer, 0 to 2^31 - 1.
    """

    instructions: str
    shots: tuple[tuple[str, str], ...]
    ask: str
    schema: Mapping[str, Any]
    max_tokens: int
    seed: int = 0

    def messages(self) -> list[dict[str, str]]:
        """The question as a chat that waits for the assistant."""
        chat = [{"role": "system", "content": self.instructions}]
        for ask, answer in self.shots:
            chat += [{"role": "user", "content": ask}, {"role": "assistant", "content": answer}]
        return [*chat, {"role": "user", "content": self.ask}]

    def plain(self) -> str:
        """The question as a text to be continued, for a model without a chat template."""
        turns = [f"### Question\n{ask}\n\n### Answer\n{answer}\n" for ask, answer in self.shots]
        return "\n".join([f"{self.instructions}\n", *turns, f"### Question\n{self.ask}\n\n### Answer\n"])


@dataclass(frozen=True)
class Reply:
    """What came back.

    Attributes:
        text: The answer, not yet read; None where there is none.
        problem: What went wrong, in words that are the same each time it does ("truncated", "time-out",
            "HTTP 500"); None where nothing did. A text that comes with a problem must not be used.
        requests: Sent for this answer, failed ones counted.
        prompt_tokens: Read for it; tokens shared with another question and computed once count for both.
        generated_tokens: Written for it.
    """

    text: str | None
    problem: str | None = None
    requests: int = 1
    prompt_tokens: int = 0
    generated_tokens: int = 0


class Engine(ABC):
    """Asks a language model. It promises an answer to every question, be it a problem, in their order."""

    @abstractmethod
    def ask(self, questions: Sequence[Question], progress: bool = False) -> list[Reply]:
        """One reply a question.

        Args:
            questions: Any number.
            progress: Show a bar where this takes more than about two seconds.

        Raises:
            ConfigError: No question can be answered, whatever it is: no such model, or the key is refused.
        """
