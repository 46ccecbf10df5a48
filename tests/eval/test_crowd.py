import json

from eval.crowd import write_choices
from fsa.choices.jsonl import Jsonl


def test_everybody_is_nobodys_group_and_answers_one_prompt(tmp_path):
    file = tmp_path / "choices.jsonl"
    count = write_choices(file, num_users=5, choices_per_user=9, num_texts=30, seed=0)
    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(records) == count
    assert len({record["prompt"] for record in records}) == 1
    table = Jsonl(str(file), cache=False).load()
    assert (len(table), table.num_users, table.groups.to_pylist()) == (count, 5, [""])
    sizes = [len(table.rows_of(user)) for user in table.users.to_pylist()]
    assert min(sizes) >= 3  # a third of 9, to five thirds
    assert max(sizes) <= 15
    write_choices(tmp_path / "again.jsonl", 5, 9, 30, seed=0)
    assert (tmp_path / "again.jsonl").read_bytes() == file.read_bytes()
