"""Plain words: citation keys that resolve, and words that public prose does without."""

import ast
import re
from collections import Counter
from pathlib import Path

from tests.factories.sources import ROOT, say, sources

KEY = re.compile(r"\[([A-Z][A-Za-z]*(?:19|20)\d\d[a-z]?)\]")
# Words of a dialect: a noun phrase in the field's terms is shorter ("an unknown person", "the pooled model").
BANNED = re.compile(
    r"\b(somebody|nobody|everybody|anybody|someone|everyone|anyone|whoever|whomever|foretell|foretold"
    r"|corridor|told the groups|(?:in|out) door|door (?:in|out))\b",
    re.IGNORECASE,
)
ALLOWED = ("one model for everybody", "fsa/anybody")  # the verdict's own phrase; a name in RewardBench's list
# A history says what it said; decisions and results quote it.
HISTORY = {"log.md", "evidence.md", "results.md", "results_small.md", "results_notes.md", "faults.md"}
# A language model's own answers, word for word.
QUOTED = {"side_by_side.md"}


def pages() -> list[Path]:
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "examples" / "README.md"]
    return found + [page for page in (ROOT / "docs").rglob("*.md") if page.name not in HISTORY | QUOTED]


def docstrings() -> dict[str, str]:
    """Of every module, and everything public in it, of fsa, train and eval, by place."""
    found = {}
    for path, tree in sources().items():
        if not path.startswith(("fsa/", "train/", "eval/")):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                name = getattr(node, "name", "")
                if (text := ast.get_docstring(node)) and not name.startswith("_"):
                    found[f"{path}:{getattr(node, 'lineno', 1)}"] = text
    return found


def listed() -> Counter[str]:
    return Counter(KEY.findall((ROOT / "docs" / "papers.md").read_text("utf-8").replace("**", "")))


def test_every_citation_key_resolves_and_every_paper_has_one():
    code = [file for folder in ("fsa", "train", "eval") for file in (ROOT / folder).rglob("*.py")]
    cited = {key for file in code for key in KEY.findall(file.read_text("utf-8"))}
    assert len(cited) > 40
    say([f"[{key}] has no entry in docs/papers.md" for key in sorted(cited - set(listed()))])
    say([f"[{key}] stands {n} times in docs/papers.md" for key, n in listed().items() if n > 1])
    say([f"[{key}] is cited nowhere" for key in sorted(set(listed()) - cited)])


def test_public_docstrings_do_without_the_dialect():
    assert len(docstrings()) > 1000
    say([f"{place}: {word}" for place, text in docstrings().items() for word in banned(text)])


def test_readme_and_docs_do_without_the_dialect():
    assert len(pages()) > 25
    say([f"{page.relative_to(ROOT)}: {word}" for page in pages() for word in banned(page.read_text("utf-8"))])


def banned(text: str) -> list[str]:
    for phrase in ALLOWED:
        text = text.replace(phrase, "")
    return [match[0] for match in BANNED.finditer(text)]
