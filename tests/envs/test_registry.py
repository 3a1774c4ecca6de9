"""The table of games: ours, a user's own, and those of installed packages."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pettingzoo
import pytest

from sparring.envs import game, games, make, register, registry, unregister
from sparring.envs.aec import TextEnv
from sparring.envs.core import BadInput
from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.games.tictactoe import TicTacToe
from sparring.envs.specs import parse


@pytest.fixture(autouse=True)
def same_games_afterwards() -> Iterator[None]:
    before = dict(registry.GAMES)
    yield
    registry.GAMES.clear()
    registry.GAMES.update(before)


def test_ours_are_there() -> None:
    assert {"KuhnPoker-v0", "TicTacToe-v0"} <= set(games())
    assert list(games()) == sorted(games())
    for name in games():
        assert game(name).name == name


def test_options() -> None:
    assert game("KuhnPoker-v0") == KuhnPoker()
    assert game("KuhnPoker-v0", hands=3) == KuhnPoker(hands=3)
    env = make("TicTacToe-v0", board=False, retries=4, render_mode="ansi")
    assert isinstance(env, TextEnv)
    assert (env.game.game, env.game.retries) == (TicTacToe(board=False), 4)
    assert env.render_mode == "ansi"
    default, help_ = registry.options_of("KuhnPoker-v0")["hands"]
    assert (default, help_.startswith("so many hands")) == (1, True)


MIXED = {"a": "b c", "b": -0.5, "c": True, "d": "open"}


@pytest.mark.parametrize(
    ("spec", "name", "options"),
    [
        ("KuhnPoker-v0", "KuhnPoker-v0", {}),
        (" KuhnPoker-v0() ", "KuhnPoker-v0", {}),
        ("KuhnPoker-v0(hands=3)", "KuhnPoker-v0", {"hands": 3}),
        ("X-v1(a='b c', b=-0.5, c=true, d=open)", "X-v1", MIXED),
        ("openspiel:kuhn_poker(players=3)", "openspiel:kuhn_poker", {"players": 3}),
        ("X-v1(piles=(1, 2), words=['a'])", "X-v1", {"piles": (1, 2), "words": ["a"]}),
    ],
)
def test_a_spec_is_a_name_with_options(spec: str, name: str, options: dict[str, Any]) -> None:
    assert parse(spec) == (name, options)


@pytest.mark.parametrize(
    "spec",
    [
        "X-v0(",
        "X-v0(3)",
        "X-v0(hands=)",
        "X-v0(a=f())",
        "X-v0(**a)",
        "X-v0(a=1))",
        "X-v0(a=1)b(c=2)",
    ],
)
def test_a_spec_that_cannot_be_read_says_how(spec: str) -> None:
    with pytest.raises(BadInput, match=r"cannot read .*write options as"):
        parse(spec)


def test_a_spec_makes_the_game() -> None:
    assert game("KuhnPoker-v0(hands=3)") == KuhnPoker(hands=3)
    assert game("KuhnPoker-v0(hands=3)", hands=2) == KuhnPoker(hands=2)
    with pytest.raises(BadInput, match="no suite 'gym'; there are: openspiel"):
        game("gym:CartPole-v1")


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "own_game.py"
    file.write_text("from sparring.envs.games.kuhn import KuhnPoker as Mine\nx = 3\n")
    assert game(f"{file}:Mine(hands=2)") == KuhnPoker(hands=2)
    for spec, fault in ((f"{file}:Ours", "has no game 'Ours'"), (f"{file}:x", "has no game 'x'")):
        with pytest.raises(BadInput, match=fault):
            game(spec)
    with pytest.raises(BadInput, match=r"no file .*absent\.py"):
        game(f"{tmp_path}/absent.py:Mine")
    with pytest.raises(
        BadInput, match=r"own_game\.py:Mine has no option 'cards'; its options: hands"
    ):
        game(f"{file}:Mine", cards=2)


@pytest.mark.parametrize(
    ("name", "options", "hint"),
    [
        ("Chess-v0", {}, "there are: .*KuhnPoker-v0, .*TicTacToe-v0"),
        ("KuhnPoker-v9", {}, r"did you mean KuhnPoker-v0\\?"),
        ("kuhnpoker", {}, r"did you mean KuhnPoker-v0\\?"),
        ("KuhnPoker-v0", {"rounds": 2}, "no option 'rounds'; its options: hands"),
        ("KuhnPoker-v0", {"hands": 0}, "hands must be"),
    ],
)
def test_a_wrong_name_or_option_is_answered_with_a_hint(
    name: str, options: dict[str, Any], hint: str
) -> None:
    for find in (game, make):
        with pytest.raises(BadInput, match=hint) as fault:
            find(name, **options)
        assert "\n" not in str(fault.value)


def test_a_game_without_options_says_so() -> None:
    register("Plain-v0", lambda: KuhnPoker())
    with pytest.raises(BadInput, match="it has none"):
        game("Plain-v0", hands=2)


def test_open_ended_options_are_passed_on() -> None:
    register("Open-v0", lambda **options: KuhnPoker(**options))
    assert game("Open-v0", hands=2) == KuhnPoker(hands=2)


def test_an_error_inside_a_factory_is_not_taken_for_a_wrong_option() -> None:
    def broken(hands: int = 1) -> KuhnPoker:
        raise TypeError("deep inside")

    register("Broken-v0", broken)
    with pytest.raises(TypeError, match="deep inside"):
        game("Broken-v0", hands=2)


def test_register_and_unregister() -> None:
    register("Mine-v3", KuhnPoker)
    assert "Mine-v3" in games()
    assert game("Mine-v3", hands=2) == KuhnPoker(hands=2)
    with pytest.raises(BadInput, match="already a game Mine-v3"):
        register("Mine-v3", TicTacToe)
    unregister("Mine-v3")
    assert "Mine-v3" not in games()
    register("Mine-v3", TicTacToe)
    assert game("Mine-v3") == TicTacToe()
    unregister("Never-v0")  # no harm


@pytest.mark.parametrize("name", ["Mine", "Mine-v", "Mine-0", "-v0", "My Game-v0", "2Mine-v0", ""])
def test_a_name_ends_in_a_version(name: str) -> None:
    with pytest.raises(BadInput, match="looks like MyGame-v0"):
        register(name, KuhnPoker)


def test_games_are_in_pettingzoos_registry() -> None:
    env = pettingzoo.make("aec", "sparring/KuhnPoker-v0", hands=2)
    assert env.unwrapped.game.game == KuhnPoker(hands=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # PettingZoo warns when a name is replaced
        register("Mine-v0", KuhnPoker)
        unregister("Mine-v0")
        register("Mine-v0", TicTacToe)
    assert pettingzoo.make("aec", "sparring/Mine-v0").unwrapped.game.game == TicTacToe()


# --- games of installed packages


@dataclass(frozen=True)
class Point:
    """An entry point, as ``importlib.metadata`` gives it."""

    name: str
    loaded: list[str]

    dist: Any = None

    def load(self) -> Any:
        self.loaded.append(self.name)
        if self.name.startswith("Broken"):
            raise ModuleNotFoundError("No module named 'broken'")
        return KuhnPoker


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    loaded: list[str] = []
    points = [Point(name, loaded) for name in ("Theirs-v1", "TicTacToe-v0", "Broken-v0")]
    monkeypatch.setattr(
        registry, "entry_points", lambda group: points if group == "sparring.games" else []
    )
    registry._load_entry_points.cache_clear()
    yield loaded
    registry._load_entry_points.cache_clear()


def test_installed_games_are_found_and_loaded_when_needed(installed: list[str]) -> None:
    assert "Theirs-v1" in games()
    assert installed == []
    assert game("Theirs-v1", hands=2) == KuhnPoker(hands=2)
    assert installed == ["Theirs-v1"]


def test_options_of_an_installed_game(installed: list[str]) -> None:
    """They are read from its package; nothing of the machinery shows, or can be set."""
    assert registry.options_of("Theirs-v1") == registry.options_of("KuhnPoker-v0")
    with pytest.raises(BadInput, match="has no option 'point'"):
        game("Theirs-v1", point=None)


def test_a_package_that_cannot_be_imported_is_one_line(installed: list[str]) -> None:
    fault = (
        "Broken-v0 is a game of some package, which cannot be imported: No module named 'broken'"
    )
    with pytest.raises(BadInput, match=fault):
        game("Broken-v0")


def test_an_installed_game_does_not_replace_ours(installed: list[str]) -> None:
    assert game("TicTacToe-v0") == TicTacToe()
