"""A person as a file: what is believed of them, the model's hash and, if wanted, their choices."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from fsa.errors import CheckpointError, OutputError
from fsa.files import whole_file
from fsa.mixtures import Mixture
from fsa.outputs.api_inputs import as_choice
from fsa.outputs.history import History
from fsa.outputs.reading import read
from fsa.types import Belief, Choice, ChoiceBatch, is_finite_number, outcome_of

if TYPE_CHECKING:
    from fsa.outputs.person import Person
    from fsa.outputs.reward_model import RewardModel

FORMAT = "fsa.person.1"
_OF_CHOICES = "memory."  # tensors with a row for each choice
_BELIEF, _MIXTURE, _MEMORY = (
    ("mean", "std", "factor", "seen"),
    ("log_weight", "means", "factor"),
    (
        "features",
        "places",
        "rows",
    ),
)


def save_person(person: Person, path: str | Path, choices: bool = True) -> None:
    """Write a person as safetensors, whole or not at all.

    Args:
        person: Who.
        path: File to write, such as `ann.person.safetensors`.
        choices: Whether the file holds their choices too: without, it cannot be changed once it is loaded.

    Raises:
        OutputError: The file cannot be written.
    """
    tensors = _tensors(person.belief)
    history = person.history if choices else None
    about = {
        "format": FORMAT,
        "model": model_hash(person.model),
        "tensors": json.dumps(sorted(tensors)),
        "history": "" if history is None else _written(history),
    }
    about["sha256"] = _digest(tensors, about)
    with whole_file(path) as unfinished:
        try:
            save_file(tensors, unfinished, metadata=about)
        except SafetensorError as error:
            raise OutputError(f"{path}: cannot be written: {error}") from error


def load_person(model: RewardModel, path: str | Path) -> tuple[Belief, History | None]:
    """What `save_person` wrote, bit for bit.

    Raises:
        CheckpointError: It is no such file, was read by another model, lacks a tensor, was changed, or holds
            what is no belief of this model.
    """
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: cannot be read: {error}") from error
    if about.get("format") != FORMAT:
        raise CheckpointError(f"{path}: not a person's file (format {about.get('format')!r:.40})")
    here = model_hash(model)
    if about.get("model") != here:
        raise CheckpointError(
            f"{path}: read by another model ({about.get('model', '')[:12]}..., this one is {here[:12]}...); "
            "a belief means nothing to any other"
        )
    missing = set(_names(about)) - tensors.keys()
    if missing:
        raise CheckpointError(f"{path}: {', '.join(sorted(missing))} is missing")
    if about.pop("sha256", "") != _digest(tensors, about):
        raise CheckpointError(f"{path}: changed since it was written; its checksum does not fit")
    unknown = _tensors(read(model, [History()]))
    if "seen" in unknown:  # older files do not say, and no model that wrote one asks
        tensors.setdefault("seen", unknown["seen"])
    _check_like(tensors, unknown, path)
    return _belief(tensors), _history(about.get("history", ""), path)


def _check_like(tensors: Mapping[str, Tensor], unknown: Mapping[str, Tensor], path: str | Path) -> None:
    """Refuse tensors that are not what this model believes of a user: a checksum proves no author.

    Args:
        tensors: Of the file.
        unknown: The same of an unknown user.
        path: The file.

    Raises:
        CheckpointError: Names the first tensor that is not as the model's are.
    """
    if tensors.keys() != unknown.keys():
        other = ", ".join(sorted(tensors.keys() ^ unknown.keys()))
        raise CheckpointError(
            f"{path}: {other} must be there where this model's beliefs have it, and only there"
        )
    num_choices = {tensor.shape[1:2] for name, tensor in tensors.items() if name.startswith(_OF_CHOICES)}
    for name, tensor in tensors.items():
        wanted = unknown[name]
        is_alike = tensor.dtype == wanted.dtype and tensor.ndim == wanted.ndim
        if name.startswith(_OF_CHOICES):  # as long as there are choices, and options to them
            is_alike = is_alike and len(num_choices) == 1 and tensor.shape[3:] == wanted.shape[3:]
        else:
            is_alike = is_alike and tensor.shape == wanted.shape
        if not is_alike or not tensor.isfinite().all() or (name in ("std", "seen") and (tensor < 0).any()):
            raise CheckpointError(
                f"{path}: {name} must be finite {wanted.dtype} {list(wanted.shape)}, came {tensor.dtype} "
                f"{list(tensor.shape)}" + ("" if not is_alike else " with numbers that it cannot hold")
            )


def model_hash(model: RewardModel) -> str:
    """sha256 of a model's configuration, projection and weights."""
    digest = hashlib.sha256(json.dumps(model.config, sort_keys=True, default=str).encode())
    projection = {f"projection.{n}": torch.from_numpy(t) for n, t in model.projection.tensors().items()}
    for name, tensor in sorted({**model.state_dict(), **projection}.items()):
        digest.update(name.encode())
        digest.update(_bytes(tensor))
    return digest.hexdigest()


