"""What cannot be run on Ray, and what a process there is built from."""

from dataclasses import replace

from sparring.envs.core import BadInput
from sparring.training.config import RunConfig, SelfPlayConfig
from sparring.training.group import Group
from sparring.training.opponents.league import League
from sparring.training.opponents.lodging import lodges
from sparring.training.opponents.nash import Nash
from sparring.training.opponents.pooled import Pooled
from sparring.training.selfplay import SelfPlay


def without_engine(config: RunConfig) -> RunConfig:
    """The options of a process that does not generate: no vLLM is started in it."""
    return replace(config, engine="local") if isinstance(config, SelfPlayConfig) else config


def check(loop: SelfPlay, staleness: int, group: Group) -> None:
    """Raises ``BadInput`` where opponents need a model that is whole where it learns, or cannot be
    met while learning goes on."""
    every = loop.opponents.within()
    pooled = any(isinstance(one, Pooled | League) for one in every)
    lodging = pooled and any(lodges(player) for player in loop.players.values())
    if group.size > 1 and (lodging or any(isinstance(one, Nash) for one in every)):
        raise BadInput(
            "with several --learners no model is whole where it learns, and these opponents need "
            "one: past selves with LoRA, and the Nash mixture; use one learner for them"
        )
    if staleness and any(isinstance(one, League | Nash) for one in every):
        raise BadInput(
            "--staleness is not for these opponents: a league and PSRO begin players anew, and "
            "games that are under way would be those of another player; use --staleness 0"
        )
