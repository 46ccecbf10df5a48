"""`TransformersEngine`: a language model on this machine, held to the schema token by token."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    LogitsProcessorList,
)

from fsa.backbones import Dtype, resolve, torch_dtype
from fsa.devices import torch_device
from fsa.errors import ConfigError
from fsa.features.buckets import padded
from fsa.features.progress import SlowBar
from fsa.judge.engines.constrained import ConstrainedSampling, Grammars
from fsa.judge.engines.engine import Engine, Question, Reply
from fsa.judge.engines.prefix_cache import PrefixCache, stacked


class TransformersEngine(Engine):
    """Runs a causal language model in batches; what prompts share is computed once.

    Cheap to make: the model is found and loaded at the first question. A model with a chat template gets a
    chat, one without gets a plain text to continue. A prompt that leaves no room for its answer is a problem
    of its own ("prompt too long"); nothing is cut here.

    Args:
        model: "gemma-270m", a hub id, or a folder.
        batch_size: Answers written at once. More is faster, and takes memory for each.
        temperature: 0 takes the likeliest token; 1 samples as the model would.
        dtype: Of the weights.
        device: "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", "mps".

    Raises:
        ConfigError: A number is not what it may be, or, at the first question, llguidance is not installed.
        FeatureError: At the first question: there is no such model.
    """

    def __init__(
        self,
        model: str,
        batch_size: int = 8,
        temperature: float = 0.0,
        dtype: Dtype = "float32",
        device: str = "auto",
    ) -> None:
        if batch_size < 1 or temperature < 0:
            raise ConfigError(
                f"batch_size must be >= 1 and temperature >= 0, came {batch_size} and {temperature}"
            )
        self.model, self.batch_size, self.temperature = model, batch_size, temperature
        self.dtype, self.device = dtype, device

    def ask(self, questions: Sequence[Question], progress: bool = False) -> list[Reply]:
        prompts = [self._tokens(question) for question in questions]
        replies: list[Reply | None] = [None] * len(questions)
        fitting = []
        # Tokens of a prompt and its answer together.
        config = self._model.config.get_text_config()
        room = getattr(config, "max_position_embeddings", None) or self._tokenizer.model_max_length
        for place, (question, ids) in enumerate(zip(questions, prompts, strict=True)):
            if len(ids) + question.max_tokens > room:
                replies[place] = Reply(None, "prompt too long", requests=0)
            else:
                fitting.append(place)
        fitting.sort(key=prompts.__getitem__)  # neighbours share the most
        with SlowBar(f"Answers ({self.model})", len(fitting), enabled=progress) as bar:
            for start in range(0, len(fitting), self.batch_size):
                batch = fitting[start : start + self.batch_size]
                answers = self._answer([questions[i] for i in batch], [prompts[i] for i in batch])
                for place, reply in zip(batch, answers, strict=True):
                    replies[place] = reply
                bar.advance(len(batch), sum(reply.generated_tokens for reply in answers))
        return [reply for reply in replies if reply is not None]

    @torch.inference_mode()
    def _answer(self, questions: Sequence[Question], prompts: Sequence[list[int]]) -> list[Reply]:
        """One batch."""
        ids, mask = padded(prompts, self._pad_id, "left")
        cache = stacked([self._prefixes.read(row) for row in prompts], [len(row) - 1 for row in prompts])
        matchers = [self._grammars.matcher(question.schema) for question in questions]
        sampling = ConstrainedSampling(matchers, [question.seed for question in questions], self.temperature)
        written = self._model.generate(
            ids.to(self._device),
            attention_mask=mask.to(self._device),
            past_key_values=cache,
            logits_processor=LogitsProcessorList([sampling]),
            generation_config=GenerationConfig(
                max_new_tokens=max(question.max_tokens for question in questions),
                do_sample=False,
                eos_token_id=self._tokenizer.eos_token_id,
                pad_token_id=self._pad_id,
            ),
        )[:, ids.shape[1] :].tolist()
        return [self._reply(*each) for each in zip(questions, prompts, written, strict=True)]

    def _reply(self, question: Question, prompt: Sequence[int], written: Sequence[int]) -> Reply:
        """An answer up to its end; one without an end, or beyond its own limit, is truncated."""
        end = self._tokenizer.eos_token_id
        length = written.index(end) if end in written else len(written)
        is_cut = length == len(written) or length > question.max_tokens
        text = str(self._tokenizer.decode(list(written[:length]), skip_special_tokens=True))
        counts = {"prompt_tokens": len(prompt), "generated_tokens": min(length + 1, len(written))}
        return Reply(text, "truncated" if is_cut else None, **counts)

    def _tokens(self, question: Question) -> list[int]:
        if self._tokenizer.chat_template is None:
            return list(self._tokenizer(question.plain())["input_ids"])
        chat = question.messages()
        try:
            text = self._render(chat)
        except Exception as error:  # a template raises what it likes where it knows no system turn
            instructions, first = chat[0]["content"], chat[1]["content"]
            chat = [{"role": "user", "content": f"{instructions}\n\n{first}"}, *chat[2:]]
            try:
                text = self._render(chat)
            except Exception:
                raise ConfigError(f"model {self.model!r}: chat template failed: {error}") from error
        # The template has written the special tokens; a second BOS would go unnoticed.
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _render(self, chat: list[dict[str, str]]) -> str:
        return str(self._tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True))

    @cached_property
    def _folder(self) -> Path:
        return resolve(self.model)

    @cached_property
    def _tokenizer(self) -> Any:
        tokenizer = AutoTokenizer.from_pretrained(self._folder, trust_remote_code=False)
        if not tokenizer.is_fast or tokenizer.eos_token_id is None:
            raise ConfigError(
                f"model {self.model!r} needs a fast tokenizer (tokenizer.json) with an end token"
            )
        return tokenizer

    @cached_property
    def _pad_id(self) -> int:
        pad = self._tokenizer.pad_token_id
        return int(self._tokenizer.eos_token_id if pad is None else pad)

    @cached_property
    def _model(self) -> Any:
        dtype = torch_dtype(self.dtype)
        model = AutoModelForCausalLM.from_pretrained(
            self._folder, dtype=dtype, use_safetensors=True, trust_remote_code=False
        )
        return model.eval().requires_grad_(False).to(self._device)

    @cached_property
    def _device(self) -> torch.device:
        return torch_device(self.device)

    @cached_property
    def _grammars(self) -> Grammars:
        return Grammars(self._tokenizer, self._model.config.get_text_config().vocab_size)

    @cached_property
    def _prefixes(self) -> PrefixCache:
        return PrefixCache(self._model)
