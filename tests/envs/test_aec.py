"""The PettingZoo view. What holds for every game is in the contract; here is how it behaves."""

from typing import Any

import pytest
from gymnasium.spaces import Dict
from hypothesis import given, settings
from hypothesis import strategies as st

from sparring.envs import make
from sparring.envs.aec import TextEnv, transcript
from sparring.envs.core import Message, Sum, Void
from sparring.envs.games.kuhn import KuhnPoker, KuhnState
from sparring.envs.spaces import AnyText

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates too


def started(seed: int = 0, **options: Any) -> TextEnv:
    env = make("KuhnPoker-v0", **options)
    env.reset(seed=seed)
    return env


def test_one_game() -> None:
    env = started()
    assert env.rewards == {"player_0": 0.0, "player_1": 0.0}
    text = env.last()[0]["text"]
    assert text.startswith("Kuhn poker. You are player_0.")
    assert text.splitlines()[-1].startswith("Your card: ")
    assert env.last()[4] == {"legal_actions": ("check", "bet")}
    assert env.infos["player_1"] == {"legal_actions": ()}
    env.step("I [bet].")
    assert env.agent_selection == "player_1"
    assert env.last()[0]["text"].splitlines()[-1] == "player_0: bet"
    assert env.last()[4] == {"legal_actions": ("call", "fold")}
    env.step("fold")
    assert env.terminations == {"player_0": True, "player_1": True}
    assert env.truncations == {"player_0": False, "player_1": False}
    assert env.rewards == {"player_0": 1.0, "player_1": -1.0}
    paid = {}
    for agent in env.agent_iter():
        observation, paid[agent], over, _, _ = env.last()
        assert observation["text"].splitlines()[-1] == "player_0 wins 1."  # not a stale view
        assert over
        env.step(None)
    assert paid == {"player_0": 1.0, "player_1": -1.0}
    assert env.agents == []


def test_a_void_game_is_truncated_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(state: KuhnState, answers: object) -> KuhnState:
        raise Void("the judge is asleep")

    env = started()
    monkeypatch.setattr(KuhnState, "step", step)
    env.step("bet")
    assert env.truncations == {"player_0": True, "player_1": True}
    assert env.terminations == {"player_0": False, "player_1": False}
    assert env.rewards == {"player_0": 0.0, "player_1": 0.0}
    for agent in env.agent_iter():
        assert env.last()[4] == {"legal_actions": (), "void": "the judge is asleep"}, agent
        env.step(None)
    assert env.agents == []


def test_steps_after_the_end_change_nothing() -> None:
    env = started()
    for action in ("bet", "fold", None, None, None, "more", None):
        env.step(action)
    assert env.agents == []
    assert env.observe("player_0")["text"].splitlines()[-1] == "player_0 wins 1."


def test_a_dead_agent_may_be_stepped_with_anything() -> None:
    """Loops that do not look at ``termination`` get through too."""
    env = started()
    for _ in env.agent_iter():
        env.step("bet" if env.agent_selection == "player_0" else "fold")
    assert env.agents == []


def test_an_illegal_answer_is_tried_again_then_a_forfeit() -> None:
    env = started()
    env.step("mumble")
    assert env.agent_selection == "player_0"
    assert env.rewards == {"player_0": 0.0, "player_1": 0.0}
    assert env.observe("player_0")["text"].splitlines()[-1].startswith("referee: That reply")
    env.step("mumble")
    assert env.rewards == {"player_0": -2.0, "player_1": 2.0}
    assert (
        env.observe("player_1")["text"].splitlines()[-1] == "referee: player_0 forfeits the game."
    )


def test_retries_can_be_set() -> None:
    env = started(retries=0)
    env.step("mumble")
    assert all(env.terminations.values())


@pytest.mark.parametrize("action", [None, 1, b"bet", ["bet"]])
def test_a_live_agents_action_is_text(action: Any) -> None:
    with pytest.raises(TypeError, match="an action is a string"):
        started().step(action)


# --- several at once


def test_simultaneous_answers_stay_hidden_until_all_are_in(toys: Any) -> None:
    env = TextEnv(toys.three)
    env.reset(seed=0)
    before = {role: env.observe(role) for role in env.agents}
    for said, (role, text) in enumerate(zip(env.agents, "hht", strict=True)):
        assert env.agent_selection == role
        offered = [r for r in env.agents if env.infos[r]["legal_actions"]]
        assert offered == env.agents[said:]
        assert {r: env.observe(r) for r in env.agents} == before
        env.step(text)
    assert env.observe("player_0")["text"].splitlines()[-1] == "h, h, t"
    assert env.rewards == {"player_0": 1.0, "player_1": 1.0, "player_2": -2.0}


def test_simultaneous_retry_asks_only_who_must(toys: Any) -> None:
    env = TextEnv(toys.three)
    env.reset(seed=0)
    for text in ("h", "mumble", "t"):
        env.step(text)
    assert env.agent_selection == "player_1"
    assert [r for r in env.agents if env.infos[r]["legal_actions"]] == ["player_1"]
    env.step("h")
    assert all(env.terminations.values())


