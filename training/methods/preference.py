"""Pairs and a preference loss: DPO, SPIN, SPPO and soft-target DPO are settings of it.

L = 1/P · Σ_pairs w·ℓ(log π(chosen), log π(rejected), log π_ref(...) of both, targets)

DPO         Preference(Builder(games(), best_and_worst()), dpo)
debates     Preference(Builder(siblings(), all_ordered(target=softmax(7.0))),
                       partial(dpo, beta=0.5, likelihood=0.005), average=True)
SPIN        Preference(Builder(siblings(score=by_seat(...)), all_ordered()), spin,
                       reference="update", demonstrations=...)
SPPO        Preference(Builder(siblings(), win_rates()), sppo, reference="update")
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from sparring.envs.core import BadInput
from sparring.training import sequences
from sparring.training.batch import Batch, collate
from sparring.training.core import Metrics, Sample, Stateless
from sparring.training.items import Item
from sparring.training.learner import Learner
from sparring.training.methods import reference as references
from sparring.training.pairs import Pair, Pairs
from sparring.training.side import Demonstrations

PairLoss = Callable[
    [torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor],
    torch.Tensor,
]
"""(policy chosen, rejected, reference chosen, rejected, target, rejected target), [P], to [P]."""


@dataclass
class Preference(Stateless):
    """``pairs`` finds the pairs in the samples of a step and the ``demonstrations`` together.

    ``average``: log-probabilities are means over the tokens of an item, not sums. ``reference``:
    the policy of the run's start, or that of the start of this update. A step without any pair is
    skipped, and its metrics say why.
    """

    pairs: Callable[[Sequence[Sample]], Pairs]
    loss: PairLoss
    average: bool = False
    reference: Literal["start", "update"] = "start"
    demonstrations: Sequence[Sample] = ()
    side: Demonstrations | None = None

    def learn(self, learner: Learner, samples: Sequence[Sample], progress: float) -> Metrics:
        if self.reference == "start":
            _ = learner.reference  # the copy is made here, before the first update
        built = self.pairs([*samples, *self.demonstrations])
        if not built.pairs:
            _must_be_chance(built)
            return built.metrics()
        share = learner.config.share_prefixes
        pairs = _Batch.of(built.pairs, share, self.average)
        anchor = pairs.sides(references.logprobs(learner, pairs.batch, self.reference))

        def loss(own: torch.Tensor) -> torch.Tensor:
            each = self.loss(*pairs.sides(own), *anchor, *pairs.targets)
            return (pairs.weight * each).sum() / len(each)

        side = self.side.draw(learner.updates, share) if self.side else None
        found = learner.descend_sequences(pairs.batch, loss, progress, side)
        after = pairs.sides(references.logprobs(learner, pairs.batch, "update"))
        return {**built.metrics(), **found, **_report(*after, *anchor)}


@dataclass(frozen=True, slots=True)
class _Batch:
    """Pairs as tensors: the batch of all items once, and which items make which pair, _I of them.

    owner [S] the item of each segment; length [I] what its sum is divided by; chosen, rejected [P]
    """

    batch: Batch
    owner: torch.Tensor
    length: torch.Tensor
    chosen: torch.Tensor
    rejected: torch.Tensor
    targets: tuple[torch.Tensor, torch.Tensor]
    weight: torch.Tensor

    @classmethod
    def of(cls, pairs: Sequence[Pair], share: bool, average: bool) -> "_Batch":
        number: dict[tuple[int, int | None], int] = {}
        items: list[Item] = []
        for item in (item for pair in pairs for item in (pair.chosen, pair.rejected)):
            if number.setdefault(_key(item), len(items)) == len(items):
                items.append(item)
        rows = [item.rows() for item in items]
        batch = collate([row for own in rows for row in own], share=share, segments="row")
        owner = torch.tensor([i for i, own in enumerate(rows) for _ in own])
        lengths = torch.zeros(len(items)).index_add(
            0, owner, sequences.whole(batch).length.to(torch.float32)
        )
        both = torch.tensor([pair.targets for pair in pairs])
        return cls(
            batch=batch,
            owner=owner,
            length=lengths if average else torch.ones(len(items)),
            chosen=torch.tensor([number[_key(pair.chosen)] for pair in pairs]),
            rejected=torch.tensor([number[_key(pair.rejected)] for pair in pairs]),
            targets=(both[:, 0], both[:, 1]),
            weight=torch.tensor([pair.weight for pair in pairs]),
        )

    def sides(self, logprobs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """From the log-probabilities of the segments [S] to those of the two sides, [P] each."""
        sums = logprobs.new_zeros(len(self.length)).index_add(0, self.owner, logprobs)
        items = sums / self.length
        return items[self.chosen], items[self.rejected]


def _key(item: Item) -> tuple[int, int | None]:
    return id(item.sample), item.turn


def _must_be_chance(built: Pairs) -> None:
    """A step where all scores tie is bad luck; one where nothing can be compared is a mistake."""
    if built.without.get("alone", 0) == built.groups:
        raise BadInput(
            f"none of the {built.groups} groups has two items to compare: play each deal several "
            "times (deals.repeated), branch the games, or group by another key"
        )


def _report(
    chosen: torch.Tensor,
    rejected: torch.Tensor,
    reference_chosen: torch.Tensor,
    reference_rejected: torch.Tensor,
) -> Metrics:
    """After the update: the mean Δ in nats, how often it is above 0, and what either side moved."""
    up, down = chosen - reference_chosen, rejected - reference_rejected
    return {
        "pair_margin": float((up - down).mean()),
        "pair_accuracy": float((up > down).float().mean()),
        "chosen_shift": float(up.mean()),
        "rejected_shift": float(down.mean()),
    }
