"""Messages that games write: public, private, and what a player said in its own words."""

from collections.abc import Iterable

from sparring.envs.core import Game, Message, Role, View


def public(text: str) -> Message:
    """The game tells everybody."""
    return Message("game", text)


def private(text: str, *roles: Role) -> Message:
    """The game tells ``roles`` only."""
    return Message("game", text, frozenset(roles))


def speech(role: Role, text: str, to: Iterable[Role] | None = None) -> Message:
    """What ``role`` said, to all or to ``to`` (the speaker always sees its own words)."""
    return Message(role, text.strip(), None if to is None else frozenset({role, *to}))


def rules_first(game: Game) -> View:
    """The rules as each role reads them, privately: the first messages of every game."""
    return tuple(private(game.rules(role), role) for role in game.roles)
