"""`Conditioning`: how a belief about each person acts on the layers of a language model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, ClassVar, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fsa.errors import ConfigError, ShapeError

_NAMED = 5  # layers that an error message names before it only counts


class Site(NamedTuple):
    """A layer to steer.

    Attributes:
        layer: Its output is what the gains act on.
        width: Gains it needs.
    """

    layer: nn.Module
    width: int


@dataclass(frozen=True)
class _Call:
    """What the hooks steer by: gains of each layer [m, 1, w] (None: of no layer), and which layers ran."""

    rows: int
    gains: dict[str, Tensor] | None
    ran: set[str] = field(default_factory=set)


class Conditioning(nn.Module, ABC):
    """Base of all conditioning: one linear head from the belief to the gains, and a hook on every layer.

    Made from settings alone; `attach` brings the width of the belief and the layers. Row i of every forward
    pass inside `given(z)` is steered by z[i]. Gains are computed once on entry and forgotten on exit, also
    after an error. A layer that is run without any raises, unless the unconditional model was asked for.

    Attributes:
        can_fold: Whether the gains of one person can be folded into an ordinary LoRA adapter.

    Reference:
        [Kobalczyk2024] Sec. 3: a model conditioned on z in its parameters.
    """

    can_fold: ClassVar[bool] = False
    head: nn.Linear

    def __init__(self) -> None:
        super().__init__()
        self._widths: dict[str, int] = {}  # of each layer, by name, in the order of the head's outputs
        self._call: _Call | None = None

    @abstractmethod
    def find(self, backbone: nn.Module) -> dict[str, Site]:
        """The layers to steer, by name.

        Raises:
            ConfigError: There is none, or one cannot be steered; it is named.
        """

    @abstractmethod
    def make_head(self, d_belief: int, width: int) -> nn.Linear:
        """The head that gives all gains; a new model must equal its backbone."""

    @abstractmethod
    def steer(self, output: Float[Tensor, "m l w"], gain: Float[Tensor, "m 1 v"]) -> Tensor:
        """What a layer's output becomes."""

    @property
    def layers(self) -> list[str]:
        """Names of the attached layers."""
        return list(self._widths)

    def attach(self, backbone: nn.Module, d_belief: int) -> None:
        """Find the layers, make the head and hook them; once.

        Raises:
            ConfigError: A layer cannot be steered, or something is attached already.
        """
        if self._widths:
            raise ConfigError(f"{type(self).__name__} is attached to a backbone already; make another")
        sites = self.find(backbone)
        self._widths = {name: site.width for name, site in sites.items()}
        self.head = self.make_head(d_belief, sum(self._widths.values()))
        for name, site in sites.items():
            # A bound method and no closure: copy.deepcopy gives the copy its own conditioning.
            site.layer.register_forward_hook(partial(self._on_layer, name))

    @contextmanager
    def given(self, z: Float[Tensor, "m z"], repeats: int = 1) -> Iterator[None]:
        """Steer row i of every forward pass inside by z[i].

        Args:
            z: One belief sample a row.
            repeats: Rows in a row that share one, as generation with beams or several answers makes them.

        Raises:
            ConfigError: Nothing is attached; or an attached layer took no part in what was run inside.
            ShapeError: z has another width than the head.
        """
        call = self._call_for(z, repeats)
        with _Using(self, call):
            yield
        missing = [name for name in self._widths if name not in call.ran]
        if missing:
            rest = len(missing) - _NAMED
            some = ", ".join(missing[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
            raise ConfigError(
                f"{some} took no part in the forward pass, so z cannot steer what is adapted there;"
                " leave out of the targets what does not run for every token, such as experts and routers"
            )

    def unconditional(self) -> AbstractContextManager[None]:
        """The model without gains: its adapters alone, the same for all people."""
        return _Using(self, _Call(0, None))

    def checkpoint_context(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        """For `context_fn` of torch.utils.checkpoint, with `use_reentrant=False`.

        The second context puts back the gains of its own forward pass while the backward pass computes
        activations again. So gains need not outlive the forward pass, and one step may hold several passes.
        """
        return nullcontext(), _Using(self, self._call)

    def gains(self, z: Float[Tensor, " z"]) -> dict[str, Float[Tensor, " w"]]:
        """Gains of each layer for one person, by the layer's name."""
        return self._split(self._all_gains(z.unsqueeze(0)).squeeze(0))

    def prepare(self, gains: Float[Tensor, "m w"]) -> Float[Tensor, "m w"]:
        """What `steer` is to get of the gains of all layers, once a call."""
        return gains

    def _call_for(self, z: Float[Tensor, "m z"], repeats: int) -> _Call:
        if repeats < 1:
            raise ConfigError(f"repeats is {repeats}; it is 1 or more")
        gains = self.prepare(self._all_gains(z))
        if repeats > 1:
            gains = gains.repeat_interleave(repeats, 0)
        return _Call(len(gains), self._split(gains.unsqueeze(1)))

    def _all_gains(self, z: Float[Tensor, "m z"]) -> Float[Tensor, "m w"]:
        if not self._widths:
            raise ConfigError(f"{type(self).__name__} is not attached to a backbone")
        if z.ndim != 2 or z.shape[1] != self.head.in_features:
            raise ShapeError(f"z is {list(z.shape)}, but a row is {self.head.in_features} wide")
        # In full precision: bfloat16 would round gains near 1 to steps of 0.8 %.
        with torch.autocast(z.device.type, enabled=False):
            gains: Tensor = self.head(z.to(self.head.weight.dtype))
        return gains

    def _split(self, gains: Float[Tensor, "*m w"]) -> dict[str, Tensor]:
        return dict(zip(self._widths, gains.split(list(self._widths.values()), -1), strict=True))

    def _on_layer(self, name: str, layer: nn.Module, args: Any, output: Any) -> Any:
        call = self._call
        if call is None:
            raise ConfigError(
                f"{name} was run without gains; use given(z), or unconditional() for the model without them"
                " (with gradient checkpointing, also context_fn=checkpoint_context)"
            )
        if call.gains is None:
            return output
        stream = output[0] if isinstance(output, tuple) else output
        if stream.ndim != 3:
            raise ConfigError(
                f"{name} gives {list(stream.shape)}, but only [rows, tokens, width] can be steered by row;"
                " leave it out of the targets, and do not pack rows"
            )
        if len(stream) != call.rows:
            raise ShapeError(f"{name} was run on {len(stream)} rows, but z has {call.rows}")
        call.ran.add(name)
        steered = self.steer(stream, call.gains[name]).to(stream.dtype)
        return (steered, *output[1:]) if isinstance(output, tuple) else steered


class _Using(AbstractContextManager[None]):
    """The hooks see one call's gains inside; may be entered again, as two backward passes of a graph do."""

    def __init__(self, conditioning: Conditioning, call: _Call | None) -> None:
        self._conditioning, self._new, self._old = conditioning, call, list[_Call | None]()

    def __enter__(self) -> None:
        self._old.append(self._conditioning._call)
        self._conditioning._call = self._new

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._conditioning._call = self._old.pop()


def decoder_blocks(model: Any) -> list[nn.Module]:
    """The blocks of a decoder, first to last.

    Raises:
        ConfigError: There is no list of as many blocks as the configuration says.
    """
    number = model.config.get_text_config().num_hidden_layers
    lists = [part for part in model.modules() if isinstance(part, nn.ModuleList) and len(part) == number]
    if not lists:
        raise ConfigError(f"{type(model).__name__} has no list of {number} decoder blocks")
    return list(lists[0])
