"""A person at the terminal."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sparring.envs.core import Action, Observation

HELP = "Type your answer. Empty: show the legal answers again. Ctrl-D or Ctrl-C leaves the game."

SHOWN = 20
"""At most so many legal answers are listed at the prompt."""


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
        prompt = f"{observation.role}{_choices(observation)}> "
        while not (text := self.ask(prompt).strip()):  # one person, one game: blocking is fine
            pass
        return Action(text)


def _choices(seen: Observation) -> str:
    """What may be answered, for the prompt: the legal answers (some of many), or an example."""
    if seen.legal is None:
        return f" (such as: {seen.examples[0]})" if seen.examples else ""
    more = f", ... {len(seen.legal)} in all" if len(seen.legal) > SHOWN else ""
    return f" ({', '.join(seen.legal[:SHOWN])}{more})"
