"""What an agent is: one method. Whatever answers an observation can sit in any seat."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from sparring.envs.core import Action, Observation


class Agent(Protocol):
    """Anything that can sit in a seat. It keeps no memory between calls: its own earlier turns
    come with the observation, and so does the seed of this turn's luck."""

    @property
    def name(self) -> str: ...

    async def act(self, observation: Observation) -> Action: ...


@runtime_checkable
class HasPolicy(Protocol):
    """An agent that can say the probability of every legal answer, so that it can be solved for."""

    async def policy(self, observation: Observation) -> Mapping[str, float]: ...