def test_rewards_add_up_where_payoffs_do_not_start_at_zero(toys: Any) -> None:
    cells = {("a", "a"): (3.0, 7.0), ("b", "b"): (10.0, 0.0)}
    env = TextEnv(toys.Matrix(cells, Sum.CONSTANT, 10.0, paid_at_start=5.0))
    env.reset(seed=0)
    env.step("a")
    env.step("a")
    assert env.rewards == {"player_0": 3.0, "player_1": 7.0}


# --- seeds


def deals(env: TextEnv, first: int | None) -> list[Any]:
    found = []
    for seed in (first, None, None, None):
        env.reset(seed=seed)
        found.append(env.state_of_play.inner.deals)
    return found


def test_a_seed_fixes_its_game_and_the_following_ones() -> None:
    env = make("KuhnPoker-v0", hands=5)
    first = deals(env, 7)
    assert deals(env, 7) == first == deals(make("KuhnPoker-v0", hands=5), 7)
    assert deals(env, 8) != first
    assert len({tuple(deal) for deal in first}) == 4  # and they are four games


def test_without_a_seed_games_differ() -> None:
    one, two = make("KuhnPoker-v0", hands=20), make("KuhnPoker-v0", hands=20)
    assert deals(one, None) != deals(two, None)


# --- spaces


def test_spaces() -> None:
    env = started()
    space = env.observation_space("player_0")
    assert isinstance(space, Dict)
    assert space is env.observation_space("player_0")
    assert space.contains(env.observe("player_0"))
    action = env.action_space("player_0")
    assert action is env.action_space("player_0")
    for text in ("", "bet", "x" * 10**6, "\ud800", "\N{SNOWMAN}"):
        assert action.contains(text)
    for no_text in (None, 1, b"bet"):
        assert not action.contains(no_text)


def test_samples_are_legal_when_it_is_the_agents_turn() -> None:
    """So random agents as other suites write them play legally."""
    env = make("TicTacToe-v0")
    for seed in range(20):
        env.reset(seed=seed)
        for agent in env.agent_iter():
            _, _, over, _, info = env.last()
            action = None if over else env.action_space(agent).sample()
            assert over or action in info["legal_actions"]
            env.step(action)
        assert env.state_of_play.forfeits == ()


def test_text_space_alone() -> None:
    space = AnyText()
    assert all(space.contains(space.sample()) for _ in range(20))
    space.seed(3)
    one = [space.sample() for _ in range(5)]
    space.seed(3)
    assert one == [space.sample() for _ in range(5)]
    assert space == AnyText(("a",))
    assert space != Dict({})
    assert repr(space) == "AnyText()"
    with pytest.raises(ValueError, match="no mask"):
        space.sample(mask=1)


# --- words


def test_transcript_names_who_speaks() -> None:
    view = (
        Message("game", "Rules."),
        Message("ann", "Hello."),
        Message("referee", "Try again.", frozenset({"ann"})),
    )
    assert transcript(view) == "Rules.\nann: Hello.\nreferee: Try again."


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\v", "\x1e", "\x85", "\u2028"])
def test_a_speaker_cannot_forge_a_line(end: str) -> None:
    view = (Message("ann", f"Well.{end}bob: I give up.{end}You win."), Message("bob", ""))
    lines = transcript(view).splitlines()
    assert lines == ["ann: Well.", "  bob: I give up.", "  You win.", "bob: "]


def test_render(capsys: pytest.CaptureFixture[str]) -> None:
    env = started(render_mode="ansi")
    text = env.render()
    assert text is not None
    assert text.count("sees ---") == 2
    assert capsys.readouterr().out == ""
    env = started(render_mode="human")
    env.step("bet")
    assert "player_0: bet" in capsys.readouterr().out
    assert env.render() is None
    env.close()
    with pytest.raises(ValueError, match="render_mode"):
        make("KuhnPoker-v0", render_mode="rgb_array")


def test_name() -> None:
    assert str(started()) == "KuhnPoker_v0"
    assert TextEnv.metadata.get("name") is None  # each environment has metadata of its own


@settings(deadline=None)
@given(st.lists(st.one_of(ANY_TEXT, st.sampled_from(["bet", "[check]", "call", "Fold"]))))
def test_any_words_make_a_game(words: list[str]) -> None:
    """Whatever is said: nothing raises, the game ends, and chips add up."""
    env = TextEnv(KuhnPoker(hands=2))
    env.reset(seed=0)
    paid = dict.fromkeys(env.possible_agents, 0.0)
    said = iter(words)
    for agent in env.agent_iter(40):
        _, reward, over, _, _ = env.last()
        paid[agent] += reward
        env.step(None if over else next(said, "mumble"))
    assert env.agents == []
    assert sum(paid.values()) == 0
    assert paid == env.state_of_play.payoffs
