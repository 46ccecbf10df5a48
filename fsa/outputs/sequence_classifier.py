"""A person's reward as an ordinary sequence classifier of one label, which needs no fsa to be run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import yaml
from jaxtyping import Float
from numpy.typing import NDArray
from peft import PeftModel
from safetensors import SafetensorError
from tokenizers import processors
from torch import Tensor
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from fsa.backbones import quiet_loading, resolve
from fsa.errors import ConfigError, OutputError
from fsa.features.hidden_state import HiddenState
from fsa.files import write_whole
from fsa.models.reward_lm import RewardLM
from fsa.outputs.adapters import save_adapter
from fsa.runs.licences import README, UNKNOWN, hub_id, licence
from fsa.types import ChoiceBatch

if TYPE_CHECKING:
    from fsa.outputs.person import Person

PRESET = "reward/servable"
"""Configuration that trains models whose people can be exported; goes on top of another."""

_CLOSE = 1e-6  # of the largest reward: how far a head may be from linear
_EQUAL = 1e-4  # nats between the export and the person's own model
_PROBES = [("How are you?", ["Fine, thanks.", "Why do you ask me such a thing?", "No."])]
# What fsa reads where a backbone has no chat template; see `fsa.features.rendering.plain`.
_PLAIN = (
    "{% if messages | length == 2 %}{{ messages[0]['content'] }}\n\n{% elif messages | length > 2 %}"
    "{% for message in messages[:-1] %}{{ message['role'] }}: {{ message['content'] }}\n\n{% endfor %}"
    "{% endif %}{{ messages[-1]['content'] }}"
)


@torch.no_grad()
def save_reward(person: Person, folder: str | Path) -> None:
    """Write a person's reward as `AutoModelForSequenceClassification` opens it: the backbone, and a `score`
    head that holds the person.

    Its logit for a conversation in the folder's chat template is `person.score`'s reward up to one constant,
    to 1e-4 in single precision. The template writes all special tokens, the tokenizer adds none. Longer texts
    than the model was trained to read are not cut.

    Args:
        person: Of a model with features `HiddenState` (last token, prompt and response, no measures) and a
            head that is linear in them; or with `RewardLM(normalize=False)`.
        folder: Gets config.json, model.safetensors, the tokenizer with its chat template, and a card. Of a
            `RewardLM` a LoRA adapter with a `score` head in place of the first two, which peft opens on top
            of `AutoModelForSequenceClassification.from_pretrained(backbone, num_labels=1)`.

    Raises:
        ConfigError: The model is of another kind; names what stands in the way, and the preset that has none.
        OutputError: The folder cannot be written.
    """
    if isinstance(person.model.scorer, RewardLM):
        _save_adapter(person, person.model.scorer, Path(folder))
        return
    features = _features(person)
    head, _ = _linear_head(person)
    components = person.model.projection.tensors()["components"]
    weight = torch.from_numpy(components) @ head.cpu()
    where = resolve(features.backbone)
    model = _classifier(where, features.dtype)
    model.score.weight.copy_(weight[None])
    tokenizer = AutoTokenizer.from_pretrained(where)
    _settle_padding(model, tokenizer)
    tokenizer.chat_template = tokenizer.chat_template or _plain_template(tokenizer)
    _leave_texts_alone(tokenizer)
    model.config.num_labels = 1
    model.config.id2label, model.config.label2id = {0: "LABEL_0"}, {"LABEL_0": 0}
    model.config.problem_type = "regression"  # pipelines and trainers then leave the reward as it is
    model.config.sentence_transformers = {"activation_fn": "torch.nn.modules.linear.Identity"}
    if features.dtype == "float32":
        _check_equal(person, model, tokenizer)
    _write(model, tokenizer, Path(folder), features.backbone)


def _classifier(backbone: Path, dtype: str) -> Any:
    """The backbone with a head of one label over its last token."""
    with quiet_loading():
        model = AutoModelForSequenceClassification.from_pretrained(
            backbone, num_labels=1, dtype=getattr(torch, dtype), use_safetensors=True
        ).eval()
    if not isinstance(getattr(model, "score", None), torch.nn.Linear) or model.score.bias is not None:
        raise _cannot(f"{type(model).__name__} has no `score` head without a bias over its last token")
    return model


def _save_adapter(person: Person, scorer: RewardLM, folder: Path) -> None:
    """Write the gains folded into a LoRA adapter, and the head beside it."""
    language_model, head = scorer.language_model, scorer.reward.weight
    if not isinstance(scorer.norm, torch.nn.Identity) or len(head) != 1:
        raise _cannot("RewardLM has a layer norm or several scores an option; train with normalize: false")
    where = resolve(language_model.name)
    tokenizer = AutoTokenizer.from_pretrained(where)
    if tokenizer.pad_token in (None, tokenizer.eos_token, tokenizer.bos_token):
        raise _cannot(f"the tokenizer of {language_model.name} has no padding token of its own")
    tokenizer.padding_side = "right"
    template = tokenizer.chat_template or _plain_template(tokenizer)
    # A reward is read at the token that ends the answer; templates write a line's end after it.
    tokenizer.chat_template = f"{{% set whole %}}{template}{{% endset %}}{{{{ whole.rstrip() }}}}"
    _leave_texts_alone(tokenizer)
    save_adapter(language_model, person.belief.mean[0], folder, score=head)
    tokenizer.save_pretrained(folder)
    model = PeftModel.from_pretrained(_classifier(where, "float32"), folder)
    model.config.pad_token_id = tokenizer.pad_token_id
    _check_equal(person, model, tokenizer)
    write_whole(folder / README, _card(language_model.name, is_adapter=True))


def _features(person: Person) -> HiddenState:
    """The person's features, if an export can read what they read."""
    features, projection = person.model.features, person.model.projection
    if person.model.scorer.reads_tokens or not isinstance(features, HiddenState):
        what = f"{type(person.model.scorer).__name__} on {type(features).__name__}"
        raise _cannot(f"{what} is no head on hidden states")
    if features.pooling != "last":
        raise _cannot(f"features.pooling is {features.pooling!r}, a sequence classifier reads the last token")
    if features.reads != "prompt+response":
        raise _cannot(f"features.reads is {features.reads!r}, a sequence classifier reads prompt+response")
    if projection.extras:
        raise _cannot(f"projection.extras are {', '.join(projection.extras)}, which no hidden state holds")
    return features


