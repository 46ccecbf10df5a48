"""`LanguageModel`: a frozen causal language model with LoRA adapters that a belief steers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import transformers
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from fsa.backbones import Attention, Dtype, quiet_loading, resolve, torch_dtype
from fsa.conditioning.conditioning import Conditioning, decoder_blocks
from fsa.errors import ConfigError
from fsa.log_probs import check_head
from fsa.models.own_lock import OwnLock

if TYPE_CHECKING:
    from peft import PeftModel


class LanguageModel(nn.Module):
    """Final hidden states under each row's own z, and those of the reference: the same weights, adapters off.

    The backbone is frozen, and its own dropout is off: a new model equals its backbone. What is trained, the
    adapters and the conditioning, is float32 whatever the backbone is, and is all that `state_dict` holds.
    Gains and the adapters' switch are state of layers, so threads that share a model take turns: each call
    computes its whole batch before the next begins.

    Args:
        backbone: "gemma-270m", a folder, or a hub id; see `fsa.backbones.resolve`.
        d_belief: Width of the belief.
        conditioning: How the belief acts; attached here.
        rank: Rank of the adapters.
        alpha: Scale of the adapters: dW = (alpha / rank) B A.
        targets: Names of the adapted layers, or "all-linear".
        lora_dropout: Share of an adapter's inputs dropped in training, 0-1.
        gradient_checkpointing: Compute activations again in the backward pass: less memory, a third slower.
        dtype: Of the frozen weights.
        attn_implementation: As in transformers, where not its own choice.

    Attributes:
        backbone: The model with its adapters.
        conditioning: What steers it.
        folder: Where its weights came from.
        name, rank, alpha: As given.

    Raises:
        ConfigError: The folder holds no causal language model, a target cannot be adapted or steered, or the
            logits are not the last hidden states times the output layer's weight.
        FeatureError: There is no such backbone.

    Reference:
        [Hu2022] Sec. 4.1: B = 0 before training, dW scaled by alpha / r.
    """

    def __init__(
        self,
        backbone: str,
        d_belief: int,
        conditioning: Conditioning,
        rank: int = 8,
        alpha: float = 16.0,
        targets: list[str] | str = "all-linear",
        lora_dropout: float = 0.0,
        gradient_checkpointing: bool = False,
        dtype: Dtype = "float32",
        attn_implementation: Attention | None = None,
    ) -> None:
        super().__init__()
        weights = torch_dtype(dtype)
        self.name, self.rank, self.alpha = backbone, rank, alpha
        self.folder = resolve(backbone)
        self._turn = OwnLock()
        model = _load(self.folder, weights, attn_implementation)
        check_head(model)
        self.backbone = _adapted(model, rank, alpha, targets, lora_dropout)
        self.conditioning = conditioning
        conditioning.attach(self.backbone, d_belief)
        if gradient_checkpointing:
            self._checkpoint_gradients()
        # Functions of this file and no bound methods: a deep copy then has hooks of its own.
        self.register_state_dict_post_hook(_drop_frozen)
        self.register_load_state_dict_pre_hook(_remember_prefix)
        self.register_load_state_dict_post_hook(_allow_missing_frozen)

    @property
    def head(self) -> Float[Tensor, "v d"]:
        """Weight of the output layer: logits are hidden states times its transpose, and nothing else."""
        weight: Tensor = self._causal.get_output_embeddings().weight
        return weight

    @cached_property
    def tokenizer(self) -> transformers.PreTrainedTokenizerBase:
        """The backbone's tokenizer."""
        loaded: transformers.PreTrainedTokenizerBase = transformers.AutoTokenizer.from_pretrained(
            self.folder, trust_remote_code=False
        )
        return loaded

    def hidden(
        self, ids: Int[Tensor, "m l"], mask: Bool[Tensor, "m l"], z: Float[Tensor, "m z"]
    ) -> Float[Tensor, "m l d"]:
        """Hidden states after the last norm, row i steered by z[i]; those of padding mean nothing.

        Args:
            ids: Tokens, padded on either side.
            mask: True where a token is.
            z: One belief sample a row.
        """
        with self._turn, self.conditioning.given(z):
            return self._run(ids, mask)

    @torch.no_grad()
    def reference_hidden(self, ids: Int[Tensor, "m l"], mask: Bool[Tensor, "m l"]) -> Float[Tensor, "m l d"]:
        """Hidden states of the reference: no adapter, no z, no gradient."""
        with self._turn, self._reference():
            return self._run(ids, mask)

    @torch.no_grad()
    def generate(
        self,
        ids: Int[Tensor, "m l"],
        mask: Bool[Tensor, "m l"],
        z: Float[Tensor, "m z"] | None,
        **options: Any,
    ) -> Int[Tensor, "m*k t"]:
        """Prompts with their continuations, row i steered by z[i]; k rows each with `num_return_sequences=k`.

        Args:
            ids: Prompts, padded on the left.
            mask: True where a token is.
            z: One belief sample a prompt; None writes as the reference does, adapters off.
            options: Of transformers' `generate`.
        """
        model: Any = self._causal
        defaults = options.get("generation_config") or model.generation_config
        copies = [
            options.get(name) or getattr(defaults, name, None) or 1
            for name in ("num_beams", "num_return_sequences")
        ]
        with self._turn:
            was_training = self.training
            self.eval()  # transformers keeps no cache while it checkpoints gradients
            try:
                with self._reference() if z is None else self.conditioning.given(z, repeats=max(copies)):
                    generated: Tensor = model.generate(ids, attention_mask=mask.long(), **options)
            finally:
                self.train(was_training)
        return generated

    def shard_units(self) -> list[nn.Module]:
        """The decoder blocks: FSDP2 gathers the weights of one at a time."""
        return decoder_blocks(self._causal)

    @property
    def _causal(self) -> transformers.PreTrainedModel:
        model: Any = self.backbone.get_base_model()
        causal: transformers.PreTrainedModel = model
        return causal

    def _run(self, ids: Int[Tensor, "m l"], mask: Bool[Tensor, "m l"]) -> Float[Tensor, "m l d"]:
        where: dict[str, Tensor] = {}
        if (mask[:, 1:] > mask[:, :-1]).any():  # padding on the left
            where = {"attention_mask": mask.long(), "position_ids": (mask.cumsum(1) - 1).clamp(min=0)}
        # Padding on the right needs no mask: no token looks at what comes after it.
        hidden: Tensor = self._causal.get_decoder()(ids, use_cache=False, **where).last_hidden_state
        return hidden

    def adapters(self) -> dict[str, tuple[Float[Tensor, "r i"], Float[Tensor, "o r"]]]:
        """A and B of each adapted layer, by the name that `conditioning.gains` has for it."""
        layers: dict[str, Any] = {
            name: self.backbone.get_submodule(name) for name in self.conditioning.layers
        }
        active = self.backbone.active_adapter
        return {
            name: (layer.lora_A[active].weight, layer.lora_B[active].weight) for name, layer in layers.items()
        }

    @torch.no_grad()
    def scale(self, strength: float) -> None:
        """Let the change of weights be `strength` times what it is, for every z; 0 is the reference.

        B is scaled in place: A and the gains stay, so that dW(z) is scaled whatever z is.

        Raises:
            ConfigError: The strength is no number from 0 to a million, or the belief acts on activations
                (FiLM) beside adapters.
        """
        if not 0 <= strength <= 1e6:
            raise ConfigError(f"strength is {strength}; it is a number from 0 to a million")
        if not self.conditioning.can_fold:
            raise ConfigError(
                f"strength scales adapters, but {type(self.conditioning).__name__} changes activations too"
            )
        for _, up in self.adapters().values():
            up.mul_(strength)

    @contextmanager
    def _reference(self) -> Iterator[None]:
        with self.conditioning.unconditional(), self._adapters_off():
            yield

    @contextmanager
    def _adapters_off(self) -> Iterator[None]:
        from peft.tuners.tuners_utils import BaseTunerLayer

        # Not peft's own disable_adapter: it also turns the adapters' requires_grad off and on again.
        layers = [layer for layer in self.backbone.modules() if isinstance(layer, BaseTunerLayer)]
        before = [layer._disable_adapters for layer in layers]
        try:
            for layer in layers:
                layer._disable_adapters = True
            yield
        finally:
            for layer, was in zip(layers, before, strict=True):
                layer._disable_adapters = was

    def _checkpoint_gradients(self) -> None:
        model: Any = self._causal
        options = {"use_reentrant": False, "context_fn": self.conditioning.checkpoint_context}
        enable = (
            getattr(model, "activation_checkpointing_enable", None) or model.gradient_checkpointing_enable
        )
        enable(options)


