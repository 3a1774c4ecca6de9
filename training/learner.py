"""One batch, one update: several small steps that stay near the policy that played.

A single gradient step per batch does not make the step in *policy* space that the theory means:
parameters are shared, and AdamW rescales the gradient. So one update takes several inner steps on

    L(θ) = 1/rows · Σ_tokens w·[ −A·π/μ + β·KL(π‖π_old) + τ·KL(π‖magnet) + κ·KL(π‖ref) − ε·H(π) ]

whose minimum is the mirror-descent step: π ∝ (π_old^β · magnet^τ · exp A)^(1/(β + τ)) if ε = κ = 0.
β = 1/η holds the update to the policy at its start (mirror descent policy optimisation, arXiv
2005.09814), τ pulls to the *magnet*, a copy of the policy from some updates ago, which is what
makes self-play converge in its last iterate (magnetic mirror descent, arXiv 2206.05825), and κ to
the *reference*, the policy of the very start. Other losses go through ``descend`` the same way,
those of whole answers or rows through ``descend_sequences``.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch

from sparring.training import mismatch, proximal, sequences, shards, weights
from sparring.training.batch import Batch, collate
from sparring.training.core import Metrics, Sample
from sparring.training.forward import logprobs, part_logprobs, passes, said_logprobs
from sparring.training.group import ALONE, Group
from sparring.training.models import lora
from sparring.training.models.recompute import learning
from sparring.training.parts import PartLoss
from sparring.training.side import Side, likelihood_of
from sparring.training.update import UpdateConfig


class Learner:
    """A model, its optimiser, and the copies that hold it back. ``model`` is trained in place.

    ``adapter``: of a model with several (``models/lora.py``), the one that this learner trains.
    ``group``: the processes that train it together (``sharded.py``); all call the same methods with
    the same batches, and each computes its share.
    """

    def __init__(self, model: Any, config: UpdateConfig, adapter: str | None = None):
        self.model = model
        self.config = config
        self.adapter = adapter
        self.group: Group = ALONE
        self.magnet: weights.Weights = {}
        self._reference: weights.Weights = {}
        with lora.active(model, adapter):
            trained = list(weights.trained(model).values())
        self.optimizer = torch.optim.AdamW(trained, lr=config.learning_rate.start, weight_decay=0.0)
        self.updates = 0

    @property
    @lora.own
    def reference(self) -> weights.Weights:
        """The weights before the first update: copied when they are first asked for, by then."""
        if not self._reference:
            if self.updates:
                raise RuntimeError("the reference must be asked for before the first update")
            self._reference = weights.copy_of(self.model)
        return self._reference

    @lora.own
    def update(self, batch: Batch, progress: float, side: Side | None = None) -> Metrics:
        """Several inner steps on one batch; ``progress`` in [0, 1] places the ramps."""
        config = self.config
        self._move_magnet()
        old = self.remember(batch)
        pulls = [(old, 1 / config.step_size.at(progress))]
        if config.magnet:
            pulls.append((self.remember(batch, self.magnet), config.magnet_at(progress)))
        if config.reference:
            pulls.append((self.remember(batch, self.reference), config.reference))
        terms = [(other, weight) for other, weight in pulls if weight]
        loss = proximal.loss(config, batch, old, terms)
        found = self.descend(batch, loss, progress, side)
        magnet = pulls[1][0] if config.magnet else None
        return {**found, **proximal.report(config, batch, old, self.remember(batch), magnet)}

    def descend(
        self, batch: Batch, loss: PartLoss, progress: float, side: Side | None = None
    ) -> Metrics:
        """``inner_steps`` steps of AdamW down Σ_parts ``loss``; what it was at the last of them."""
        return self.run([lambda: self.step(batch, loss, side)] * self.config.inner_steps, progress)

    def descend_sequences(
        self,
        batch: Batch,
        loss: sequences.SequenceLoss,
        progress: float,
        side: Side | None = None,
    ) -> Metrics:
        """The same for a loss of the log-probabilities of the batch's segments."""

        def step() -> Metrics:
            at_once = self.config.tokens_at_once
            here = sequences.by_parts(self.model, batch, loss, at_once, self.group)
            return self.step(batch, here, side)

        return self.run([step] * self.config.inner_steps, progress)

    @lora.own
    def run(self, steps: Iterable[Callable[[], Metrics]], progress: float) -> Metrics:
        """One update: these inner steps, at the rate of now; what the last of them reported."""
        metrics: Metrics = {}
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate.at(progress)
        for step in steps:
            metrics = step()
        self.updates += 1
        return metrics

    @lora.own
    def step(self, batch: Batch, loss: PartLoss, side: Side | None = None) -> Metrics:
        """One step of AdamW; the gradients of the parts of a batch add up.

        Raises:
            FloatingPointError: the loss is no number; the weights are left as they were.
        """
        metrics = {"loss": self._gradient(batch, loss)}
        if side is not None:
            metrics["side_loss"] = self._gradient(side.batch, side.loss, side.weight)
        if not all(map(math.isfinite, metrics.values())):
            self.optimizer.zero_grad(set_to_none=True)
            raise FloatingPointError(f"a loss is no number at update {self.updates}: {metrics}")
        trained = weights.trained(self.model).values()
        norm = torch.nn.utils.clip_grad_norm_(trained, self.config.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return {**metrics, "grad_norm": float(shards.whole(norm))}

    def _gradient(self, batch: Batch, loss: PartLoss, weight: float = 1.0) -> float:
        """Adds the gradient of ``weight`` · Σ_parts ``loss``; returns the sum, not weighted."""
        total = 0.0
        weight *= self.group.size  # what a group finds is averaged over it, and this is a sum
        for part in passes(self.model, batch, self.config.tokens_at_once, self.group):
            with learning(self.model):
                found = loss(part_logprobs(self.model, batch, part), part)
                (weight * found).backward()  # type: ignore[no-untyped-call]
            total += float(found.detach())
        return float(self.group.sum(torch.tensor(total, dtype=torch.float64)))

    @lora.own
    @torch.no_grad()
    def mismatch(self, samples: Sequence[Sample]) -> Metrics:
        """How far the engine that sampled is from the model now, by some of the samples; nothing
        where none of them said anything."""
        rows = mismatch.some_rows(samples)
        if not rows:
            return {}
        batch = collate(rows, share=self.config.share_prefixes)
        now = said_logprobs(self.model, batch, self.config.tokens_at_once, self.group)
        return mismatch.of_batch(batch, now)

    @lora.own
    @torch.no_grad()
    def remember(
        self, batch: Batch, other: Mapping[str, torch.Tensor] | None = None
    ) -> torch.Tensor:
        """Log-probabilities at the trained tokens as they are now, or with ``other`` weights.

        [N, V] where the KL terms are exact, else [N] of the tokens that were said.
        """
        forward = logprobs if self.config.kl == "exact" else said_logprobs
        with weights.using(self.model, other or {}):
            return forward(self.model, batch, self.config.tokens_at_once, self.group)

    @lora.own
    def remember_sequences(
        self, batch: Batch, other: Mapping[str, torch.Tensor] | None = None
    ) -> torch.Tensor:
        """The log-probability of each of a batch's segments, [S], now or with ``other`` weights."""
        with weights.using(self.model, other or {}):
            return sequences.logprobs(self.model, batch, self.config.tokens_at_once, self.group)

    def _move_magnet(self) -> None:
        if self.config.magnet and self.updates % self.config.magnet_every == 0:
            self.magnet = weights.copy_of(self.model)

    def imitate(self, batch: Batch, learning_rate: float) -> Metrics:
        """One step of maximum likelihood on what the rows say, whatever their advantages."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        loss = likelihood_of(batch, float(batch.count.sum()))
        return {"imitation_loss": self.step(batch, loss)["loss"]}

    @lora.own
    @torch.no_grad()
    def restart(self) -> None:
        """Go back to the weights before the first update, with an optimiser that knows nothing."""
        weights.put(self.model, self.reference)
        self.fresh_optimizer()

    def fresh_optimizer(self) -> None:
        """Forget the optimiser's moments: what follows is another objective."""
        self.optimizer.state.clear()

    def state_dict(self) -> dict[str, Any]:
        """All but the model's own weights, which are saved in the model's own format. One process
        can go on with what a group saved, and a group with what one process did."""
        keep = self.group.rank == 0  # of a group's shards only rank 0 gets the whole
        return {
            "optimizer": shards.optimizer_state(self.optimizer, keep),
            "magnet": {name: shards.whole(w, keep) for name, w in self.magnet.items()},
            "reference": {name: shards.whole(w, keep) for name, w in self._reference.items()},
            "updates": self.updates,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        shards.load_optimizer(self.optimizer, state["optimizer"])
        own = self.model.get_parameter
        self.magnet = {name: shards.like(w, own(name)) for name, w in state["magnet"].items()}
        self._reference = {n: shards.like(w, own(n)) for n, w in state["reference"].items()}
        self.updates = state["updates"]
