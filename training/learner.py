"""One batch, one update: several small steps that stay near the policy that played.

A single gradient step per batch does not make the step in *policy* space that the theory means:
parameters are shared, and AdamW rescales the gradient. So one update takes several inner steps on

    L(θ) = 1/rows · Σ_tokens w·[ −A·π/μ + β·KL(π‖π_old) + τ·KL(π‖magnet) + κ·KL(π‖ref) − ε·H(π) ]

whose minimum is the mirror-descent step: π ∝ (π_old^β · magnet^τ · exp A)^(1/(β + τ)) for ε = κ = 0.
β = 1/η holds the update to the policy at its start (mirror descent policy optimisation, arXiv
2005.09814), τ pulls to the *magnet*, a copy of the policy from some updates ago, which is what
makes self-play converge in its last iterate (magnetic mirror descent, arXiv 2206.05825), and κ to
the *reference*, the policy of the very start. Other losses go through ``descend`` the same way.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from sparring.training import weights
from sparring.training.batch import Batch
from sparring.training.core import Metrics
from sparring.training.forward import Part, logprobs, part_logprobs, parts, said, said_logprobs
from sparring.training.losses import kl, policy_gradient
from sparring.training.update import UpdateConfig

PartLoss = Callable[[torch.Tensor, Part], torch.Tensor]
"""From the log-probabilities [n, V] at the trained tokens of a part to its share of the loss."""


class Learner:
    """A model, its optimiser, and the copies that hold it back. ``model`` is trained in place."""

    def __init__(self, model: Any, config: UpdateConfig):
        self.model = model
        self.config = config
        self.magnet: weights.Weights = {}
        self._reference: weights.Weights = {}
        trained = list(weights.trained(model).values())
        self.optimizer = torch.optim.AdamW(trained, lr=config.learning_rate.start, weight_decay=0.0)
        self.updates = 0

    @property
    def reference(self) -> weights.Weights:
        """The weights before the first update: copied when they are first asked for, by then."""
        if not self._reference:
            if self.updates:
                raise RuntimeError("the reference must be asked for before the first update")
            self._reference = weights.copy_of(self.model)
        return self._reference

    def update(self, batch: Batch, progress: float) -> Metrics:
        """Several inner steps on one batch; ``progress`` in [0, 1] places the ramps."""
        config = self.config
        self._move_magnet()
        old = self.remember(batch)
        pulls = [(old, 1 / config.step_size.at(progress))]
        if config.magnet:
            pulls.append((self.remember(batch, self.magnet), config.magnet))
        if config.reference:
            pulls.append((self.remember(batch, self.reference), config.reference))
        terms = [(other, weight) for other, weight in pulls if weight]

        def loss(policy: torch.Tensor, part: Part) -> torch.Tensor:
            return self._loss(policy, batch, part, terms)

        found = self.descend(batch, loss, progress)
        self.updates += 1
        return {**found, **self._report(batch, old, pulls[1:2] if config.magnet else [])}

    def descend(self, batch: Batch, loss: PartLoss, progress: float) -> Metrics:
        """``inner_steps`` steps of AdamW down Σ_parts ``loss``; what it was at the last of them.

        Raises:
            FloatingPointError: the loss is no number; the weights are left as they were.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate.at(progress)
        for _ in range(self.config.inner_steps):
            metrics = self.step(batch, loss)
        return metrics

    def step(self, batch: Batch, loss: PartLoss) -> Metrics:
        """One step of AdamW; the gradients of the parts of a batch add up."""
        total = torch.zeros(())
        for part in parts(batch, self.config.tokens_at_once):
            found = loss(part_logprobs(self.model, batch, part), part)
            found.backward()  # type: ignore[no-untyped-call]
            total += found.detach().cpu()
        if not torch.isfinite(total):
            self.optimizer.zero_grad(set_to_none=True)
            raise FloatingPointError(f"the loss is {float(total)} at update {self.updates}")
        trained = weights.trained(self.model).values()
        norm = torch.nn.utils.clip_grad_norm_(trained, self.config.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return {"loss": float(total), "grad_norm": float(norm)}

    @torch.no_grad()
    def remember(self, batch: Batch, other: Mapping[str, torch.Tensor] | None = None) -> torch.Tensor:
        """Log-probabilities at the trained tokens as they are now, or with ``other`` weights.

        [N, V] where the KL terms are exact, else [N] of the tokens that were said.
        """
        inside: AbstractContextManager[None] = nullcontext()
        if other is not None:
            inside = weights.using(self.model, other)
        forward = logprobs if self.config.kl == "exact" else said_logprobs
        with inside:
            return forward(self.model, batch, self.config.tokens_at_once)

    def _move_magnet(self) -> None:
        if self.config.magnet and self.updates % self.config.magnet_every == 0:
            self.magnet = weights.copy_of(self.model)

    def _loss(
        self,
        policy: torch.Tensor,
        batch: Batch,
        part: Part,
        terms: list[tuple[torch.Tensor, float]],
    ) -> torch.Tensor:
        """The loss of the module's head over one part; ``terms`` are (other policy, weight)."""
        config, here = self.config, part.tokens
        gain, cost, count = batch.gain[here], batch.cost[here], batch.count[here]
        own = said(policy, batch, part)
        ratio_to = batch.behaviour[here]
        loss = policy_gradient.surrogate(own, ratio_to, gain, cost, config.clip, config.clip_high)
        for other, weight in terms:
            exact = config.kl == "exact"
            distance = kl.KL[config.kl](policy if exact else own, other[here])
            loss = loss + count * weight * distance
        if config.entropy:
            loss = loss - count * config.entropy * policy_gradient.entropy(policy)
        return loss.sum() / batch.rows

    @torch.no_grad()
    def _report(
        self, batch: Batch, old: torch.Tensor, magnet: list[tuple[torch.Tensor, float]]
    ) -> Metrics:
        """How far the update went, and how far engine and learner are apart."""
        weight = batch.count / batch.count.sum()
        exact = self.config.kl == "exact"
        distance = kl.KL["exact" if exact else "k3"]
        metrics: Metrics = {}
        if exact:
            before = old.gather(1, batch.chosen[:, None])[:, 0]
            metrics["entropy"] = float((policy_gradient.entropy(old) * weight).sum())
        else:
            before = old
            metrics["entropy"] = float((-old * weight).sum())  # E[−log π(said)], π = μ
        new = self.remember(batch)
        metrics["kl_step"] = float((distance(new, old) * weight).sum())
        for other, _ in magnet:
            metrics["kl_magnet"] = float((distance(new, other) * weight).sum())
        drift = (before - batch.behaviour).abs()
        metrics["mismatch_mean"] = float((drift * weight).sum())
        metrics["mismatch_max"] = float(drift.max())
        return metrics

    def imitate(self, batch: Batch, learning_rate: float) -> Metrics:
        """One step of maximum likelihood on what the rows say, whatever their advantages."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        tokens = float(batch.count.sum())

        def loss(policy: torch.Tensor, part: Part) -> torch.Tensor:
            own = said(policy, batch, part)
            return policy_gradient.likelihood(own, batch.count[part.tokens]).sum() / tokens

        return {"imitation_loss": self.step(batch, loss)["loss"]}

    def fresh_optimizer(self) -> None:
        """Forget the optimiser's moments: what follows is another objective."""
        self.optimizer.state.clear()

    def state_dict(self) -> dict[str, Any]:
        """All but the model's own weights, which are saved in the model's own format."""
        return {
            "optimizer": self.optimizer.state_dict(),
            "magnet": self.magnet,
            "reference": self._reference,
            "updates": self.updates,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.optimizer.load_state_dict(state["optimizer"])
        device = self.model.device
        self.magnet = {name: w.to(device) for name, w in state["magnet"].items()}
        self._reference = {name: w.to(device) for name, w in state["reference"].items()}
        self.updates = state["updates"]
