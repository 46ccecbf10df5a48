"""Several questions at once, none twice: each is worth what it adds to the answers of those before."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from fsa.questions.acquisition import Acquisition
from fsa.questions.question import Pair, Question, best_question, pair_name, used

_MOST_ANSWERS = 32  # ways in which the questions before may be answered; the likeliest are kept


def best_questions(
    pairs: Sequence[Pair],
    first: Float[Tensor, "s q"],
    weight: Float[Tensor, " s"],
    acquisition: Acquisition,
    count: int,
) -> list[Question]:
    """The first questions of a greedy choice, in order; fewer where there are fewer pairs.

    What a question is worth is its mean over the answers that those before it may get. The same two responses
    to the same prompt are asked once, whichever comes first.

    Args:
        pairs: Pairs to choose from [q].
        first: Probability that the first response of each is picked, at each atom of the belief.
        weight: Probability of each atom.
        acquisition: What makes a pair worth asking about; see `best_question`.
        count: How many, >= 1.

    Reference:
        [Kirsch2019] BatchBALD, Eq. 8 and 12: a greedy batch by joint mutual information.
    """
    asked = [best_question(pairs, first, weight, acquisition)]
    if count == 1:
        return asked
    numbers: dict[Hashable, int] = {}  # the same for the same two responses to the same prompt
    twins = torch.tensor([numbers.setdefault(pair_name(*pair), len(numbers)) for pair in pairs])
    open_, answers = torch.ones(len(pairs), dtype=torch.bool), weight.unsqueeze(0)  # [a, s]
    while len(asked) < count:
        open_ &= twins != twins[asked[-1].index]
        if not open_.any():
            break
        chosen = first[:, asked[-1].index]
        both = torch.cat([answers * chosen, answers * (1 - chosen)])  # joint with one more answer
        answers = both[both.sum(-1).topk(min(len(both), _MOST_ANSWERS)).indices]
        left_over = open_.nonzero().squeeze(-1)
        left = first[:, left_over]
        chance = answers.sum(-1)  # of each way to have answered
        worths = torch.stack([used(acquisition, row).worth(left, row / row.sum()) for row in answers])
        worth = chance @ worths / chance.sum()
        best = int(left_over[int(torch.argmax(worth))])
        asked.append(best_question(pairs, first, weight, acquisition, best, float(worth.max())))
    return asked
