"""One person's policy as an ordinary LoRA adapter, opened with peft alone.

    python examples/policy_adapter.py --policy runs/policy-0 --choices person.jsonl --out adapters/ann

`runs/policy-0` is trained as the README's section on policies says.
"""

import argparse
import json
from pathlib import Path

from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

import fsa


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--policy", required=True, help="run folder or hub id of a trained policy")
    parser.add_argument("--choices", required=True, help="JSONL of one person's choices")
    parser.add_argument("--prompt", default="How do I tie a tie?")
    parser.add_argument("--out", default="adapters/person")
    given = parser.parse_args()

    choices = [json.loads(line) for line in Path(given.choices).read_text("utf-8").splitlines()]
    policy = fsa.Policy.from_pretrained(given.policy)
    policy.for_user(choices).save_adapter(given.out)

    # From here on nothing is fsa's: peft, vLLM or any engine that reads LoRA adapters serves the person.
    base = json.loads(Path(given.out, "adapter_config.json").read_text("utf-8"))["base_model_name_or_path"]
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), given.out)
    text = tokenizer(given.prompt, return_tensors="pt")
    written = model.generate(**text, max_new_tokens=40, do_sample=False)
    print(tokenizer.decode(written[0, text["input_ids"].shape[1] :], skip_special_tokens=True))


if __name__ == "__main__":
    main()
