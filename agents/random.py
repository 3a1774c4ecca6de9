"""The agent that answers any legal answer with equal probability."""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from sparring.envs.core import Action, Observation
from sparring.envs.solve import uniform


@dataclass(frozen=True, slots=True)
class RandomAgent:
    name: str = "random"

    async def act(self, observation: Observation) -> Action:
        if observation.legal is None:
            return Action("I pass.")
        return Action(random.Random(observation.seed).choice(observation.legal))

    async def policy(self, observation: Observation) -> Mapping[str, float]:
        return uniform(observation)
