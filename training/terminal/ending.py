"""How a game ended: who won what, who was what, what the others saw."""

from collections.abc import Mapping

from rich.text import Text

from sparring.envs.core import Episode, Game, Role
from sparring.training.terminal.screen import Screen


def ending(screen: Screen, game: Game, episode: Episode, names: Mapping[Role, str]) -> None:
    """Payoffs of all seats, with their agents and hidden parts; forfeits; the game's own measures.

    ``names``: of the agents; a role that is not among them is the person's.
    """
    screen.line()
    screen.line(Text("The end", "bold"))
    if episode.void is not None:
        screen.line(f"This game does not count: {episode.void}")
    width = max(map(len, game.roles))
    wide = max(len(names.get(role, "you")) for role in game.roles)
    for role, payoff in episode.payoffs.items():
        part = f"  was {episode.parts[role]}" if role in episode.parts else ""
        lost = "  forfeited" if role in episode.forfeits else ""
        who = f"{names.get(role, 'you'):{wide}}"
        line = Text.assemble("  ", (f"{role:{width}}", screen.colour(role)), f"  {who}")
        screen.line(line + Text(f"  {payoff:+g}{part}{lost}"))
    for name, value in episode.outcome.items():
        screen.line(f"  {name.replace('_', ' ')}: {value:g}")


def reveal(screen: Screen, game: Game, episode: Episode) -> None:
    """What each other role was shown that the person was not; of watched agents, all private."""
    own = episode.views[screen.own] if screen.own else ()
    for role, view in episode.views.items():
        if role == screen.own:
            continue
        unseen = [m for m in view if m not in own and m.text != game.rules(role)]
        if screen.own is None:
            unseen = [m for m in unseen if m.to is not None]
        screen.line(Text(f"{role} alone saw" if unseen else f"{role} saw no more", "bold"))
        for message in unseen:
            screen.show(message)
