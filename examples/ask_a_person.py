"""Ask a person the five most informative questions in the terminal, then rank answers for them.

python examples/ask_a_person.py [--model RUN]
"""

import argparse

import fsa

PROMPT = "How do I fall asleep faster?"
ANSWERS = [
    "Keep regular hours. Dim the lights at ten.",
    "Ooh, the best part of the day!! Grab your comfiest blanket and drift off, you've earned it!",
    "It is advisable to retire at a fixed hour, to refrain from stimulants, and to keep the room dark.",
    "1. No screens after ten.\n2. A cool room.\n3. The same time every night.",
    "Have you tried reading something dull? And is your room dark enough?",
    "Well, sleep has two drivers: how long you have been awake, and what your body clock says. Getting up at "
    "the same time each day sets the second, so it helps more than going to bed early.",
]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", default="starter", help="run folder, hub id, or the model that comes with fsa"
    )
    parser.add_argument("--questions", type=int, default=5)
    given = parser.parse_args()

    person = fsa.load(given.model).for_user([])
    asked = set()
    for _ in range(given.questions):
        pairs = [
            (PROMPT, a, b)
            for i, a in enumerate(ANSWERS)
            for b in ANSWERS[i + 1 :]
            if frozenset((a, b)) not in asked
        ]
        question = person.next_question(pairs)
        first, second = question.options
        print(f"\n{PROMPT}\n  1: {first}\n  2: {second}\n({question.why})")
        answer = ""
        while answer not in ("1", "2"):
            answer = input("1 or 2? ").strip()
        asked.add(frozenset((first, second)))
        person = person.update({"prompt": PROMPT, "options": [first, second], "chosen": int(answer) - 1})

    print("\nYour ranking (reward in nats):")
    for each in person.rank(PROMPT, ANSWERS):
        print(f"{each['score']:+6.2f}  {each['text']}")


if __name__ == "__main__":
    main()
