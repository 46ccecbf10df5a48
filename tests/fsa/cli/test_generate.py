import json

from fsa.cli.generate import generate
from tests.factories.lines import jsonl
from tests.factories.policies import PROMPTS
from tests.factories.reward_models import text_choices_of


def test_the_command_answers_each_line_for_its_user(policy, tmp_path, capsys):
    policy.save_pretrained(tmp_path / "run")
    lines = [{"user": f"u{i}", **choice} for i in range(2) for choice in text_choices_of(i, 3)]
    prompts = [{"user": f"u{i % 2}", "prompt": prompt, "id": i} for i, prompt in enumerate(PROMPTS)]
    generate(
        model=str(tmp_path / "run"),
        choices=jsonl(tmp_path / "c.jsonl", lines),
        prompts=jsonl(tmp_path / "p.jsonl", prompts),
        max_new_tokens=5,
    )
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["id"] for answer in answers] == [0, 1, 2]
    person = policy.for_user(text_choices_of(1, 3))
    assert answers[1]["response"] == person.generate([PROMPTS[1]], max_new_tokens=5)[0]


def test_at_strength_0_the_reference_answers(policy, tmp_path, capsys):
    policy.save_pretrained(tmp_path / "run")
    lines = [{"user": "ann", **choice} for choice in text_choices_of(0, 3)]
    generate(
        model=str(tmp_path / "run"),
        choices=jsonl(tmp_path / "c.jsonl", lines),
        prompts=jsonl(tmp_path / "p.jsonl", [{"prompt": prompt} for prompt in PROMPTS]),
        max_new_tokens=5,
        strength=0.0,
    )
    answers = [json.loads(line)["response"] for line in capsys.readouterr().out.splitlines()]
    assert answers == policy.generate([None] * len(PROMPTS), PROMPTS, max_new_tokens=5)
