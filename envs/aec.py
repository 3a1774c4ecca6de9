"""Any game as a PettingZoo ``AECEnv``. The only file that knows PettingZoo.

Observations are ``{"text": everything this role may see}``; actions are strings. The legal answers
of the role to act are in ``infos[agent]["legal_actions"]``, ``None`` where speech is free: then
``infos[agent]["examples"]`` may show some. An illegal answer never raises: it follows the policy
of ``referee.py``. A game that cannot be counted is truncated, its reason in
``infos[agent]["void"]``. Rewards are the steps of the payoffs, so they add up to them.
"""

from collections.abc import Callable
from typing import Any

from gymnasium.spaces import Dict
from gymnasium.utils.seeding import np_random
from pettingzoo import AECEnv, aec_registry
from pettingzoo import register as register_in_pettingzoo

from sparring.envs.core import Game, Observation, Payoffs, Role
from sparring.envs.referee import RETRIES, Refereed, RefereedState
from sparring.envs.spaces import AnyText


def transcript(observation: Observation) -> str:
    """All messages of a view, a line each: ``sender: text``, the game's own without a sender.

    Further lines of what a player said are indented: no player can forge a line of another.
    """
    return "\n".join(
        [
            m.text if m.sender == "game" else f"{m.sender}: " + "\n  ".join(m.text.splitlines())
            for m in observation.messages
        ]
    )


def publish(name: str, entry_point: Callable[..., AECEnv]) -> None:
    """Add a game to PettingZoo's registry: ``pettingzoo.make("aec", "sparring/NAME")``."""
    withdraw(name)  # no warning when a name is registered again
    register_in_pettingzoo("aec", f"sparring/{name}", entry_point)


def withdraw(name: str) -> None:
    """Take a game out of PettingZoo's registry."""
    aec_registry.pop(f"sparring/{name}", None)


_WAITS = Observation("", ())  # what is legal for a role that is not to act: nothing


class TextEnv(AECEnv[Role, dict[str, str], str | None]):
    """PettingZoo's turn-based interface over one game.

    Args:
        game: the rules.
        retries: how many more tries a player has after an illegal answer.
        render_mode: ``None``, ``"ansi"`` (``render`` returns text) or ``"human"`` (prints it).
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  PettingZoo declares it so
        "render_modes": ["ansi", "human"],
        "is_parallelizable": False,
    }

    def __init__(self, game: Game, *, retries: int = RETRIES, render_mode: str | None = None):
        super().__init__()
        if render_mode not in (None, "ansi", "human"):
            raise ValueError(f'render_mode is None, "ansi" or "human", not {render_mode!r}')
        self.game = Refereed(game, retries)
        self.render_mode = render_mode
        self.metadata = {**self.metadata, "name": game.name.replace("-", "_")}
        self.possible_agents = list(game.roles)
        self._actions = {role: AnyText() for role in game.roles}
        self._observations = {role: Dict({"text": AnyText()}) for role in game.roles}
        self._seeds = np_random(None)[0]
        self.agents: list[Role] = []

    def observation_space(self, agent: Role) -> Dict:
        return self._observations[agent]

    def action_space(self, agent: Role) -> AnyText:
        return self._actions[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Start a new game. ``seed`` fixes it; without one the games follow the last seed given."""
        if seed is not None:
            self._seeds = np_random(seed)[0]
        self.state_of_play: RefereedState = self.game.start(int(self._seeds.integers(2**63)))
        self.agents = list(self.game.roles)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self._answers: dict[Role, str] = {}
        self._paid: Payoffs = dict.fromkeys(self.agents, 0.0)
        self._look()
        self._point()

    def _look(self) -> None:
        """Who is to act in the position now reached. What roles see is looked up when asked for."""
        self._to_act = self.state_of_play.to_act
        self._seen: dict[Role, Observation] = {}

    def _point(self) -> None:
        """Select who acts next, and say what is legal."""
        waiting = [role for role in self._to_act if role not in self._answers]
        self.infos = {}
        for role in self.agents:
            seen = self.observation(role) if role in waiting else _WAITS
            self.infos[role] = info = dict[str, Any](legal_actions=seen.legal)
            if seen.examples:
                info["examples"] = seen.examples
            if self.state_of_play.void is not None:
                info["void"] = self.state_of_play.void
            self._actions[role].offers = seen.legal or seen.examples
        self.agent_selection = waiting[0] if waiting else self.agents[0]

    def observation(self, agent: Role) -> Observation:
        """What ``agent`` may see, as messages."""
        if agent not in self._seen:
            self._seen[agent] = self.state_of_play.observe(agent)
        return self._seen[agent]

    def observe(self, agent: Role) -> dict[str, str]:
        return {"text": transcript(self.observation(agent))}

    def step(self, action: str | None) -> None:
        """Give the selected agent's answer. After the end it changes nothing but who is left.

        Raises:
            TypeError: the action of a live agent is not a string.
        """
        if not self.agents:
            return
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(None)
            return
        if not isinstance(action, str):
            raise TypeError(f"an action is a string, not {type(action).__name__}")
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        self._answers[agent] = action
        if len(self._answers) == len(self._to_act):
            self._advance()
        self._point()
        self._accumulate_rewards()
        if self.render_mode == "human":
            self.render()

    def _advance(self) -> None:
        self.state_of_play = self.state_of_play.step(self._answers)
        self._look()
        self._answers = {}
        payoffs = self.state_of_play.payoffs
        self.rewards = {role: payoffs[role] - self._paid[role] for role in self.agents}
        self._paid = dict(payoffs)
        if not self._to_act:
            ended = dict.fromkeys(self.agents, True)
            if self.state_of_play.void is None:
                self.terminations = ended
            else:
                self.truncations = ended

    def render(self) -> str | None:
        """What each role sees, one after the other: for the person at the desk, not a player."""
        views = [
            f"--- {role} sees ---\n{self.observe(role)['text']}" for role in self.possible_agents
        ]
        text = "\n".join(views)
        if self.render_mode == "human":
            print(text)
            return None
        return text

    def close(self) -> None:
        """Nothing is held open."""
