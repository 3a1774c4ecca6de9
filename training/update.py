"""The settings of one update; the formula is in docs/design/update.md."""

from dataclasses import dataclass
from typing import Literal

from sparring.envs.core import BadInput


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
    magnet_end: float | None = None
    """τ at the end of the run, if it is to go there in a straight line; else it stays."""
    magnet_every: int = 40
    """Updates between moves of the magnet to the current policy."""
    reference: float = 0.0
    """κ, the weight of KL to the policy of the start; 0 switches it off."""
    kl: Literal["exact", "k1", "k2", "k3"] = "exact"
    """KL terms exact over the vocabulary (a small one), or estimated at the sampled tokens."""
    entropy: float = 0.0
    """ε, the weight of the entropy bonus."""
    clip: float | None = None
    """PPO's clip range of the ratio; None leaves it to the KL terms."""
    clip_high: float | None = None
    """The upper range where it is another (DAPO's clip-higher); None: the same as clip."""
    importance_cap: float | None = None
    """C of truncated importance sampling, for engines whose numbers are not quite the learner's
    and for samples of older policies: a token weighs min(C, π_old/μ), and the ratio of the loss is
    π/π_old. None: the ratio is π/μ, whatever it is."""
    importance: Literal["token", "game"] = "token"
    """What weighs with importance-cap: each token by itself; or, of older policies, whole games:
    min(C, Π π_old/μ) over all answers of the seats that learn."""
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
        if self.magnet_end is not None and (self.magnet <= 0 or self.magnet_end < 0):
            raise BadInput("magnet-end needs a magnet to begin with, and is at least 0")
        if self.importance_cap is not None and self.importance_cap <= 0:
            raise BadInput("importance-cap must be greater than 0; 2 is usual")
        if self.importance == "game" and self.importance_cap is None:
            raise BadInput("importance game needs importance-cap; 2 is usual")
        if self.clip is None and self.clip_high is not None:
            raise BadInput("clip-high needs clip")

    def magnet_at(self, progress: float) -> float:
        """τ at ``progress`` in [0, 1] of the run."""
        end = self.magnet if self.magnet_end is None else self.magnet_end
        return Ramp(self.magnet, end).at(progress)