def _bytes(tensor: Tensor) -> bytes:
    if not tensor.numel():
        return b""
    return tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()


def _digest(tensors: Mapping[str, Tensor], about: Mapping[str, str]) -> str:
    """sha256 of everything in the file but itself."""
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(_bytes(tensor))
    return digest.hexdigest()


def _names(about: Mapping[str, str]) -> list[str]:
    try:
        return [str(name) for name in json.loads(about.get("tensors", "[]"))]
    except (RecursionError, TypeError, ValueError):
        return []  # another check finds what is wrong


def _tensors(belief: Belief) -> dict[str, Tensor]:
    parts: dict[str, Any] = {name: getattr(belief, name) for name in _BELIEF}
    if belief.mixture is not None:
        parts |= {f"mixture.{name}": getattr(belief.mixture, name) for name in _MIXTURE}
    if belief.memory is not None:
        parts |= {f"memory.{name}": getattr(belief.memory, name) for name in _MEMORY}
    # Clones: safetensors refuses tensors that share memory.
    return {name: t.detach().cpu().contiguous().clone() for name, t in parts.items() if t is not None}


def _belief(tensors: Mapping[str, Tensor]) -> Belief:
    mixture = [tensors.get(f"mixture.{name}") for name in _MIXTURE]
    memory = [tensors.get(f"memory.{name}") for name in _MEMORY]
    return Belief(
        tensors["mean"],
        tensors["std"],
        None if memory[0] is None else ChoiceBatch(*memory),  # type: ignore[arg-type]
        tensors.get("factor"),
        None if mixture[0] is None else Mixture(*mixture),  # type: ignore[arg-type]
        tensors.get("seen"),
    )


def _written(history: History) -> str:
    stated = [[_plain(choice), weight] for choice, weight in history.stated]
    choices = list(map(_plain, history.choices))
    return json.dumps({"half_life": history.half_life, "choices": choices, "stated": stated})


def _plain(choice: Choice) -> dict[str, Any]:
    places = choice.outcome.places(len(choice.options))
    return {"prompt": choice.prompt, "options": choice.options, "places": places}


def _history(written: str, path: str | Path) -> History | None:
    """The choices of a file.

    Raises:
        CheckpointError: They are none.
    """
    if not written:
        return None
    try:
        found = json.loads(written)
        choices = tuple(as_choice(_choice(c), i) for i, c in enumerate(found["choices"]))
        stated = tuple((as_choice(_choice(c), i), w) for i, (c, w) in enumerate(found["stated"]))
        for _, weight in stated:
            if not is_finite_number(weight) or weight <= 0:
                raise ValueError(f"a statement counts as much as a number above 0, came {weight!r:.80}")
        return History(choices, found["half_life"], stated)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: holds choices that are none: {error!s:.300}") from error


def _choice(plain: Mapping[str, Any]) -> Choice:
    places = plain["places"]
    if not isinstance(places, list) or not all(type(place) is int for place in places):
        raise ValueError(f"places must be whole numbers, came {places!r:.80}")
    options: Any = tuple(map(_frozen, plain["options"]))
    if len(places) != len(options) or sorted(set(places)) != list(range(len(set(places)))):
        raise ValueError(f"places must be one an option, from 0 on, came {places!r:.80}")
    return Choice("person", _frozen(plain["prompt"]), options, outcome_of(tuple(places)))


def _frozen(value: Any) -> Any:
    """A prompt or option as the library has it: lists of JSON as tuples."""
    return tuple(value) if isinstance(value, list) else value
