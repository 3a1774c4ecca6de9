"""Playing: one game, or many at once on one event loop.

An engine behind the agents sees every request that waits at the same moment and can batch them; no
game waits for another's long answer. What an agent does with its luck is fixed by
``(luck, role, turn)``, so a game can be played again answer for answer, whoever plays beside it.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sparring.agents.core import Agent
from sparring.envs.core import Action, Episode, Game, Observation, Role, Turn
from sparring.envs.referee import RETRIES, Refereed
from sparring.envs.specs import describe


@dataclass(frozen=True, slots=True)
class Match:
    """One game to be played: its deal (``seed``), who sits where, and the agents' luck.

    ``played``: turns that are played again as they were, in their order, before anybody is asked;
    so a game goes on from the middle of another.
    """

    game: Game
    seats: Mapping[Role, Agent]
    seed: int
    luck: int
    played: tuple[Turn, ...] = ()


async def play(match: Match, retries: int = RETRIES) -> Episode:
    """Play one game to its end.

    Raises:
        ValueError: a seat of the game has no agent, or the game cannot have begun as ``played``.
    """
    game = Refereed(match.game, retries)
    missing = [role for role in game.roles if role not in match.seats]
    if missing:
        raise ValueError(f"{game.name} has no agent in the seat of {', '.join(missing)}")
    state = game.start(match.seed)
    own: dict[Role, tuple[Turn, ...]] = dict.fromkeys(game.roles, ())
    turns: list[Turn] = []
    again = iter(match.played)
    while to_act := state.to_act:
        asked = [
            state.observe(role)._replace(
                turns=own[role],
                seed=random.Random(f"{match.luck}/{role}/{len(own[role])}").getrandbits(63),
            )
            for role in to_act
        ]
        actions = _again(asked, again)
        fresh = asked[len(actions) :]
        if len(fresh) == 1:
            actions.append(await match.seats[fresh[0].role].act(fresh[0]))
        elif fresh:
            actions += await asyncio.gather(*(match.seats[o.role].act(o) for o in fresh))
        state = state.step({o.role: a.text for o, a in zip(asked, actions, strict=True)})
        for observation, action in zip(asked, actions, strict=True):
            role = observation.role
            turn = Turn(observation, action, accepted=role not in state.rejected)
            own[role] = (*own[role], turn)
            turns.append(turn)
        for late in set(state.rejected) - set(to_act):
            # its answer had waited for another's retry; the rules came to it only now
            at = max(i for i, turn in enumerate(turns) if turn.role == late)
            turns[at] = replace(turns[at], accepted=False)
            own[late] = (*own[late][:-1], turns[at])
    return Episode(
        game=describe(match.game),
        seed=match.seed,
        turns=tuple(turns),
        payoffs=dict(state.payoffs),
        seats={role: match.seats[role].name for role in game.roles},
        views={role: state.observe(role).messages for role in game.roles},
        forfeits=state.forfeits,
        void=state.void,
        parts=dict(state.parts),
        outcome=dict(state.outcome),
    )


def _again(asked: Sequence[Observation], again: Iterator[Turn]) -> list[Action]:
    """What those asked said before, as far as it goes."""
    actions = []
    for observation, turn in zip(asked, again, strict=False):
        if turn.role != observation.role:
            raise ValueError(f"the game asks {observation.role}, but {turn.role} spoke next")
        actions.append(turn.action)
    return actions


async def play_many(
    matches: Iterable[Match], *, at_once: int = 1024, retries: int = RETRIES
) -> AsyncIterator[tuple[int, Episode]]:
    """Play many games, ``at_once`` of them at a time; yields (index, episode) as they end.

    If a game fails, the others are cancelled and its error is raised.
    """
    if at_once < 1:
        raise ValueError(f"at_once must be at least 1, not {at_once}")
    queue = enumerate(matches)
    running: dict[asyncio.Task[Episode], int] = {}

    def fill() -> None:
        while len(running) < at_once and (following := next(queue, None)) is not None:
            index, match = following
            running[asyncio.ensure_future(play(match, retries))] = index

    try:
        fill()
        while running:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in sorted(done, key=lambda task: running[task]):
                index = running.pop(task)
                yield index, task.result()
            fill()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def play_all(
    matches: Iterable[Match], *, at_once: int = 1024, retries: int = RETRIES
) -> list[Episode]:
    """Play many games and return their episodes in the order of ``matches``."""
    ended = [pair async for pair in play_many(matches, at_once=at_once, retries=retries)]
    return [episode for _, episode in sorted(ended, key=lambda pair: pair[0])]
