"""Notes on rivals: what was implemented, and why not what is public."""

from __future__ import annotations

from collections.abc import Iterator

from eval.suite.page_tables import prose
from eval.suite.results import Suite

_PUBLIC_CODE = """
Rivals are implemented from their papers' equations, each in a file that names them, and train and are
measured in the same harness on the same features. What was found in the reference implementation of
NP-BTL, and is done otherwise here: context pairs are drawn from the targets, so training rewards copying
them, and half of the targets called unseen after 10 of 20 choices were in the context; splits are by
pair, so prompts and responses cross them; latents come from the belief given the context and the KL runs
from it, which is no bound on anything; the mean of -log p over samples is reported for the negative
log-likelihood; DPL has a wrong constant in its normal distribution; the context encoder is not saved, and
loading does not notice.
"""

_NOTES = {
    "DPL": "reads no context, as published.",
    "VPL": "a Gaussian belief from a set of pairs, trained by the evidence lower bound: the posterior reads "
    "context and targets, the prior the context alone, and the two share no prompt.",
    "LoRe": "a low-rank basis of rewards; a new person's weights are fitted on the context.",
    "PAL": "ideal points; a new person is a mixture of those learned.",
    "GPO": "a transformer that attends from targets to the context, with no belief between.",
    "inferred target": "the judge's posterior over wanted levels of a few attributes; not every data set has "
    "scored examples, so the judge that scores them, a linear map of the features, is trained with it.",
}


def notes(suite: Suite) -> Iterator[str]:
    """The section on rivals; `notes` of the suite's configuration, by method, replaces what stands here."""
    said = {**_NOTES, **(suite.config.get("notes") or {})}
    lines = [f"- **{method}**: {said[method]}" for method in suite.methods if method in said]
    yield f"## Notes on rivals\n\n{prose(_PUBLIC_CODE)}"
    if lines:
        yield "\n".join(lines)
