"""One batch, one update: several small steps that stay near the policy that played.

A single gradient step per batch does not make the step in *policy* space that the theory means:
parameters are shared, and AdamW rescales the gradient. So one update takes several inner steps on

    L(θ) = 1/rows · Σ_tokens [ −A·π/μ + count·( β·KL(π‖π_old) + τ·KL(π‖magnet) − ε·H(π) ) ]

whose minimum is the mirror-descent step: π ∝ (π_old^β · magnet^τ · exp A)^(1/(β + τ)) for ε = 0.
β holds the update to the policy at its start (mirror descent policy optimisation, arXiv
2005.09814), τ pulls to the *magnet*, a copy of the policy from some updates ago, which is what
makes self-play converge in its last iterate (magnetic mirror descent, arXiv 2206.05825).
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from sparring.envs.core import BadInput
from sparring.training.batch import Batch
from sparring.training.core import Metrics
from sparring.training.losses import policy_gradient as terms


@dataclass(frozen=True, slots=True)
class Ramp:
    """A number that goes from ``start`` to ``end`` over a run, geometrically where both are > 0."""

    start: float
    end: float

    def at(self, progress: float) -> float:
        """``progress`` in [0, 1]."""
        if self.start > 0 and self.end > 0:
            return float(self.start * (self.end / self.start) ** progress)
        return self.start + (self.end - self.start) * progress


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateConfig:
    """How one batch becomes one update; see the formula at the top of this file."""

    inner_steps: int = 8
    """AdamW steps on one batch."""
    learning_rate: Ramp = Ramp(3e-4, 1e-4)
    proximal: Ramp = Ramp(2.0, 2.0)
    """β, the weight of KL to the policy at the start of the update; 1/β is the step size."""
    magnet: Ramp = Ramp(0.2, 0.2)
    """τ, the weight of KL to the magnet."""
    magnet_every: int = 30
    """Updates between moves of the magnet to the current policy."""
    entropy: float = 0.0
    """ε, the weight of the entropy bonus."""
    clip: float | None = None
    """PPO's clip range of the ratio; None leaves it to the KL terms."""
    max_grad_norm: float = 1.0
    row_tokens: int = 16384
    """How many tokens (filled rows) go through the model at once; gradients add up."""

    def __post_init__(self) -> None:
        if self.inner_steps < 1 or self.magnet_every < 1 or self.row_tokens < 1:
            raise BadInput("inner-steps, magnet-every and row-tokens must be at least 1")


