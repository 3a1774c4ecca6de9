"""Golden transcripts: every game of ours plays a few fixed games, word for word.

What a file holds is said in ``envs/golden.py``. To write them anew after an intended change:

    SPARRING_GOLDEN=write python -m pytest tests/envs/test_golden.py
"""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sparring.envs.games.kuhn import KuhnPoker
from sparring.envs.golden import check
from sparring.envs.referee import RefereedState
from sparring.envs.registry import game, games

FOLDER = Path(__file__).parent / "golden"
OURS = tuple(n for n in games() if type(game(n)).__module__.startswith("sparring.envs."))


@pytest.mark.parametrize("name", OURS)
def test_golden(name: str) -> None:
    file = FOLDER / f"{name}.txt"
    assert file.is_file(), f"{name} has no golden transcript; see the head of this file"
    check(file, partial(game, name))


@pytest.mark.parametrize("name", OURS)
def test_golden_shows_the_ways_to_end(name: str) -> None:
    """At least an ordinary end, a refused answer, and a forfeit."""
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert text.count("    over\n") >= 2
    assert "Try again." in text
    assert "forfeits" in text


def test_no_golden_file_is_left_over() -> None:
    assert {file.stem for file in FOLDER.glob("*.txt")} == set(OURS)


def test_a_changed_word_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole: Any = RefereedState.observe

    def louder(state: RefereedState, role: str) -> Any:
        seen = whole(state, role)
        return type(seen)(role, tuple(type(m)(m.sender, m.text.upper()) for m in seen.messages))

    monkeypatch.setattr(RefereedState, "observe", louder)
    monkeypatch.delenv("SPARRING_GOLDEN", raising=False)
    with pytest.raises(
        AssertionError, match=r"line 5: .*POKER.*, was .*poker.*SPARRING_GOLDEN=write"
    ):
        test_golden("KuhnPoker-v0")


@pytest.mark.parametrize("cut", ['> player_1 "check"\n', "    over\n"])
def test_a_file_cut_short_is_noticed(tmp_path: Path, cut: str) -> None:
    text = (FOLDER / "KuhnPoker-v0.txt").read_text(encoding="utf-8")
    file = tmp_path / "cut.txt"
    file.write_text(text.replace(cut, "", 1), encoding="utf-8")
    with pytest.raises(AssertionError, match=r"cut\.txt, line"):
        check(file, KuhnPoker)
