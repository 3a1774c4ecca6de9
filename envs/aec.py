"""Any game as a PettingZoo ``AECEnv``. The only file that knows PettingZoo.

Observations are ``{"text": everything this role may see}``; actions are strings. The legal answers
of the role to act are in ``infos[agent]["legal_actions"]``, ``None`` where speech is free: then
``infos[agent]["examples"]`` may show some. An illegal answer never raises: it follows the policy
of ``referee.py``. A game that cannot be counted is truncated, its reason in
``infos[agent]["void"]``. Rewards are the steps of the payoffs, so they add up to them.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from gymnasium.spaces import Dict
from gymnasium.utils.seeding import np_random
from numpy.random import Generator
from pettingzoo import AECEnv, aec_registry
from pettingzoo import register as register_in_pettingzoo

from sparring.envs.core import Game, Message, Observation, Payoffs, Role
from sparring.envs.referee import RETRIES, Refereed, RefereedState
from sparring.envs.spaces import AnyText


def transcript(messages: Sequence[Message]) -> str:
    """Messages as text, a line each: ``sender: text``, the game's own without a sender.

    Further lines of what a player said are indented: no player can forge a line of another.
    """
    return "\n".join(
        [
            m.text if m.sender == "game" else f"{m.sender}: " + "\n  ".join(m.text.splitlines())
            for m in messages
        ]
    )


def publish(name: str, entry_point: Callable[..., AECEnv]) -> None:
    """Add a game to PettingZoo's registry: ``pettingzoo.make("aec", "sparring/NAME")``."""
    withdraw(name)  # no warning when a name is registered again
    register_in_pettingzoo("aec", f"sparring/{name}", entry_point)


def withdraw(name: str) -> None:
    """Take a game out of PettingZoo's registry."""
    aec_registry.pop(f"sparring/{name}", None)


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
        self._actions = {role: AnyText(partial(self._offers, role)) for role in game.roles}
        self._observations = {role: Dict({"text": AnyText()}) for role in game.roles}
        self._luck: Generator | None = None  # of games without a seed of their own
        self._last_seed: int | None = None
        self.agents: list[Role] = []

    def observation_space(self, agent: Role) -> Dict:
        return self._observations[agent]

    def action_space(self, agent: Role) -> AnyText:
        return self._actions[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Start a new game: with a seed the one that ``game.start(seed)`` gives, without one the
        next in a series that follows from the last seed given."""
        if seed is not None:
            self._last_seed, self._luck = seed, None
        else:
            if self._luck is None:
                self._luck = np_random(self._last_seed)[0]
            seed = int(self._luck.integers(2**63))
        self.state_of_play: RefereedState = self.game.start(seed)
        self.agents = list(self.game.roles)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self._answers: dict[Role, str] = {}
        self._paid: Payoffs = dict.fromkeys(self.agents, 0.0)
        self._texts: dict[Role, tuple[int, str]] = {}  # messages written, and their text
        self._look()
        self._point()

    def _look(self) -> None:
        """Who is to act in the position now reached. What roles see is looked up when asked for."""
        self._to_act = self.state_of_play.to_act
        self._seen: dict[Role, Observation] = {}

    def _offers(self, role: Role) -> tuple[str, ...]:
        """What ``action_space(role).sample()`` draws from now."""
        seen = self.observation(role)
        return seen.legal or seen.examples

    def _point(self) -> None:
        """Select who acts next, and say what is legal."""
        answered = self._answers
        waiting = [role for role in self._to_act if role not in answered]
        self.infos: dict[Role, dict[str, Any]] = {r: {"legal_actions": ()} for r in self.agents}
        for role in waiting:
            seen = self.observation(role)
            self.infos[role]["legal_actions"] = seen.legal
            if seen.examples:
                self.infos[role]["examples"] = seen.examples
        if not self._to_act and self.state_of_play.void is not None:
            for info in self.infos.values():
                info["void"] = self.state_of_play.void
        self.agent_selection = waiting[0] if waiting else self.agents[0]

    def observation(self, agent: Role) -> Observation:
        """What ``agent`` may see, as messages."""
        seen = self._seen.get(agent)
        if seen is None:
            seen = self._seen[agent] = self.state_of_play.observe(agent)
        return seen

    def observe(self, agent: Role) -> dict[str, str]:
        seen = self.observation(agent)
        known, text = self._texts.get(agent, (0, ""))
        if known != len(seen.messages):  # a view only grows: what was written stays
            new = transcript(seen.messages[known:])
            text = f"{text}\n{new}" if known else new
            self._texts[agent] = len(seen.messages), text
        return {"text": text}

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
        self._answers[agent] = action
        if len(self._answers) == len(self._to_act):
            self._advance()
        else:
            self.rewards = dict.fromkeys(self.agents, 0.0)
        self._point()
        if self.render_mode == "human":
            self.render()

    def _advance(self) -> None:
        self.state_of_play = self.state_of_play.step(self._answers)
        self._look()
        self._answers = {}
        payoffs = self.state_of_play.payoffs
        if payoffs == self._paid:
            self.rewards = dict.fromkeys(self.agents, 0.0)
        else:
            self.rewards = {role: payoffs[role] - self._paid[role] for role in self.agents}
            self._accumulate_rewards()
            self._paid = payoffs
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
