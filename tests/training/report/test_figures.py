"""The pictures, and the command that writes them."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from sparring.training.cli import main
from sparring.training.report import report
from sparring.training.report.theme import CONFIG, SERIES, colours, painted

NewFolder = Callable[..., Path]


def size(png: Path) -> tuple[int, int]:
    content = png.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", content[16:24])


def test_every_chart_as_png_and_svg(tmp_path: Path, new_tournament: NewFolder) -> None:
    cup = new_tournament(tmp_path / "cup")
    assert report(cup) == cup / "report.html"
    pictures = sorted(path.name for path in (cup / "figures").iterdir())
    assert len(pictures) == 16
    assert "kuhnpoker-v0-cross-play.png" in pictures
    assert "kuhnpoker-v0-cross-play.svg" in pictures
    for path in (cup / "figures").glob("*.png"):
        width, height = size(path)
        assert 600 < width < 3000
        assert 100 < height < 3000
    drawn = (cup / "figures" / "kuhnpoker-v0-cross-play.svg").read_text()
    assert "run:runs/kuhn@200" in drawn
    assert "+0.10" in drawn
    assert "var:" not in drawn
    assert not list(cup.rglob("*.part"))


def test_a_run_gets_its_curves_as_one_picture_too(
    tmp_path: Path, new_run: NewFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = new_run(tmp_path / "kuhn")
    assert main(["report", str(folder)]) == 0
    assert f"{folder}/report.html" in capsys.readouterr().out
    assert size(folder / "curves.png")[0] > 1000
    assert (folder / "figures" / "nashconv.svg").is_file()


def test_several_go_where_out_says(
    tmp_path: Path, new_run: NewFolder, new_tournament: NewFolder
) -> None:
    folders = [new_run(tmp_path / "kuhn", steps=9), new_tournament(tmp_path / "cup")]
    out = tmp_path / "new" / "both.html"
    assert main(["report", *map(str, folders), "--out", str(out)]) == 0
    assert "1 training run and 1 tournament" in out.read_text()
    assert (tmp_path / "new" / "figures" / "nashconv.png").is_file()
    assert not (folders[0] / "report.html").exists()


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, two: str) -> float:
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_can_be_read(theme: str) -> None:
    """Text has a contrast of 4.5 with what it stands on, lines and bars one of 3 (WCAG 2.2 AA)."""
    found = colours(theme)
    for ground in ("ground", "surface", "raised"):
        for ink in ("ink", "faint", "accent", "bad", "good"):
            assert contrast(found[ink], found[ground]) >= 4.5, (ink, ground)
    for name in SERIES:
        assert contrast(found[name[4:]], found["surface"]) >= 3, name
    assert contrast(found["ink"], found["middle"]) >= 4.5
    for end in ("low", "high"):
        assert contrast(found["on-strong"], found[end]) >= 3, end
    assert contrast(found["on-accent"], found["accent"]) >= 4.5


def test_names_of_colours_are_filled_in_but_not_in_data() -> None:
    spec = {"a": ["var:ink", {"values": [{"name": "var:ink"}]}], "b": 1}
    assert painted(spec, {"ink": "#000"}) == {
        "a": ["#000", {"values": [{"name": "var:ink"}]}],
        "b": 1,
    }
    painted(CONFIG, colours("light"))
    painted(CONFIG, colours("dark"))
    with pytest.raises(KeyError):
        painted("var:nothing", colours())
