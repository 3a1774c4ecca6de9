"""Agents watched at play: all views as one, and how likely each answer was."""

import asyncio
from dataclasses import dataclass, field, replace

from rich.text import Text

from sparring.agents.core import Agent, HasPolicy
from sparring.agents.human import NOTE
from sparring.envs.core import Action, Game, Message, Observation, Role, State, View
from sparring.envs.pages import distinct_rules
from sparring.training.terminal.screen import Screen


@dataclass(slots=True)
class Audience:
    """Shows all views of a game as one: each message once, with who alone may see it."""

    screen: Screen
    game: Game
    told: list[Message] = field(default_factory=list)
    answers: list[tuple[Role, str]] = field(default_factory=list)  # shown before the game told them

    def tell(self, state: State) -> None:
        for role in self.game.roles:
            self.tell_view(role, state.observe(role).messages)
        self.answers.clear()

    def tell_view(self, role: Role, view: View) -> None:
        """Show what is new in this view. Views are parts of one log, in its order."""
        at = 0
        for message in view:
            later = range(at, len(self.told))
            found = next((i for i in later if self.told[i] == message), None)
            if found is None:
                self.told.append(message)
                self._show(role, message)
                at = len(self.told)
            else:
                at = found + 1

    def _show(self, role: Role, message: Message) -> None:
        if message.text == self.game.rules(role):
            return  # shown at the start
        for who, said in self.answers:
            if message.text in (said, f"{who}: {said}"):
                return
            if message.text.startswith(f"{who}: {said}\n"):  # a board follows
                message = replace(message, text=message.text[len(f"{who}: {said}\n") :])
        to = message.to
        if to is None or len(to) == len(self.game.roles):
            self.screen.show(message)
        else:
            sees = ", ".join(r for r in self.game.roles if r in to)
            label = Text(f"({sees} only) ", "dim")
            sender = "" if message.sender in ("game", NOTE) else f"[{message.sender}] "
            self.screen.line(label + self.screen.coloured(f"{sender}{message.text}"))

    def open(self) -> None:
        """The rules, those that are the same for several roles once."""
        for role, text in distinct_rules(self.game).items():
            self.screen.rules(text, f"rules as {role} reads them")


@dataclass(frozen=True, slots=True)
class Watched:
    """An agent whose answers are shown, with the probabilities that it gave them, if it has any."""

    agent: Agent
    audience: Audience
    delay: float

    @property
    def name(self) -> str:
        return self.agent.name

    async def act(self, observation: Observation) -> Action:
        await asyncio.sleep(self.delay)
        chances = None
        if observation.legal and isinstance(self.agent, HasPolicy):
            chances = await self.agent.policy(observation)
        action = await self.agent.act(observation)
        self.audience.tell_view(observation.role, observation.messages)  # the referee's words
        self.audience.screen.answer(observation.role, action, chances)
        self.audience.answers.append((observation.role, action.text.strip()))
        return action
