"""A person at the terminal."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sparring.envs.core import Action, Observation

HELP = "Type your answer. Empty: show the legal answers again. Ctrl-D or Ctrl-C leaves the game."


@dataclass(frozen=True, slots=True)
class HumanAgent:
    """Shows what is new in the view, asks for an answer, and asks again for an empty one."""

    name: str = "human"
    ask: Callable[[str], str] = field(default=input)
    show: Callable[[str], None] = field(default=print)

    async def act(self, observation: Observation) -> Action:
        known = len(observation.turns[-1].observation.messages) if observation.turns else 0
        if not known:
            self.show(HELP)
        for message in observation.messages[known:]:
            self.show(
                message.text if message.sender == "game" else f"[{message.sender}] {message.text}"
            )
        if observation.legal is None:
            prompt = f"{observation.role}> "
        else:
            prompt = f"{observation.role} ({', '.join(observation.legal)})> "
        while not (text := self.ask(prompt).strip()):  # one person, one game: blocking is fine
            pass
        return Action(text)
