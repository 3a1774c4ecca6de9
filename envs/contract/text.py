"""The part of the contract about what players say, to the game and through PettingZoo."""

import math
import random
from collections.abc import Mapping

from sparring.envs.aec import TextEnv, transcript
from sparring.envs.contract.positions import FEW, SEEDS, Position, junk, must, offers, plays, short
from sparring.envs.core import Game, Message, Role
from sparring.envs.referee import RefereedState


def legal_answers(game: Game) -> str:
    """What is offered is accepted, in other case or marked in a sentence too; two at once not."""
    for here in plays(game, FEW):
        for role in here.state.to_act:
            seen, rest = here.state.observe(role), here.some_answers()
            for example in seen.examples:
                said = here.step({**rest, role: example})
                said.must(role not in said.state.rejected, f"{role}'s example is refused")
            legal = seen.legal or ()
            for answer in legal[:40]:
                plain = here.step({**rest, role: answer})
                plain.must(role not in plain.state.rejected, f"{role}'s legal answer is refused")
                for wording in _wordings(answer):
                    worded = here.step({**rest, role: wording})
                    worded.must(worded.look == plain.look, f"this is not taken as {answer!r}")
            if len(legal) > 1 and not any(set("[]") & set(answer) for answer in legal):
                both = here.step({**rest, role: f"[{legal[0]}] or [{legal[-1]}]"})
                both.must(role in both.state.rejected, "an answer with two readings is accepted")
    return f"{len(FEW)} random games"


def _wordings(answer: str) -> tuple[str, ...]:
    same = (answer.upper(), answer.lower(), f"  {answer}\n")
    if set("[]") & set(answer):
        return same
    return (*same, f"[{answer}]", f"because of X\nI say [ {answer.title()} ]!")


def any_text(game: Game) -> str:
    """No text raises; a refused one reaches nobody else; speech is shown as the speaker's own."""
    for here in plays(game, FEW):
        for role in here.state.to_act if not here.state.strikes else ():
            seen, rest = here.state.observe(role), here.some_answers()
            legal = seen.legal
            readings = [here.step({**rest, role: answer}).look for answer in legal or ()]
            for text in junk(game, seen):
                after = here.step({**rest, role: text})
                if others := set(after.state.rejected) - {role}:
                    # what others said freely may be at odds with this answer; a listed one never is
                    free = all(here.state.observe(other).legal is None for other in others)
                    after.must(free, f"not {role} but {', '.join(others)} is refused")
                elif after.state.rejected:
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
    """Play one game, with the bare game beside it; all that was seen and paid."""
    rng = random.Random(seed)
    env.reset(seed=seed)
    here, said = env.state_of_play, dict[Role, str]()
    got, shown = dict.fromkeys(here.game.roles, 0.0), dict.fromkeys(here.game.roles, "")
    log: list[object] = []
    for agent in env.agent_iter(4 * len(got) * (here.game.declares.max_turns + 2)):
        _, reward, over, cut, _ = env.last()
        must(cut == (here.void is not None), "only a void game is truncated", where)
        together = (over or cut) == (not here.to_act)
        must(together, "the game and the environment do not end together", where)
        got[agent] += reward
        shown = _shown(env, here, shown, where)
        legal = {role: here.observe(role).legal for role in env.agents}
        for role, info in env.infos.items():
            expected = legal[role] if role not in said else ()
            must(info["legal_actions"] == expected, f"{role}'s legal answers are others", where)
        log.append((agent, reward, shown))
        if over or cut:
            env.step(None)
            continue
        seen = here.observe(agent)
        words = junk(env.game, seen) if rng.random() < wild else offers(seen)
        said[agent] = rng.choice(words)
        env.step(said[agent])
        if set(said) == set(here.to_act):
            here, said = here.step(said), {}
    must(not env.agents, "the game does not end", where)
    paid = here.payoffs
    same = all(math.isclose(paid[role], got[role], abs_tol=1e-9) for role in got)
    must(same, f"rewards add up to {got}, payoffs are {dict(paid)}", where)
    for action in ("too late", None):
        env.step(action)
        late = env.agents or any(env.rewards.values())
        must(not late, "a step after the end changes something", where)
        _shown(env, here, shown, where)
    return [*log, got]


def _shown(
    env: TextEnv, here: RefereedState, shown: Mapping[Role, str], where: str
) -> dict[Role, str]:
    now = {role: env.observe(role)["text"] for role in env.possible_agents}
    for role, text in now.items():
        must(text.startswith(shown[role]), f"the text that {role} sees does not only grow", where)
        same = text == transcript(here.observe(role).messages)
        must(same, f"{role} does not see what it sees in the bare game", where)
    return now
