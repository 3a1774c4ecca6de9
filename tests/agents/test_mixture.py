"""A mixture of agents: one member a game, and the policy that this amounts to."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping

import pytest

from sparring.agents.exploitability.exact import measure
from sparring.agents.exploitability.mixture import behaviour
from sparring.agents.mixture import MixtureAgent
from sparring.agents.optimal import PolicyAgent
from sparring.agents.play import Match, play_all
from sparring.agents.random import RandomAgent
from sparring.agents.registry import agent
from sparring.envs import game
from sparring.envs.core import Action, Episode, Observation, Turn
from sparring.envs.solve import uniform, walk

KUHN = walk(game("KuhnPoker-v0"))
LONG = game("KuhnPoker-v0(hands=3)")


def always(name: str, *wanted: str) -> PolicyAgent:
    def choose(seen: Observation) -> Mapping[str, float]:
        return {next(answer for answer in wanted if answer in (seen.legal or ())): 1.0}

    return PolicyAgent(name, choose)


BOLD, TIMID = always("bold", "bet", "call"), always("timid", "check", "fold")


def episodes(number: int, **weights: float) -> list[Episode]:
    mixed = MixtureAgent("mixed", [(weights["bold"], BOLD), (weights["timid"], TIMID)])
    luck = random.Random(1)
    seats = dict.fromkeys(LONG.roles, mixed)
    deals = [(luck.getrandbits(63), luck.getrandbits(63)) for _ in range(number)]
    return asyncio.run(play_all(Match(LONG, seats, deal, own) for deal, own in deals))


def test_one_member_plays_a_game_from_its_first_turn_to_its_last() -> None:
    styles: Counter[tuple[str, ...]] = Counter()
    for episode in episodes(2000, bold=3, timid=1):
        game_of = []
        for role in LONG.roles:
            said = {turn.action.text for turn in episode.turns_of(role)}
            assert len(episode.turns_of(role)) >= 3
            assert said <= {"bet", "call"} or said <= {"check", "fold"}
            game_of.append("bold" if said <= {"bet", "call"} else "timid")
        styles[tuple(game_of)] += 1
    # each seat draws for itself: 9/16, 3/16, 3/16, 1/16 of the games
    for pair, share in {
        ("bold", "bold"): 9 / 16,
        ("bold", "timid"): 3 / 16,
        ("timid", "bold"): 3 / 16,
        ("timid", "timid"): 1 / 16,
    }.items():
        assert styles[pair] / 2000 == pytest.approx(share, abs=0.04)


def test_its_policy_is_the_equivalent_strategy() -> None:
    members = [(0.5, BOLD), (0.2, RandomAgent()), (0.3, agent("optimal:0.1", "KuhnPoker-v0"))]
    found = asyncio.run(measure(MixtureAgent("mixed", members), KUHN)).strategy
    tables = [
        KUHN.table(BOLD.choose),
        KUHN.table(uniform),
        KUHN.table(members[2][1].choose),  # type: ignore[attr-defined]
    ]
    wanted = behaviour(KUHN, tables, [0.5, 0.2, 0.3])
    for key, chances in wanted.items():
        assert {a: found[key].get(a, 0) for a in chances} == pytest.approx(dict(chances))


def test_answers_are_read_as_the_game_reads_them() -> None:
    """Who said "[Check]" is timid; what was refused says nothing."""
    mixed = MixtureAgent("mixed", [(1, BOLD), (1, TIMID)])
    first = next(o for o in KUHN.observations if not o.turns)
    second = next(o for o in KUHN.observations if o.turns)
    refused = Turn(first, Action("bet it all"), accepted=False)
    said = Turn(first, Action("I say [Check]."))

    async def ask(*turns: Turn) -> Mapping[str, float]:
        return await mixed.policy(second._replace(turns=turns))

    assert asyncio.run(ask(refused)) == {"call": 0.5, "fold": 0.5}
    assert asyncio.run(ask(refused, said)) == {"call": 0.0, "fold": 1.0}


def test_where_no_member_leads_the_weights_count() -> None:
    mixed = MixtureAgent("mixed", [(3, BOLD), (1, always("bolder", "bet", "fold"))])
    second = next(o for o in KUHN.observations if o.turns)  # after a check
    assert asyncio.run(mixed.policy(second)) == {"call": 0.75, "fold": 0.25}


def test_bad_mixtures() -> None:
    class Mute:
        name = "mute"

        async def act(self, observation: Observation) -> Action:
            return Action("bet")

    for members in ([], [(0.0, BOLD)], [(1.0, BOLD), (-1.0, TIMID)]):
        with pytest.raises(ValueError, match="weights are 0 or more and not all 0"):
            MixtureAgent("mixed", members)
    with pytest.raises(TypeError, match="mute has no policy"):
        asyncio.run(MixtureAgent("mixed", [(1, BOLD), (1, Mute())]).policy(KUHN.observations[0]))
