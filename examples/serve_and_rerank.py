"""Start `fsa serve`, store two people's choices, and rerank the same documents for each.

python examples/serve_and_rerank.py [--model RUN]
"""

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

PLAIN = ["Rinse it, then simmer.", "Keep regular hours.", "Cross the two ends."]
CHEERFUL = ["Yay, rice!! You'll love it!", "Ooh, naps are the best!!", "Hey hey! Let's tie one on!"]
QUERY, DOCUMENTS = (
    "How do I start running?",
    ["Woohoo, lace up and go have fun!!", "Walk first. Then run a minute."],
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", default="starter", help="run folder, hub id, or the model that comes with fsa"
    )
    given = parser.parse_args()

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/people.db"
        command = [sys.executable, "-m", "fsa.cli.main", "serve", "--model", given.model]
        server = subprocess.Popen(
            [*command, "--store", store, "--port", str(port)], stderr=subprocess.DEVNULL
        )
        try:
            rerank_for_two(f"http://127.0.0.1:{port}", server)
        finally:
            server.terminate()
            server.wait()


def rerank_for_two(url: str, server: subprocess.Popen) -> None:
    while server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/ready")
            break
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    for name, liked, other in (("ann", PLAIN, CHEERFUL), ("bob", CHEERFUL, PLAIN)):
        choices = [{"prompt": "", "chosen": a, "rejected": b} for a, b in zip(liked, other, strict=True)]
        post(f"{url}/v1/people/{name}/choices", {"choices": choices})
        found = post(f"{url}/v2/rerank", {"model": f"fsa/{name}", "query": QUERY, "documents": DOCUMENTS})
        for result in found["results"]:
            print(f"{name}  {result['relevance_score']:.2f}  {result['document']['text']}")


def post(url: str, body: dict) -> dict:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
