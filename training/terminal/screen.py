"""A game in the terminal: who sits where, messages as they come, thoughts and probabilities.

On a terminal there is colour and lines are filled to its width; in a pipe all of it is plain text,
one message a line.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.panel import Panel
from rich.status import Status
from rich.text import Text

from sparring.agents.human import NOTE
from sparring.agents.wording import percentages
from sparring.envs.core import Action, Message, Role, State, View

COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "red")


@dataclass(slots=True)
class Screen:
    """Prints what happens in a game of ``roles``; ``own`` is the role of the person, if any, and
    ``own_rules`` the text of its rules, which gets a frame."""

    console: Console
    roles: Sequence[Role]
    own: Role | None = None
    own_rules: str = ""

    def line(self, text: str | Text = "") -> None:
        """One line: filled to the width of a terminal, left whole in a pipe."""
        self.console.print(text, markup=False, soft_wrap=not self.console.is_terminal)

    def show(self, message: Message) -> None:
        """One message, its speaker named unless it is the game."""
        if message.text == self.own_rules:
            self.rules(message.text)
        elif message.sender == NOTE:
            self.line(Text(message.text, "dim"))
        elif message.sender == "game":
            self.line(self.coloured(message.text))
        else:
            who = "you" if message.sender == self.own else message.sender
            said = Text(f"[{who}] ", self.colour(message.sender))
            self.line(said + Text(message.text))

    def rules(self, text: str, title: str = "rules") -> None:
        if self.console.is_terminal:
            self.console.print(
                Panel(Text(text), title=title, title_align="left", border_style="dim")
            )
        else:
            self.line(text)

    def seats(self, name: str, seed: int, seats: Mapping[Role, str]) -> None:
        """The head: the game, its deal, who sits where."""
        self.line(Text.assemble((name, "bold"), (f"   deal {seed}", "dim")))
        width = max(map(len, seats))
        for role, who in seats.items():
            self.line(Text.assemble("  ", (f"{role:{width}}", self.colour(role)), f"  {who}"))

    def answer(self, role: Role, action: Action, chances: Mapping[str, float] | None) -> None:
        """What a player says, and what else it might have said."""
        if action.private:
            self.line(Text(f"  {role} thinks: {action.private}", "dim italic"))
        said = Text.assemble(("> ", "bold"), (role, self.colour(role)), f": {action.text}")
        if chances is not None:
            said.append(f"   ({percentages(chances)})", "dim")
        self.line(said)

    def colour(self, role: Role) -> str:
        if role == "referee":
            return "bold red"
        at = self.roles.index(role) if role in self.roles else 0
        return f"bold {COLOURS[at % len(COLOURS)]}"

    def coloured(self, text: str) -> Text:
        """The game's words with the names of roles in their colours."""
        shown = Text(text)
        for role in self.roles:
            shown.highlight_regex(rf"\b{re.escape(role)}\b", self.colour(role))
        return shown


@dataclass(slots=True)
class Feed:
    """What one role has been shown of its view: nothing twice, nothing left out.

    The referee's notices are not in the view of the bare game, so the two are counted apart.
    """

    screen: Screen
    role: Role
    shown: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})

    def news(self, view: View) -> View:
        """The messages of ``view`` that were not shown before; they count as shown from now on."""
        seen = {False: 0, True: 0}
        fresh: list[Message] = []
        for message in view:
            notice = message.sender == "referee"
            seen[notice] += 1
            if seen[notice] > self.shown[notice]:
                fresh.append(message)
        self.shown = {kind: max(self.shown[kind], n) for kind, n in seen.items()}
        return tuple(fresh)

    def tell(self, state: State) -> None:
        """Show what a new position shows this role."""
        self.tell_view(self.role, state.observe(self.role).messages)

    def tell_view(self, role: Role, view: View) -> None:
        """Show what is new in this role's own view; those of others are not shown."""
        if role == self.role:
            for message in self.news(view):
                self.screen.show(message)


@dataclass(slots=True)
class Waiting:
    """Says on a terminal whose answer is awaited."""

    screen: Screen
    status: Status | None = None

    def tell(self, state: State) -> None:
        self.stop()
        others = [role for role in state.to_act if role != self.screen.own]
        if others and len(others) == len(state.to_act) and self.screen.console.is_terminal:
            self.status = self.screen.console.status(f"{', '.join(others)} to answer ...")
            self.status.start()

    def stop(self) -> None:
        if self.status:
            self.status.stop()
            self.status = None