class Learner:
    """A model, its optimiser and its magnet. ``model`` is trained in place."""

    def __init__(self, model: Any, config: UpdateConfig):
        self.model = model
        self.config = config
        self.magnet = copy.deepcopy(model).requires_grad_(False).eval()
        trained = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=config.learning_rate.start, weight_decay=0.0)
        self.updates = 0

    def update(self, batch: Batch, progress: float) -> Metrics:
        """Several inner steps on one batch; ``progress`` in [0, 1] places the ramps."""
        config = self.config
        if self.updates % config.magnet_every == 0:
            self.magnet.load_state_dict(self.model.state_dict())
        with torch.no_grad():
            old = logprobs(self.model, batch, config.row_tokens)
            pull = logprobs(self.magnet, batch, config.row_tokens)
        beta, tau = config.proximal.at(progress), config.magnet.at(progress)
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate.at(progress)
        for _ in range(config.inner_steps):
            total = torch.zeros(())
            for part in parts(batch, config.row_tokens):
                policy = _part_logprobs(self.model, batch, part)
                here = part.tokens
                loss = self._loss(policy, batch, here, old[here], pull[here], beta, tau)
                loss.backward()
                total += loss.detach().cpu()
            norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.max_grad_norm)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
        self.updates += 1
        with torch.no_grad():
            new = logprobs(self.model, batch, config.row_tokens)
        weight = batch.count / batch.count.sum()
        said = old.gather(1, batch.chosen[:, None])[:, 0]
        drift = (said - batch.behaviour).abs()
        return {
            "loss": float(total),
            "grad_norm": float(norm),
            "entropy": float((terms.entropy(old) * weight).sum()),
            "kl_step": float((terms.kl(new, old) * weight).sum()),
            "kl_magnet": float((terms.kl(new, pull) * weight).sum()),
            "mismatch_mean": float((drift * weight).sum()),
            "mismatch_max": float(drift.max()),
        }

    def _loss(
        self,
        policy: torch.Tensor,
        batch: Batch,
        here: torch.Tensor,
        old: torch.Tensor,
        pull: torch.Tensor,
        beta: float,
        tau: float,
    ) -> torch.Tensor:
        """The loss of the module's head over the tokens ``here``; log-probabilities are [n, V]."""
        said = policy.gather(1, batch.chosen[here][:, None])[:, 0]
        gain, cost, count = batch.gain[here], batch.cost[here], batch.count[here]
        loss = terms.surrogate(said, batch.behaviour[here], gain, cost, self.config.clip)
        if beta:
            loss = loss + count * beta * terms.kl(policy, old)
        if tau:
            loss = loss + count * tau * terms.kl(policy, pull)
        if self.config.entropy:
            loss = loss - count * self.config.entropy * terms.entropy(policy)
        return loss.sum() / batch.rows

    def imitate(self, batch: Batch, learning_rate: float) -> Metrics:
        """One step of maximum likelihood on what the rows say, whatever their advantages."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        total, tokens = 0.0, float(batch.count.sum())
        for part in parts(batch, self.config.row_tokens):
            policy = _part_logprobs(self.model, batch, part)
            said = policy.gather(1, batch.chosen[part.tokens][:, None])[:, 0]
            loss = terms.likelihood(said, batch.count[part.tokens]).sum() / tokens
            loss.backward()
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return {"imitation_loss": total}

    def fresh_optimizer(self) -> None:
        """Forget the optimiser's moments: what follows is another objective."""
        self.optimizer.state.clear()

    def state_dict(self) -> dict[str, Any]:
        """All but the model's own weights, which are saved in the model's own format."""
        return {
            "optimizer": self.optimizer.state_dict(),
            "magnet": self.magnet.state_dict(),
            "updates": self.updates,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.optimizer.load_state_dict(state["optimizer"])
        self.magnet.load_state_dict(state["magnet"])
        self.updates = state["updates"]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows [start, stop) of a batch, the longest ``width`` tokens, and their trained tokens [n]."""

    start: int
    stop: int
    width: int
    tokens: torch.Tensor


def parts(batch: Batch, row_tokens: int) -> list[Part]:
    """The batch cut into runs of rows of like length, of at most ``row_tokens`` tokens with fill.

    Rows come shortest first; a run ends where filling it up would cost more than a third.
    """
    lengths = batch.lengths.tolist()
    cuts = [0]
    for u, length in enumerate(lengths):
        start = cuts[-1]
        full = (u + 1 - start) * length > row_tokens
        if u > start and (full or (u - start) * length > 1.34 * sum(lengths[start:u])):
            cuts.append(u)
    owner = batch.where[:, 0]
    return [
        Part(a, b, lengths[b - 1], torch.nonzero((owner >= a) & (owner < b))[:, 0])
        for a, b in zip(cuts, [*cuts[1:], len(lengths)], strict=True)
    ]


def logprobs(model: Any, batch: Batch, row_tokens: int) -> torch.Tensor:
    """log π(· | tokens before) at every trained token: [N, V]."""
    found = [_part_logprobs(model, batch, part) for part in parts(batch, row_tokens)]
    return torch.cat(found)  # rows come in order, and so do their trained tokens


def _part_logprobs(model: Any, batch: Batch, part: Part) -> torch.Tensor:
    """The same for the tokens of one part: [n, V]; the output layer runs on their columns only."""
    where = batch.where[part.tokens]
    # The token at a position is predicted from the position before it.
    columns, column = torch.unique(where[:, 1] - 1, return_inverse=True)
    ids = batch.ids[part.start : part.stop, : part.width].to(model.device)
    logits = model(input_ids=ids, use_cache=False, logits_to_keep=columns.to(model.device)).logits
    picked = logits[(where[:, 0] - part.start).to(logits.device), column.to(logits.device)]
    return picked.float().cpu().log_softmax(-1)
