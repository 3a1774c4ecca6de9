"""What a batch of games looks like, over the seats that learn."""

from collections.abc import Sequence

from sparring.envs.core import Episode, Role
from sparring.training.core import Metrics, Sample


def summary(samples: Sequence[Sample]) -> Metrics:
    """Reward by role (mean; with the game's name where there are several), the share of games won
    by each part, share of legal answers, forfeits a game, answers a game and tokens an answer;
    "games": how many episodes."""
    by_game: dict[str, list[Sample]] = {}
    for sample in samples:
        by_game.setdefault(sample.episode.game, []).append(sample)
    found: Metrics = {"games": float(len(_episodes(samples)))}
    for game, own in by_game.items():
        mark = f"{game}/" if len(by_game) > 1 else ""
        found |= {f"reward/{mark}{role}": mean for role, mean in _by_role(own).items()}
        found |= {f"wins/{mark}{part}": share for part, share in _wins(own).items()}
    found |= _answers(samples)
    if len(by_game) > 1:
        for game, own in by_game.items():
            found |= {f"{name}/{game}": x for name, x in _answers(own).items()}
    return found


def _episodes(samples: Sequence[Sample]) -> list[Episode]:
    return list({id(s.episode): s.episode for s in samples}.values())


def _by_role(samples: Sequence[Sample]) -> dict[Role, float]:
    by_role: dict[Role, list[float]] = {}
    for sample in samples:
        by_role.setdefault(sample.role, []).append(sample.reward)
    return {role: sum(own) / len(own) for role, own in sorted(by_role.items())}


def _wins(samples: Sequence[Sample]) -> dict[str, float]:
    """Of the games of each part, the share in which nobody got more and somebody lost (a payoff
    below 0): 0 throughout where a game has no losers."""
    by_part: dict[str, list[bool]] = {}
    for sample in samples:
        paid = sample.episode.payoffs
        best, worst = max(paid.values()), min(paid.values())
        won = paid[sample.role] == best and worst < min(best, 0)
        by_part.setdefault(sample.part, []).append(won)
    return {part: sum(own) / len(own) for part, own in sorted(by_part.items())}


def _answers(samples: Sequence[Sample]) -> Metrics:
    episodes = _episodes(samples)
    turns = [turn for sample in samples for turn in sample.turns]
    some = max(len(turns), 1)
    return {
        "legal": sum(turn.accepted for turn in turns) / some,
        "forfeits": sum(bool(e.forfeits) for e in episodes) / len(episodes),
        "turns": len(turns) / len(episodes),
        "answer_tokens": sum(len(turn.action.tokens) for turn in turns) / some,
    }
