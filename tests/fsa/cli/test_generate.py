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
