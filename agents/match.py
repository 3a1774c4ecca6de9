"""Two agents against each other: both seatings, the same deals for both, honest intervals.

Each deal is played twice, with the seats exchanged, so that good cards help both agents alike
(a *duplicate* match). The two games of a deal are not independent: intervals count deals, never
games.
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sparring.agents.arena.estimates import Estimate, estimate
from sparring.agents.core import Agent
from sparring.agents.play import Match, play_many
from sparring.envs.core import BadInput, Episode, Game, Role


@dataclass(frozen=True, slots=True)
class Result:
    """What a match showed of its first agent.

    ``payoff``: its mean payoff a game over both seats, clustered by deal; ``opponent``: that of the
    second agent (the negative, in a zero-sum game). ``by_role``: of the first agent in each seat.
    ``legal``: share of legal answers of either agent. ``forfeits``: games that the first and the
    second agent forfeited. ``void``: games that did not count; the whole deal of such a game is
    left out of the estimates.
    """

    names: tuple[str, str]
    game: str
    games: int
    payoff: Estimate
    opponent: Estimate
    by_role: dict[Role, Estimate]
    legal: tuple[float, float]
    forfeits: tuple[int, int]
    void: int = 0


def fixtures(game: Game, first: Agent, second: Agent, games: int, seed: int) -> Iterator[Match]:
    """``games`` matches, two for each deal: the first agent in either seat."""
    luck = random.Random(f"match/{seed}")
    a, b = game.roles
    for _ in range(games // 2):
        deal = luck.getrandbits(63)
        for seats in ({a: first, b: second}, {a: second, b: first}):
            yield Match(game, seats, deal, luck.getrandbits(63))


async def match(
    game: Game,
    first: Agent,
    second: Agent,
    *,
    games: int,
    seed: int = 0,
    at_once: int = 1024,
    progress: Callable[[int], None] = lambda done: None,
) -> Result:
    """Play ``games`` games and say how the first agent did against the second.

    Raises:
        BadInput: the game is not for two, or ``games`` is not a positive even number.
    """
    check_match(game, games)
    episodes: dict[int, Episode] = {}
    planned = fixtures(game, first, second, games, seed)
    async for index, episode in play_many(planned, at_once=at_once):
        episodes[index] = episode
        progress(len(episodes))
    return result(game, (first.name, second.name), [episodes[i] for i in range(games)])


def check_match(game: Game, games: int) -> None:
    """A match of ``games`` games can be planned. Raises ``BadInput`` like ``match``."""
    if len(game.roles) != 2:
        raise BadInput(f"{game.name} has {len(game.roles)} roles; a match needs a game for two")
    if games < 2 or games % 2:
        raise BadInput(
            f"games must be an even number of at least 2, both seatings of each deal, not {games}"
        )


def result(game: Game, names: tuple[str, str], episodes: Sequence[Episode]) -> Result:
    """The statistics of episodes in the order of ``fixtures``.

    Raises:
        BadInput: no deal is left without a void game.
    """
    a, b = game.roles
    deal_pairs = zip(episodes[0::2], episodes[1::2], strict=True)
    counted = [(x, y) for x, y in deal_pairs if x.void is None and y.void is None]
    reasons = [e.void for e in episodes if e.void is not None]
    if not counted:
        raise BadInput(f"nothing to count: {len(reasons)} games were void ({reasons[0]})")
    as_a, as_b = [x for x, _ in counted], [y for _, y in counted]
    own = [a] * len(as_a), [b] * len(as_b)
    deals = [(x.payoffs[a] + y.payoffs[b]) / 2 for x, y in zip(as_a, as_b, strict=True)]
    theirs = [(x.payoffs[b] + y.payoffs[a]) / 2 for x, y in zip(as_a, as_b, strict=True)]
    seated = [*zip(as_a, own[0], strict=True), *zip(as_b, own[1], strict=True)]
    answers: tuple[list[bool], list[bool]] = [], []
    for episode, role in seated:
        for turn in episode.turns:
            answers[turn.role != role].append(turn.accepted)
    return Result(
        names=names,
        game=game.name,
        games=len(episodes),
        payoff=estimate(deals),
        opponent=estimate(theirs),
        by_role={
            a: estimate([e.payoffs[a] for e in as_a]),
            b: estimate([e.payoffs[b] for e in as_b]),
        },
        legal=(_share(answers[0]), _share(answers[1])),
        forfeits=(
            sum(role in e.forfeits for e, role in seated),
            sum(bool(set(e.forfeits) - {role}) for e, role in seated),
        ),
        void=len(reasons),
    )


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags) if flags else math.nan
