"""The agent that answers any legal answer with equal probability.

Where answers are not listed it says one of the game's examples; where there are none, "I pass."
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from sparring.envs.core import Action, Observation
from sparring.envs.solve import uniform


@dataclass(frozen=True, slots=True)
class RandomAgent:
    name: str = "random"

    async def act(self, observation: Observation) -> Action:
        offers = observation.legal or observation.examples or ("I pass.",)
        return Action(random.Random(observation.seed).choice(offers))

    async def policy(self, observation: Observation) -> Mapping[str, float]:
        return uniform(observation)