def _load(folder: Path, dtype: torch.dtype, attention: Attention | None) -> transformers.PreTrainedModel:
    options: dict[str, Any] = {"dtype": dtype, "use_safetensors": True, "output_loading_info": True}
    if attention is not None:
        options["attn_implementation"] = attention
    result: Any
    try:
        with quiet_loading():
            result = transformers.AutoModelForCausalLM.from_pretrained(
                folder, trust_remote_code=False, **options
            )
    except ValueError as error:
        raise ConfigError(f"{folder}: holds no causal language model: {error}") from error
    loaded: transformers.PreTrainedModel = result[0]
    missing = sorted(result[1]["missing_keys"])
    if missing:  # an encoder, such as minilm, has no output layer: it would be random
        raise ConfigError(
            f"{folder}: holds no causal language model: {type(loaded).__name__} needs {missing[0]}"
        )
    part: Any
    for part in loaded.modules():  # its own dropout off
        if isinstance(part, nn.Dropout):
            part.p = 0.0
        elif isinstance(getattr(part, "attention_dropout", None), float):
            part.attention_dropout = 0.0
    return loaded.eval()


def _adapted(
    model: transformers.PreTrainedModel, rank: int, alpha: float, targets: list[str] | str, dropout: float
) -> PeftModel:
    from peft import LoraConfig, PeftModel, get_peft_model  # takes seconds: not where none is adapted

    adapters = LoraConfig(
        r=rank,
        lora_alpha=alpha,  # type: ignore[arg-type]  # peft says int, and divides
        target_modules=targets,
        lora_dropout=dropout,
        task_type="CAUSAL_LM",
    )
    try:
        with quiet_loading():
            adapted = get_peft_model(model, adapters)
    except ValueError as error:
        raise ConfigError(f"rank {rank}, targets {targets}: {error}") from error
    assert isinstance(adapted, PeftModel)
    return adapted


def _is_trained(name: str) -> bool:
    return name.startswith("conditioning.") or ".lora_" in name


def _drop_frozen(model: nn.Module, state: dict[str, Any], prefix: str, metadata: Any) -> None:
    for name in [n for n in state if n.startswith(prefix) and not _is_trained(n.removeprefix(prefix))]:
        del state[name]


def _remember_prefix(model: Any, state: dict[str, Any], prefix: str, *rest: Any) -> None:
    model._prefix = prefix


def _allow_missing_frozen(model: Any, incompatible: Any) -> None:
    prefix = model._prefix
    missing = incompatible.missing_keys
    missing[:] = [n for n in missing if not n.startswith(prefix) or _is_trained(n.removeprefix(prefix))]
