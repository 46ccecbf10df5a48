"""The reward function of TRL's: its calling convention replayed, and a real trainer where there is one."""

import json
import pickle
import subprocess
import sys
import threading
from importlib import import_module

import pytest
from datasets import Dataset

from fsa.errors import ChoiceDataError, ShapeError
from fsa.serve.trl import PersonReward, as_text, reward
from tests.fsa.serve.small import choices, pair, text_rewards

LONG = [pair("word " * 30, "word", f"Question {i}?") for i in range(4)]
SHORT = [pair("word", "word " * 30, f"Question {i}?") for i in range(4)]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A model and two people who want opposite things, in the environment."""
    text_rewards(seed=3).save_pretrained(tmp_path / "run")
    people = [{"user": user, **one} for user, each in (("ann", LONG), ("bob", SHORT)) for one in each]
    (tmp_path / "people.jsonl").write_text("".join(json.dumps(line) + "\n" for line in people))
    monkeypatch.setenv("FSA_MODEL", str(tmp_path / "run"))
    monkeypatch.setenv("FSA_PEOPLE", str(tmp_path / "people.jsonl"))
    return tmp_path


def called(function, prompts, completions, **columns):
    """As `_calculate_rewards` of TRL 1.16 calls: keywords alone, columns as lists, and four of its own."""
    logged: dict[str, float] = {}
    rewards = function(
        prompts=prompts,
        completions=completions,
        completion_ids=[[1, 2]] * len(prompts),
        **columns,
        trainer_state=object(),
        log_extra=lambda column, values: None,
        log_metric=logged.__setitem__,
    )
    assert len(rewards) == len(prompts)
    return rewards, logged


def expected(each, prompts, completions):
    model = text_rewards(seed=3)
    people = [model.for_user(known) for known in each]
    scores = model.score_batch(people, prompts, [[one] for one in completions])
    return [float(one.reward[0]) for one in scores]


PROMPTS, ANSWERS = ["Tea?"] * 4, ["Yes, please.", "No."] * 2


def test_a_batch_mixes_people_and_rows_without_one(run):
    users = ["ann", "bob", None, "ann"]
    rewards, logged = called(PersonReward(), PROMPTS, ANSWERS, user=users, other=[0] * 4)
    assert rewards[2] is None
    known = expected([LONG, SHORT, LONG], ["Tea?"] * 3, ["Yes, please.", "No.", "No."])
    assert [rewards[i] for i in (0, 1, 3)] == pytest.approx(known, abs=1e-5)
    assert logged == {"fsa/unknown_people": 0.0}


def test_the_library_says_who_is_told_apart(run):
    """Ann and Bob want opposite things, so a gap has another sign."""
    rewards, _ = called(
        PersonReward(), PROMPTS, ["word " * 30, "word"] * 2, user=["ann", "ann", "bob", "bob"]
    )
    ann, bob = rewards[0] - rewards[1], rewards[2] - rewards[3]
    assert abs(ann - bob) > 1e-3


def test_rows_may_hold_choices(run):
    each = [choices(2), json.dumps(choices(2)), None, []]
    rewards, _ = called(PersonReward(), PROMPTS, ANSWERS, choices=each)
    known = expected([choices(2), choices(2), []], ["Tea?"] * 3, ["Yes, please.", "No.", "No."])
    assert [rewards[i] for i in (0, 1, 3)] == pytest.approx(known, abs=1e-5)
    assert rewards[2] is None
    # As a column of `datasets` gives them back.
    ranked = {"prompt": "Tea?", "options": ["Yes.", "No."], "ranking": [1, 0]}
    column = Dataset.from_list([{"choices": choices(2)}, {"choices": [ranked]}])["choices"]
    assert column[1][0]["chosen"] is None
    rewards, _ = called(PersonReward(), PROMPTS[:2], ANSWERS[:2], choices=list(column))
    assert rewards == pytest.approx(expected([choices(2), [ranked]], PROMPTS[:2], ANSWERS[:2]), abs=1e-5)


def test_conversations_are_chats_and_their_answer_a_text(run):
    prompts = [[{"role": "user", "content": "Tea?", "tool_calls": None}]] * 2
    completions = [[{"role": "assistant", "content": said}] for said in ANSWERS[:2]]
    rewards, _ = called(PersonReward(), prompts, completions, user=["ann", "bob"])
    chat = ({"role": "user", "content": "Tea?"},)
    assert rewards == pytest.approx(expected([LONG, SHORT], [chat] * 2, ANSWERS[:2]), abs=1e-5)
    parts = [{"role": "assistant", "content": [{"type": "text", "text": "Yes"}, {"type": "image"}]}]
    assert as_text(parts) == "Yes"
    assert as_text([{"role": "assistant", "content": None}, *parts]) == (
        {"role": "assistant", "content": ""},
        {"role": "assistant", "content": "Yes"},
    )


def test_who_is_not_known_is_unknown_and_counted(run):
    with pytest.warns(UserWarning, match="scored as unknown: zoe"):
        rewards, logged = called(PersonReward(), PROMPTS[:2], ANSWERS[:2], user=["zoe", "ann"])
    assert rewards == pytest.approx(expected([[], LONG], PROMPTS[:2], ANSWERS[:2]), abs=1e-5)
    assert logged == {"fsa/unknown_people": 1.0}


def test_an_answer_that_no_record_could_hold_has_no_reward_and_a_bad_row_ends_it(run):
    rewards, _ = called(PersonReward(), PROMPTS[:2], ["half \ud800", ""], user=["ann", "ann"])
    assert rewards[0] is None
    assert rewards[1] is not None
    with pytest.raises(ChoiceDataError, match=r"row 1: choices\[0\]: options is missing"):
        called(PersonReward(), PROMPTS[:2], ANSWERS[:2], choices=[[], [{"prompt": "p"}]])
    with pytest.raises(ShapeError, match="4 prompts, 2 completions"):
        PersonReward()(prompts=PROMPTS, completions=ANSWERS[:2])


def test_the_dotted_path_of_the_command_line_is_a_function_that_pickles_to_little():
    module, _, name = "fsa.serve.trl.reward".rpartition(".")
    assert getattr(import_module(module), name) is reward
    assert len(pickle.dumps(reward)) < 500


def test_threads_get_what_one_gets(run):
    function = pickle.loads(pickle.dumps(reward))
    alone, _ = called(PersonReward(), PROMPTS, ANSWERS, user=["ann", "bob"] * 2)
    found: list = [None] * 12

    def work(i):
        found[i] = called(function, PROMPTS, ANSWERS, user=["ann", "bob"] * 2)[0]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 12


def test_a_spawned_process_gets_what_this_one_gets(run):
    code = (
        "import pickle, sys; f = pickle.loads(sys.stdin.buffer.read());"
        "print(f(prompts=['Tea?'] * 2, completions=['Yes, please.', 'No.'], user=['ann', 'bob']))"
    )
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(reward), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    assert json.loads(done.stdout) == called(PersonReward(), PROMPTS[:2], ANSWERS[:2], user=["ann", "bob"])[0]


def test_a_real_trainer_rewards_each_row_by_its_person(run, llama, own_cache):
    trl = pytest.importorskip("trl")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(llama, padding_side="left")
    rows = Dataset.from_list([{"prompt": "w1 w2", "user": user} for user in ("ann", "bob")] * 2)
    seen: list = []

    def noted(**given):
        rewards = reward(**given)
        seen.append((given["user"], given["completions"], rewards))
        return rewards

    settings = trl.GRPOConfig(
        output_dir=str(run / "grpo"),
        max_steps=2,
        per_device_train_batch_size=4,
        num_generations=2,
        max_completion_length=6,
        use_cpu=True,
        bf16=False,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
    )
    model = AutoModelForCausalLM.from_pretrained(llama)
    trl.GRPOTrainer(
        model=model, reward_funcs=[noted], args=settings, train_dataset=rows, processing_class=tokenizer
    ).train()
    assert len(seen) == 2
    for users, completions, rewards in seen:
        each = [LONG if user == "ann" else SHORT for user in users]
        assert rewards == pytest.approx(expected(each, ["w1 w2"] * len(users), completions), abs=1e-5)
