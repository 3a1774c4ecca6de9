"""A league: a main player, and exploiters that look for what is wrong with it.

The main player meets itself and past selves by prioritised fictitious self-play (PFSP); a main
exploiter meets the main player, a league exploiter everybody (AlphaStar, Vinyals et al. 2019, in
small). Each has weights of its own, and all learn in one run. docs/recipes/league.md.
"""

from dataclasses import dataclass
from pathlib import Path

from sparring.agents.runs import ONLY_PLAYER
from sparring.envs.core import BadInput
from sparring.envs.registry import game
from sparring.training.advantages.keys import player_game_and_role
from sparring.training.advantages.rae import RAE
from sparring.training.assembly import learn_language, mixture_of, new_players
from sparring.training.config import SelfPlayConfig
from sparring.training.experiment import Experiment
from sparring.training.methods.policy_gradient import PolicyGradient
from sparring.training.opponents.league import League
from sparring.training.opponents.matchmaking import Kind
from sparring.training.opponents.pool import Pool
from sparring.training.selfplay import SelfPlay


@dataclass(frozen=True, kw_only=True)
class Config(SelfPlayConfig):
    """Options of `sparring train league`."""

    game: str = "KuhnPoker-v0"
    """Any registered game of two roles."""
    main_exploiters: int = 1
    """Players that only look for what beats the main player."""
    league_exploiters: int = 1
    """Players that look for what beats the whole league."""
    soonest: int = 10
    """Updates after which a player that beats its targets joins the pool as a past self."""
    latest: int = 20
    """Updates after which it does in any case."""
    capacity: int = 50
    """Past selves in the pool at most."""
    steps: int = 120
    games: int = 3072

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.main_exploiters, self.league_exploiters) < 0:
            raise BadInput("main-exploiters and league-exploiters are at least 0")


def kinds(config: Config) -> dict[str, Kind]:
    """The players of the league by name; the main one is the run's own: ``run:DIR`` plays it."""
    found: dict[str, Kind] = {ONLY_PLAYER: "main"}
    found |= {f"main-exploiter-{i + 1}": "main_exploiter" for i in range(config.main_exploiters)}
    more = range(config.league_exploiters)
    return found | {f"league-exploiter-{i + 1}": "league_exploiter" for i in more}


def build(config: Config, checkpoint: Path | None = None) -> Experiment:
    """The whole experiment, at its start or with the weights of a checkpoint."""
    rules = game(config.game)
    roster = kinds(config)
    players = new_players([rules], config, list(roster), checkpoint)
    pool = Pool(players, capacity=config.capacity)
    loop = SelfPlay(
        mixture=mixture_of([rules]),
        players=players,
        method=PolicyGradient(RAE(key=player_game_and_role)),
        opponents=League(pool, roster, soonest=config.soonest, latest=config.latest),
        steps=config.steps,
        games_a_step=config.games,
        seed=config.seed,
    )
    main = players[ONLY_PLAYER]
    return Experiment(loop, lambda: learn_language(main, [rules], config), config.stage_one_steps)
