"""Several agents as one: another for each role."""

from collections.abc import Mapping
from dataclasses import dataclass

from sparring.agents.core import Agent, HasPolicy
from sparring.envs.core import Action, Observation, Role


@dataclass(frozen=True)
class ByRole:
    """Answers with the agent of the observation's role; has a policy where they all have one."""

    name: str
    agents: Mapping[Role, Agent]

    async def act(self, observation: Observation) -> Action:
        return await self.agents[observation.role].act(observation)

    async def policy(self, observation: Observation) -> Mapping[str, float]:
        agent = self.agents[observation.role]
        if not isinstance(agent, HasPolicy):
            raise TypeError(f"{agent.name} has no policy to ask for")
        return await agent.policy(observation)
