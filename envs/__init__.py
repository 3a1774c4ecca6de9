"""Games: rules, what each role sees, the PettingZoo view, exact solvers. No torch here."""

from sparring.envs.core import (
    Action,
    BadInput,
    Declaration,
    Episode,
    Game,
    IllegalAction,
    Message,
    Observation,
    Role,
    SolvableGame,
    State,
    Sum,
    Turn,
    Void,
)
from sparring.envs.referee import Refereed
from sparring.envs.registry import GAMES, game, games, make, publish_all, register, unregister

publish_all()

__all__ = [
    "GAMES",
    "Action",
    "BadInput",
    "Declaration",
    "Episode",
    "Game",
    "IllegalAction",
    "Message",
    "Observation",
    "Refereed",
    "Role",
    "SolvableGame",
    "State",
    "Sum",
    "Turn",
    "Void",
    "game",
    "games",
    "make",
    "register",
    "unregister",
]
