"""Fit a judge to a few scored responses, and pick the response nearest a target.

    python examples/judge_by_target.py [--labelled labelled.jsonl --target target.json]

A line of the labelled file, with scores from 0 to 1:
{"prompt": "Tea?", "responses": ["Yes.", "Oh yes, please!"], "labels": [{"brief": 1.0}, {"brief": 0.5}]}
"""

import argparse
import json
import tempfile
from pathlib import Path

from fsa.features.hidden_state import HiddenState
from fsa.judge.labelled import key_of, read_labelled
from fsa.judge.regressor import RegressorJudge
from fsa.judge.scores import Probe
from fsa.judge.select import select
from fsa.judge.target import AlignmentTarget

TOPICS = ["rice", "sleep", "ties", "running", "tea", "maps", "chess", "paint", "bread", "wine"]
STYLES = {
    "Do it soon.": {"brief": 1.0, "cheerful": 0.2},
    "Yay, do it, you will love every bit of it!!": {"brief": 0.6, "cheerful": 1.0},
}
STYLES |= {
    "One begins by gathering all that is needed, and then proceeds step by step.": {
        "brief": 0.0,
        "cheerful": 0.1,
    }
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labelled", help="JSONL of scored responses; a made-up one if not given")
    parser.add_argument("--target", help='JSON of wanted levels, such as {"brief": 1.0, "cheerful": 0.5}')
    given = parser.parse_args()

    judge = RegressorJudge(HiddenState("minilm", reads="response"), num_components=2)
    with tempfile.TemporaryDirectory() as folder:
        judge.learn(read_labelled(given.labelled or write_labelled(Path(folder) / "labelled.jsonl")))
    target = (
        AlignmentTarget.from_file(given.target)
        if given.target
        else AlignmentTarget({"brief": 0.6, "cheerful": 1.0})
    )

    prompt = "How do I cook pasta?"
    responses = (
        "Boil it.",
        "Ooh, pasta night!! Boil it and enjoy every bite!",
        "One fills a pot with water and waits.",
    )
    (scores,) = judge.score([Probe(key_of(prompt, responses), prompt, responses)])
    chosen = select(scores, target)
    for i, (response, distance) in enumerate(zip(responses, chosen.distances, strict=True)):
        print(f"{'->' if i == chosen.index else '  '} {distance:.2f} from the target: {response}")


def write_labelled(path: Path) -> Path:
    lines = [
        {"prompt": f"A word on {topic}?", "responses": list(STYLES), "labels": list(STYLES.values())}
        for topic in TOPICS
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
