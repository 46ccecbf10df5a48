"""Train on a file of ratings or choices, read the verdict, and score candidates for a new person.

    python examples/reward_from_file.py votes.csv --columns '{"user": "voter", "rating": "vote"}'

Without a file it writes a small made-up one: people who like brief answers and people who like long ones.
"""

import argparse
import csv
import json
import random
from pathlib import Path

import fsa

BRIEF = ["Boil it.", "Ten minutes.", "Ask first.", "Walk more.", "Write it down."]
BRIEF += ["Start early.", "Rinse it.", "Wait a day.", "Use less.", "Sleep on it."]
LONG = [f"{text} Take your time, check twice, and tell a friend how it went afterwards." for text in BRIEF]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", help="CSV, JSONL or Parquet of choices, or of ratings")
    parser.add_argument("--columns", type=json.loads, help="which column each field is in, as JSON")
    parser.add_argument("--out", default="runs/example", help="run folder")
    parser.add_argument("--steps", type=int, default=1500, help="training steps, at most")
    given = parser.parse_args()

    file = given.file or write_ratings(Path(given.out).with_suffix(".csv"))
    rewards = fsa.fit(  # prints what the file holds, progress, and the verdict
        file,
        columns=given.columns,
        out=given.out,
        folds=1,
        settings=[f"--loop.max_steps={given.steps}"],
        overwrite=True,
    )

    # A new person: three choices, no training.
    person = rewards.for_user([{"prompt": "How?", "chosen": BRIEF[i], "rejected": LONG[i]} for i in range(3)])
    for each in person.rank("How?", [LONG[9], BRIEF[9]]):
        print(f"{each['score']:+.2f} nats  {each['text']}")


def write_ratings(file: Path) -> str:
    """200 people, each of whom gives a thumb up or down to every answer; one thumb in ten is random."""
    rng = random.Random(0)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["user", "prompt", "response", "rating"])
        for user in range(200):
            for is_long, texts in enumerate([BRIEF, LONG]):
                for text in texts:
                    likes = user % 2 == is_long if rng.random() > 0.1 else rng.random() < 0.5
                    writer.writerow([f"person-{user}", "How?", text, 1 if likes else -1])
    return str(file)


if __name__ == "__main__":
    main()
