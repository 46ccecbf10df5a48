"""What the model that comes with fsa is trained on."""

import gzip
import json
from collections import Counter

from train.starter import joined


def test_people_of_two_sources_stay_apart_and_the_source_is_the_group(tmp_path):
    for name in ("polis", "arguments"):
        record = {
            "user": "p1",
            "prompt": "q",
            "options": ["yes", "no"],
            "chosen": 0,
            "group": "topic",
            "split": "test",
        }
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt") as stream:
            stream.write(json.dumps(record) + "\n")
    choices = list(joined(str(tmp_path), seed=0))
    assert [choice.user for choice in choices[:2]] == ["polis/p1", "arguments/p1"]
    assert {choice.split for choice in choices} == {""}
    people = Counter(group for _, group in {(choice.user, choice.group) for choice in choices})
    assert people == {"polis": 1, "arguments": 1, "sandbox": 600, "sandbox-continuum": 400}
