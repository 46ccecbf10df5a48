"""`train.policy` by the preset of a large model, in two processes that torchrun starts, on tiny weights.

Where wandb is installed, the run is one of its too, kept on this machine.
"""

import csv
import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from fsa.outputs.policy import Policy
from tests.factories.byte_llama import save_chat_llama
from tests.factories.torchrun import in_two

WANDB = find_spec("wandb") is not None
SETTINGS = """
source.people_per_type=20 source.choices_per_person=8 features=fsa.features.measured.Measured
features.names=[log_words,log_exclamations] projection.num_components=2 projection.extras=[]
encoder=fsa.encoders.deep_set.DeepSet encoder_from=null train_encoder=true
episodes.users_per_step=4 episodes.max_context=4 episodes.validation_episodes=4 episodes.context_sizes=[0,3]
loop.max_steps=4 loop.validate_every=2 loop.accelerator=cpu loop.devices=2 loop.progress=false
"""


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    path = tmp_path / "answers.jsonl"
    texts = ["Rice.", "Rice!", "It is one two three, I say.", "It is one two three, I say!"]
    lines = [
        {"prompt": [{"role": "user", "content": f"q{i}"}], "response": text}
        for i in range(24)
        for text in texts
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.mark.slow
def test_the_preset_of_a_large_model_runs_in_two_processes(tmp_path: Path, answers: Path):
    out, model = tmp_path / "run", save_chat_llama(tmp_path / "model")
    given = [
        *SETTINGS.split(),
        f"source.path={answers}",
        f"kept={answers}",
        f"scorer.backbone={model}",
        f"out={out}",
    ]
    given += ["loop.wandb=dry-run"] if WANDB else []
    configs = ["--config", "policy/smollm2", "--config", "policy/qwen_7b"]
    environment = {"FSA_CACHE": str(tmp_path / "cache"), "WANDB_MODE": "offline"}
    in_two("train.policy", [*configs, *(f"--{each}" for each in given)], environment, ["--resume", str(out)])
    with (out / "metrics.csv").open(newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["2", "4"]
    tried = json.loads((out / "meta.json").read_text())["strength"]["tried"]
    assert [each["strength"] for each in tried] == [0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0]
    assert len(list((out / "wandb").glob("offline-run-*/*.wandb"))) == WANDB  # of the first process alone
    config = json.loads((out / "config.json").read_text())
    assert config["scorer"]["init_args"]["dtype"] == "bfloat16"
    assert config["scorer"]["init_args"]["gradient_checkpointing"] is True
    policy = Policy.from_pretrained(out)
    (answer,) = policy.for_user([]).generate([[{"role": "user", "content": "q"}]], max_new_tokens=3)
    assert isinstance(answer, str)
