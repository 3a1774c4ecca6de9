"""What learns: an agent for the seats, the learner behind it, and its model."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparring.agents.llm import LLMAgent
from sparring.training.learner import Learner
from sparring.training.models import lora


def nothing() -> None:
    """Does nothing."""


@dataclass
class Player:
    """One set of parameters that plays and learns.

    ``publish``: called after every change of the weights, so that the agent's engine follows.
    ``forget``: empties the engine's memory of what it has read.
    ``rest``: called before learning, so that an engine on the same GPU can make room.
    """

    agent: LLMAgent
    learner: Learner
    publish: Callable[[], None]
    tokenizer: Any
    forget: Callable[[], None] = nothing
    rest: Callable[[], None] = nothing

    @property
    def model(self) -> Any:
        return self.learner.model

    def save(self, folder: Path) -> None:
        """The model in transformers' own format, an adapter in peft's; the tokenizer beside it. All
        of a learner group must call it, and rank 0 writes."""
        first = self.learner.group.rank == 0
        lora.save(self.model, folder, self.learner.adapter, write=first)
        if first:
            self.tokenizer.save_pretrained(folder)