def _linear_head(person: Person) -> tuple[Float[Tensor, " d"], float]:
    """Weights and constant of a reward that is linear in projected features: what it gives for each alone.

    Asked of the scorer itself, so that every scorer that is linear has an export.
    """
    width = person.model.config["d_feature"]
    probes = torch.from_numpy(np.random.default_rng(0).normal(size=(8, width)))
    rewards = _rewards(person, torch.cat([torch.zeros(1, width), torch.eye(width), probes]).double())
    constant = rewards[0]
    weights = rewards[1 : width + 1] - constant
    expected = probes.to(weights) @ weights + constant
    scale = max(float(rewards.abs().max()), 1.0)
    if float((rewards[width + 1 :] - expected).abs().max()) > _CLOSE * scale * width**0.5:
        raise _cannot(f"{type(person.model.scorer).__name__} is not linear in the features; it has a network")
    return weights, float(constant)


def _rewards(person: Person, features: Float[Tensor, "k d"]) -> Float[Tensor, " k"]:
    """Mean rewards of options that are given as features."""
    model = person.model
    none = torch.zeros(1, 1, dtype=torch.long)
    places = torch.zeros(1, 1, len(features), dtype=torch.long)
    choices = ChoiceBatch(features[None, None], places, none).to(model.device)
    return model.scorer.spread(choices, person.belief, model._noise(person.belief)).mean[0, 0]


def _settle_padding(model: Any, tokenizer: Any) -> None:
    """A padding token that no text has: classifiers take the last token that is none for the end."""
    if tokenizer.pad_token in (None, tokenizer.eos_token, tokenizer.bos_token):
        tokenizer.add_special_tokens({"pad_token": "[PAD]"})  # nosec B105 # a token of padding, no secret
    embeddings = model.get_input_embeddings().num_embeddings
    if tokenizer.pad_token_id >= embeddings:
        model.resize_token_embeddings(max(len(tokenizer), embeddings))
    tokenizer.padding_side = "right"
    model.config.pad_token_id = tokenizer.pad_token_id


