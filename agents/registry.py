"""Agents by name. Every command understands the same short strings:

random              any legal answer, equally likely
optimal             perfect play, where it is known; optimal:0.2 another of Kuhn's equilibria,
                    optimal:lowest the TicTacToe player that takes the lowest of equal cells
human               a person at this terminal
run:runs/kuhn       a trained run, newest checkpoint; run:runs/kuhn@50 that of step 50
hf:PATH-OR-ID       a transformers model from a folder or a hub
openai:MODEL        a model on a server, at OPENAI_BASE_URL or OpenAI; openai:MODEL@http://host/v1
                    at that address
"""

from collections.abc import Callable
from pathlib import Path

from sparring.agents.core import Agent
from sparring.agents.human import HumanAgent
from sparring.agents.optimal import optimal
from sparring.agents.random import RandomAgent
from sparring.agents.runs import MODEL, find_checkpoint, step_of
from sparring.envs.core import BadInput

AGENTS: dict[str, Callable[[str, str], Agent]] = {
    "random": lambda argument, game: RandomAgent(),
    "optimal": lambda argument, game: optimal(game, argument),
    "human": lambda argument, game: HumanAgent(),
    "run": lambda argument, game: _trained(argument),
    "hf": lambda argument, game: _model(f"hf:{argument}", argument),
    "openai": lambda argument, game: _served(argument),
}
"""Kind to a factory of (what stands after the colon, game name)."""

LOCAL = ("run", "hf")
"""Kinds that load a model into this process."""

MODELS = (*LOCAL, "openai")
"""Kinds that are a model: they need an argument, and are the same in every game."""

_MAY_HAVE_ARGUMENT = (*MODELS, "optimal")


def is_model(name: str) -> bool:
    """Whether the agent of this name is a model, the same in every game."""
    return name.partition(":")[0] in MODELS


def is_local(name: str) -> bool:
    """Whether the agent of this name is a model that is loaded into this process."""
    return name.partition(":")[0] in LOCAL


def agent(name: str, game: str) -> Agent:
    """The agent that ``name`` stands for, ready to play ``game``.

    Raises:
        BadInput: no such kind of agent, or what it names cannot be loaded.
    """
    kind, colon, argument = name.partition(":")
    allowed = (bool(argument) and kind in _MAY_HAVE_ARGUMENT) or (not colon and kind not in MODELS)
    if kind not in AGENTS or not allowed:
        raise BadInput(
            f"no agent {name!r}; agents are: random, optimal, human, run:DIR[@STEP], hf:PATH, "
            "openai:MODEL[@URL]"
        )
    return AGENTS[kind](argument, game)


def pinned(name: str) -> str:
    """The same agent by a name that does not move: of a run its newest checkpoint now, by step.

    Raises:
        BadInput: there is no such run or checkpoint.
    """
    kind, _, argument = name.partition(":")
    if kind != "run" or not argument:
        return name
    run, folder = _checkpoint(argument)
    return f"run:{run}@{step_of(folder)}"


def _checkpoint(argument: str) -> tuple[Path, Path]:
    """The run and the folder of the checkpoint in ``run:ARGUMENT``."""
    run, at, step = argument.rpartition("@")
    if at and not step.isdecimal():
        raise BadInput(f"the step in run:{argument} is a whole number, as in run:runs/kuhn@50")
    path = Path(run if at else argument)
    return path, find_checkpoint(path, int(step) if at else None)


def _trained(argument: str) -> Agent:
    _, folder = _checkpoint(argument)
    return _model(f"run:{argument}", str(folder / MODEL))


def _model(name: str, path: str) -> Agent:
    from sparring.agents.engines.core import Sampling  # torch is imported only where it is used
    from sparring.agents.pretrained import load_model, player

    model, tokenizer = load_model(path)
    return player(name, model, tokenizer, Sampling(max_tokens=256))[0]


def _served(argument: str) -> Agent:
    from sparring.agents.addresses import served

    return served(argument)
