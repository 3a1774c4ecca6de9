"""The options of what of a model is trained, and in which numbers."""

from dataclasses import dataclass
from typing import Literal

from sparring.envs.core import BadInput

Dtype = Literal["auto", "float32", "bfloat16"]
"""What a pretrained model computes in; "auto" is bfloat16 on a GPU and float32 on a CPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraOptions:
    """Low-rank adapters: W + (alpha / rank)·B·A, with B and A trained and W as it is (LoRA, arXiv
    2106.09685). B starts at 0, so the first policy is that of the model itself."""

    rank: int | None = None
    """Rows of A; by default there is no adapter and all weights are trained."""
    alpha: float = 32.0
    """An adapter counts alpha / rank times."""
    dropout: float = 0.0
    """Of the adapter's input, in inner steps only: the policy that plays has none."""
    targets: str = "all-linear"
    """Which layers get one: all but the output layer, or names with commas, as q_proj,v_proj."""
    bits: Literal[4, 8] | None = None
    """Keep W in so many bits (QLoRA, arXiv 2305.14314); needs a CUDA GPU and bitsandbytes."""

    def __post_init__(self) -> None:
        if self.rank is None:
            others = (self.alpha, self.dropout, self.targets, self.bits)
            if others != (32.0, 0.0, "all-linear", None):
                raise BadInput("lora options need --lora.rank, for example 16")
        elif self.rank < 1 or not 0 <= self.dropout < 1:
            raise BadInput("lora.rank must be at least 1, and lora.dropout in [0, 1)")