def _plain_template(tokenizer: Any) -> str:
    """What fsa reads without a chat template, with the special tokens that the tokenizer would add."""
    marked = tokenizer("a")["input_ids"]
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    start = next((i for i in range(len(marked)) if marked[i : i + len(bare)] == bare), 0)
    before, after = (
        "".join(tokenizer.convert_ids_to_tokens(ids)) for ids in (marked[:start], marked[start + len(bare) :])
    )
    return f"{before}{_PLAIN}{after}"


def _leave_texts_alone(tokenizer: Any) -> None:
    """Add no special tokens: the template has them, and a second BOS would go unnoticed in tools that render
    by the template and then tokenise as usual, as RewardBench and pipelines do."""
    for name in ("add_bos_token", "add_eos_token"):
        if hasattr(tokenizer, name):
            setattr(tokenizer, name, False)
    nothing = processors.TemplateProcessing(single="$A", pair="$A $B", special_tokens=[])
    tokenizer.backend_tokenizer.post_processor = nothing


def _check_equal(person: Person, model: Any, tokenizer: Any) -> None:
    """Refuse to write what does not say what the person's model says."""
    for prompt, responses in _PROBES:
        chats = [
            [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
            for response in responses
        ]
        texts = [tokenizer.apply_chat_template(chat, tokenize=False) for chat in chats]
        rows = tokenizer(texts, padding=True, add_special_tokens=False, return_tensors="pt")
        rows.pop("token_type_ids", None)
        found: NDArray[np.float64] = model(**rows).logits[:, 0].double().numpy()
        wanted = person.score([{"role": "user", "content": prompt}], responses).reward  # type: ignore[arg-type]
        gap = np.abs((found - found.mean()) - (wanted - wanted.mean())).max()
        if gap > _EQUAL * max(1, np.ptp(wanted)):
            raise _cannot(f"{type(model).__name__} differs from the features by {gap:.1e} nats")


def _write(model: Any, tokenizer: Any, folder: Path, backbone: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    except (OSError, SafetensorError) as error:
        raise OutputError(f"{folder}: the reward cannot be written: {error}") from error
    write_whole(folder / README, _card(backbone))


def _card(backbone: str, is_adapter: bool = False) -> str:
    head = {
        "library_name": "peft" if is_adapter else "transformers",
        "pipeline_tag": "text-ranking",
        "tags": ["reward-model", "personalization", "fsa"],
        **({"base_model": name} if (name := hub_id(backbone)) else {}),
        **({"license": said} if (said := licence(backbone)) != UNKNOWN else {}),
    }
    return f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n\n{_TEXT_OF_ADAPTER if is_adapter else _TEXT}"


_TEXT = """\
# One person's reward

Written by `fsa` (`person.save_reward`). The logit of a conversation is this person's reward, in nats, up to a
constant: compare responses to one prompt.

```python
from transformers import AutoModelForSequenceClassification, AutoTokenizer

model = AutoModelForSequenceClassification.from_pretrained("FOLDER")
tokenizer = AutoTokenizer.from_pretrained("FOLDER")
chat = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]
text = tokenizer.apply_chat_template(chat, tokenize=False)  # it has all special tokens
rows = tokenizer([text], padding=True, add_special_tokens=False, return_tensors="pt")
model(**rows).logits[:, 0]
```
"""


_TEXT_OF_ADAPTER = _TEXT.replace(
    """from transformers import""",
    """from peft import PeftConfig, PeftModel
from transformers import""",
).replace(
    """model = AutoModelForSequenceClassification.from_pretrained("FOLDER")
""",
    """base = PeftConfig.from_pretrained("FOLDER").base_model_name_or_path
model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=1)
model = PeftModel.from_pretrained(model, "FOLDER")
""",
)


def _cannot(why: str) -> ConfigError:
    return ConfigError(
        f"this person's reward cannot be a sequence classifier: {why}. A model trained with "
        f"--config {PRESET} on top of its own configuration has such people"
    )
