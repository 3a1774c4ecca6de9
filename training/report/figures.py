"""The charts as pictures, PNG and SVG, in the light theme. No browser is needed."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import vl_convert

from sparring.training.report.blocks import Figure, Json
from sparring.training.report.theme import CONFIG, colours, painted

WIDTH = {False: 460, True: 760}


def draw(figures: Iterable[Figure], folder: Path) -> None:
    """Write NAME.png and NAME.svg for every figure; others in ``folder`` stay as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    for figure in figures:
        spec = printed(figure)
        _put(folder / f"{figure.name}.svg", vl_convert.vegalite_to_svg(spec).encode())
        _put(folder / f"{figure.name}.png", vl_convert.vegalite_to_png(spec, scale=2))


def overview(figures: Sequence[Figure], picture: Path) -> None:
    """Write several charts as one PNG."""
    charts = [{**f.spec, "width": 330, "title": f.title} for f in figures]
    for chart in charts:
        del chart["autosize"]  # which belongs to a chart alone
    spec = painted({"concat": charts, "columns": 3, "config": CONFIG}, colours())
    spec |= {"background": colours()["surface"], "padding": 14}
    spec["resolve"] = {"scale": {"color": "independent"}}
    _put(picture, vl_convert.vegalite_to_png(spec, scale=1.25))


def printed(figure: Figure) -> Json:
    """The specification of a picture: with its width, title and colours, on a ground."""
    spec: Json = painted({**figure.spec, "config": CONFIG}, colours())
    spec["background"] = colours()["surface"]
    spec["padding"] = 14
    spec["width"] = WIDTH[figure.wide]
    spec["title"] = {"text": figure.title, "anchor": "start", "fontSize": 14, "offset": 12}
    return spec


def _put(path: Path, content: bytes) -> None:
    aside = path.with_name(f".{path.name}.part")
    aside.write_bytes(content)
    aside.replace(path)
