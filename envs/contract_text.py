"""The part of the contract about what players say, to the game and through PettingZoo."""

import math
import random
from collections.abc import Mapping

from sparring.envs.aec import TextEnv
from sparring.envs.core import Game, Message, Role
from sparring.envs.positions import FEW, SEEDS, SPEECH, Position, junk, must, plays, short


def legal_answers(game: Game) -> str:
    """Legal answers are accepted, also in other case or marked in a sentence; two at once not."""
    for here in plays(game, FEW):
        for role in here.state.to_act:
            legal, rest = here.state.observe(role).legal or (), here.some_answers()
            for answer in legal[:40]:
                plain = here.step({**rest, role: answer})
                plain.must(plain.state.rejected is None, f"{role}'s legal answer is refused")
                for wording in _wordings(answer):
                    worded = here.step({**rest, role: wording})
                    worded.must(worded.look == plain.look, f"this is not taken as {answer!r}")
            if len(legal) > 1 and not any(set("[]") & set(answer) for answer in legal):
                both = here.step({**rest, role: f"[{legal[0]}] or [{legal[-1]}]"})
                both.must(both.state.rejected == role, "an answer with two readings is accepted")
    return f"{len(FEW)} random games"


def _wordings(answer: str) -> tuple[str, ...]:
    same = (answer.upper(), answer.lower(), f"  {answer}\n")
    if set("[]") & set(answer):
        return same
    return (*same, f"[{answer}]", f"because of X\nI say [ {answer.title()} ]!")


def any_text(game: Game) -> str:
    """No text raises; a refused one reaches nobody else; speech is shown as the speaker's own."""
    for here in plays(game, FEW):
        for role in here.state.to_act:
            legal, rest = here.state.observe(role).legal, here.some_answers()
            readings = [here.step({**rest, role: answer}).look for answer in legal or ()]
            for text in junk(game, legal):
                after = here.step({**rest, role: text})
                if after.state.rejected is not None:
                    after.must(after.state.rejected == role, f"{after.state.rejected} is refused")
                    _refused(here, after, role, told=0)
                    _refused(here, here.step({**rest, role: text}, retries=0), role, told=1)
                elif legal is None:
                    _spoken(here, after, role, text)
                else:
                    after.must(after.look in readings, "accepted, but not as a legal answer")
    return f"all kinds of junk at every turn of {len(FEW)} random games"


def _refused(here: Position, after: Position, role: Role, told: int) -> None:
    """The offender sees one line more, why; others ``told`` lines, that it forfeits."""
    for other in here.roles:
        new, expected = after.after(here, other), 1 if other == role else told
        after.must(len(new) == expected, f"{other} sees {len(new)} lines after {role} is refused")
        if told and other != role:
            line = Message("referee", f"{role} forfeits the game.", new[0].to)
            after.must(new[0] == line, f"{other} sees of the forfeit: {short(new[0].text)}")


def _spoken(here: Position, after: Position, role: Role, text: str) -> None:
    for other in here.roles:
        for m in after.after(here, other):
            forged = bool(text.strip()) and text in m.text and m.sender != role
            after.must(not forged, f"{other} sees the words of {role} as said by {m.sender}")


def pettingzoo(game: Game) -> str:
    """As a PettingZoo environment: rewards add up to payoffs, text only grows, resets are whole."""
    used = TextEnv(game)
    for seed in SEEDS:
        for wild in (0.0, 0.5):
            used.reset(seed=seed + 1)
            used.step("left in the middle of a game")
            where = f"env.reset(seed={seed}), junk with probability {wild}"
            first, again = (_episode(env, seed, wild, where) for env in (TextEnv(game), used))
            must(first == again, "a used environment plays another game than a new one", where)
    return f"{2 * len(SEEDS)} random games, half of them with illegal answers"


def _episode(env: TextEnv, seed: int, wild: float, where: str) -> list[object]:
    """Play one game; all that was seen and paid."""
    rng = random.Random(seed)
    env.reset(seed=seed)
    roles = env.possible_agents
    log: list[object] = []
    got, shown = dict.fromkeys(roles, 0.0), dict.fromkeys(roles, "")
    for agent in env.agent_iter(4 * len(roles) * (env.game.declares.max_turns + 2)):
        _, reward, over, cut, info = env.last()
        legal, to_act = info["legal_actions"], env.state_of_play.to_act
        must(not cut, "the game is truncated", where)
        got[agent] += reward
        shown = _grown(env, shown, where)
        log.append((agent, reward, over, legal, shown))
        idle = [role for role in env.agents if role not in to_act]
        none = all(env.infos[role]["legal_actions"] == () for role in idle)
        must(none, f"one of {idle} is not to act but has legal answers", where)
        if over:
            env.step(None)
        else:
            words = junk(env.game, legal) if rng.random() < wild else legal or SPEECH
            env.step(rng.choice(words))
    must(not env.agents, "the game does not end", where)
    paid = env.state_of_play.payoffs
    same = all(math.isclose(paid[role], got[role], abs_tol=1e-9) for role in roles)
    must(same, f"rewards add up to {got}, payoffs are {dict(paid)}", where)
    for action in ("too late", None):
        env.step(action)
        fit = _grown(env, shown, where) == shown and not any(env.rewards.values())
        must(fit and not env.agents, "a step after the end changes something", where)
    return [*log, got]


def _grown(env: TextEnv, shown: Mapping[Role, str], where: str) -> dict[Role, str]:
    now = {role: env.observe(role)["text"] for role in env.possible_agents}
    for role, text in now.items():
        must(text.startswith(shown[role]), f"the text that {role} sees does not only grow", where)
    return now
