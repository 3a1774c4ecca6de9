"""One batch, one update: several small steps that stay near the policy that played.

A single gradient step per batch does not make the step in *policy* space that the theory means:
parameters are shared, and AdamW rescales the gradient. So one update takes several inner steps on

    L(θ) = 1/rows · Σ_tokens [ −A·π/μ + count·( β·KL(π‖π_old) + τ·KL(π‖magnet) − ε·H(π) ) ]

whose minimum is the mirror-descent step: π ∝ (π_old^β · magnet^τ · exp A)^(1/(β + τ)) for ε = 0.
β = 1/η holds the update to the policy at its start (mirror descent policy optimisation, arXiv
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
    """A number that goes from ``start`` to ``end`` over a run, in a straight line."""

    start: float
    end: float

    def at(self, progress: float) -> float:
        """``progress`` in [0, 1]."""
        if self.start == self.end:  # infinity too
            return self.start
        return self.start + (self.end - self.start) * progress


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateConfig:
    """How one batch becomes one update; the formula is in docs/design/update.md."""

    inner_steps: int = 8
    """AdamW steps on one batch."""
    learning_rate: Ramp = Ramp(3e-4, 3e-5)
    """Of AdamW. Above 5e-4 the inner steps overshoot to a policy that never comes back."""
    step_size: Ramp = Ramp(0.5, 0.1)
    """η = 1/β, the size of the mirror-descent step; infinity switches the proximal term off."""
    magnet: float = 0.2
    """τ, the weight of KL to the magnet; 0 switches it off."""
    magnet_every: int = 40
    """Updates between moves of the magnet to the current policy."""
    entropy: float = 0.0
    """ε, the weight of the entropy bonus."""
    clip: float | None = None
    """PPO's clip range of the ratio; None leaves it to the KL terms."""
    max_grad_norm: float = 1.0
    tokens_at_once: int = 16384
    """How many tokens (with fill) go through the model at once; gradients add up."""
    share_prefixes: bool = True
    """Compute what rows share once; needs a model that takes an attention mask of its own."""

    def __post_init__(self) -> None:
        if self.inner_steps < 1 or self.magnet_every < 1 or self.tokens_at_once < 1:
            raise BadInput("inner-steps, magnet-every and tokens-at-once must be at least 1")
        if min(self.step_size.start, self.step_size.end) <= 0:
            raise BadInput("step-size must be greater than 0")


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
            old = logprobs(self.model, batch, config.tokens_at_once)
            pull = logprobs(self.magnet, batch, config.tokens_at_once)
        beta = 1 / config.step_size.at(progress)
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate.at(progress)
        for _ in range(config.inner_steps):
            total = torch.zeros(())
            for part in parts(batch, config.tokens_at_once):
                policy = _part_logprobs(self.model, batch, part)
                here = part.tokens
                loss = self._loss(policy, batch, here, old[here], pull[here], beta)
                loss.backward()  # type: ignore[no-untyped-call]
                total += loss.detach().cpu()
            if not torch.isfinite(total):
                raise FloatingPointError(f"the loss is {float(total)} at update {self.updates}")
            norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.max_grad_norm)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
        self.updates += 1
        with torch.no_grad():
            new = logprobs(self.model, batch, config.tokens_at_once)
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
    ) -> torch.Tensor:
        """The loss of the module's head over the tokens ``here``; log-probabilities are [n, V]."""
        said = policy.gather(1, batch.chosen[here][:, None])[:, 0]
        gain, cost, count = batch.gain[here], batch.cost[here], batch.count[here]
        loss = terms.surrogate(said, batch.behaviour[here], gain, cost, self.config.clip)
        if beta:
            loss = loss + count * beta * terms.kl(policy, old)
        if self.config.magnet:
            loss = loss + count * self.config.magnet * terms.kl(policy, pull)
        if self.config.entropy:
            loss = loss - count * self.config.entropy * terms.entropy(policy)
        return loss.sum() / batch.rows

    def imitate(self, batch: Batch, learning_rate: float) -> Metrics:
        """One step of maximum likelihood on what the rows say, whatever their advantages."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        total, tokens = 0.0, float(batch.count.sum())
        for part in parts(batch, self.config.tokens_at_once):
            policy = _part_logprobs(self.model, batch, part)
            said = policy.gather(1, batch.chosen[part.tokens][:, None])[:, 0]
            loss = terms.likelihood(said, batch.count[part.tokens]).sum() / tokens
            loss.backward()  # type: ignore[no-untyped-call]
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
    """Trees [start, stop) of a batch, the largest of ``width`` tokens; their trained tokens [n]."""

    start: int
    stop: int
    width: int
    tokens: torch.Tensor


def parts(batch: Batch, at_once: int) -> list[Part]:
    """The batch cut into runs of trees of like size, of at most ``at_once`` tokens with fill.

    Trees come smallest first; a run ends where filling it up would cost more than a third.
    """
    sizes = batch.sizes.tolist()
    cuts = [0]
    for b, size in enumerate(sizes):
        start = cuts[-1]
        full = (b + 1 - start) * size > at_once
        if b > start and (full or (b - start) * size > 1.34 * sum(sizes[start:b])):
            cuts.append(b)
    owner = batch.where[:, 0]
    return [
        Part(a, b, sizes[b - 1], torch.nonzero((owner >= a) & (owner < b))[:, 0])
        for a, b in zip(cuts, [*cuts[1:], len(sizes)], strict=True)
    ]


def logprobs(model: Any, batch: Batch, at_once: int) -> torch.Tensor:
    """log π(· | tokens before) at every trained token: [N, V]."""
    found = [_part_logprobs(model, batch, part) for part in parts(batch, at_once)]
    return torch.cat(found)  # trees come in order, and so do their trained tokens


def _part_logprobs(model: Any, batch: Batch, part: Part) -> torch.Tensor:
    """The same for the tokens of one part: [n, V]; the output layer runs on their columns only."""
    here, trees = part.tokens, slice(part.start, part.stop)
    columns, column = torch.unique(batch.before[here], return_inverse=True)
    mask = None
    if batch.sees is not None:
        seen = batch.sees[trees, None, : part.width, : part.width].to(model.device)
        least = torch.finfo(model.dtype).min
        mask = torch.zeros(seen.shape, dtype=model.dtype, device=model.device)
        mask = mask.masked_fill(~seen, least)
    logits = model(
        input_ids=batch.ids[trees, : part.width].to(model.device),
        attention_mask=mask,
        position_ids=batch.depth[trees, : part.width].to(model.device),
        use_cache=False,
        logits_to_keep=columns.to(model.device),
    ).logits
    tree = (batch.where[here, 0] - part.start).to(logits.device)
    picked: torch.Tensor = logits[tree, column.to(logits.device)].float().cpu()
    return picked.log_softmax(-1)
