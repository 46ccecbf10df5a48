"""TRL's GRPO with each row's own person as the reward. Needs `pip install trl`.

python examples/grpo_with_people.py --base HuggingFaceTB/SmolLM2-135M-Instruct --steps 100
"""

import argparse

from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

from fsa.serve.trl import PersonReward

PROMPTS = ["How do I cook rice?", "How do I fall asleep?", "How do I tie a tie?", "How do I start running?"]
BRIEF = [
    {"prompt": "", "chosen": "Ten minutes.", "rejected": "It takes ten minutes or so, but do check twice."}
]
LONG = [{"prompt": "", "chosen": one["rejected"], "rejected": one["chosen"]} for one in BRIEF]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--base", default="HuggingFaceTB/SmolLM2-135M-Instruct", help="language model to train"
    )
    parser.add_argument("--model", default="starter", help="fsa's reward model")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--out", default="runs/grpo")
    given = parser.parse_args()

    # Half of the rows are for a person who likes brief answers, half for one who likes long ones.
    rows = [{"prompt": prompt, "choices": choices} for prompt in PROMPTS for choices in (BRIEF, LONG)]
    trainer = GRPOTrainer(
        model=given.base,
        reward_funcs=PersonReward(given.model),
        train_dataset=Dataset.from_list(rows),
        args=GRPOConfig(
            given.out,
            max_steps=given.steps,
            per_device_train_batch_size=4,
            num_generations=4,
            max_completion_length=64,
            report_to=[],
            save_strategy="no",
        ),
    )
    trainer.train()
    trainer.save_model(given.out)


if __name__ == "__main__":
    main()
