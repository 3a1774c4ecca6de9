"""A page as one HTML file that needs nothing else.

What agents and games said is not trusted: text is escaped, data stands in blocks of JSON that
cannot close their element, and by its policy the page runs no script but its own and loads nothing
from anywhere.
"""

import base64
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from html import escape
from string import Template
from typing import Any

import vl_convert

from sparring.agents.wording import percent
from sparring.training.report.blocks import (
    Block,
    Choice,
    Figure,
    Note,
    Notes,
    Page,
    Policy,
    Replays,
    Section,
    Table,
    Tiles,
)
from sparring.training.report.theme import CONFIG, HERE

POLICY = (
    "default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)


def html(page: Page) -> str:
    """The whole page."""
    blocks = [block for section in page.sections for block in section.blocks]
    figures = {b.name: b.spec for b in blocks if isinstance(b, Figure)}
    games = [b for b in blocks if isinstance(b, Replays)]
    scripts = [_source("replay.js")] if games else []
    scripts = [*([bundle()] if figures else []), *scripts, _source("page.js")]
    data = [_data("figures", figures), _data("config", CONFIG)] if figures else []
    data += [_data(f"replays-{i}", block.games) for i, block in enumerate(games)]
    numbers = {id(block): i for i, block in enumerate(games)}
    return Template(_source("page.html")).substitute(
        policy=escape(POLICY.format(hashes=" ".join(map(_hash, scripts))), quote=True),
        title=escape(page.title),
        kind=escape(page.kind),
        style=_source("style.css"),
        contents=_contents(page.sections),
        body="\n".join(_section(i, s, numbers) for i, s in enumerate(page.sections)),
        footer=escape(page.footer),
        data="\n".join(data),
        scripts="\n".join(f"<script>{script}</script>" for script in scripts),
    )


@cache
def bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script."""
    made: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return made.replace("</script", "<\\/script")


@cache
def _source(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _data(name: str, value: Any) -> str:
    """A block of JSON in which no character can end the element."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return f'<script type="application/json" id="{name}">{text}</script>'


def _contents(sections: Iterable[Section]) -> str:
    links = [
        f'<a href="#part-{i}">{escape(section.short)}</a>'
        for i, section in enumerate(sections)
        if section.short
    ]
    if len(links) < 2:
        return ""
    return f'<nav class="contents" aria-label="contents">{"".join(links)}</nav>'


def _section(number: int, section: Section, replays: dict[int, int]) -> str:
    note = f'<p class="faint">{escape(section.note)}</p>' if section.note else ""
    parts: list[str] = []
    cards: list[str] = []
    for block in [*section.blocks, None]:
        if isinstance(block, Figure):
            cards.append(_figure(block))
            continue
        if cards:
            parts.append(f'<div class="grid">{"".join(cards)}</div>')
            cards = []
        if block is not None:
            parts.append(_block(block, replays))
    heading = f"<h2>{escape(section.title)}</h2>" if section.title else ""
    return f'<section id="part-{number}">{heading}{note}{"".join(parts)}</section>'


def _block(block: Block, replays: dict[int, int]) -> str:
    match block:
        case Table():
            return _table(block)
        case Tiles():
            return _tiles(block)
        case Notes():
            return "".join(map(_note, block.notes))
        case Policy():
            return _policy(block)
        case Replays():
            note = f'<p class="faint small">{escape(block.note)}</p>' if block.note else ""
            return f'{note}<div data-replays="replays-{replays[id(block)]}"></div>'
        case Figure():
            return _figure(block)


def _figure(figure: Figure) -> str:
    note = f"<figcaption>{escape(figure.note)}</figcaption>" if figure.note else ""
    name, title = escape(figure.name), escape(figure.title)
    return (
        f'<figure class="card{" wide" if figure.wide else ""}" aria-label="{title}">'
        f'<h3>{title}</h3>{note}<div class="chart" data-figure="{name}"></div></figure>'
    )


def _tiles(block: Tiles) -> str:
    tiles = [
        f'<div class="tile"><b>{escape(number)}</b><span>{escape(what)}</span></div>'
        for what, number in block.tiles
    ]
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _note(note: Note) -> str:
    head = f'<b>{escape(note.about)}</b> <span class="faint small">{escape(note.when)}</span>'
    more = f'<p>{escape(note.says)}</p><p class="faint small">{escape(note.more)}</p>'
    return f'<div class="alert{" bad" if note.bad else ""}">{head}{more}</div>'


def _table(table: Table) -> str:
    kind = ["" if i < table.numbers else ' class="number"' for i in range(len(table.columns))]
    heads = zip(table.columns, kind, strict=True)
    head = "".join(f'<th scope="col"{k}>{escape(c)}</th>' for c, k in heads)
    body = []
    for row in table.rows:
        first, *rest = (escape(cell) for cell in row)
        cells = "".join(f"<td{k}>{c}</td>" for c, k in zip(rest, kind[1:], strict=True))
        body.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    note = f'<p class="faint small">{escape(table.note)}</p>' if table.note else ""
    inner = (
        f'{note}<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )
    title = escape(table.title)
    if table.open:
        return f'<div class="card"><h3>{title}</h3>{inner}</div>'
    return f"<details><summary>{title}</summary>{inner}</details>"


def _policy(policy: Policy) -> str:
    note = f"<p>{escape(policy.note)}</p>" if policy.note else ""
    rows = "".join(_choice(choice) for choice in policy.choices)
    title = escape(policy.title)
    return f'<div class="card"><h3>{title}</h3>{note}<div class="policy">{rows}</div></div>'


def _choice(choice: Choice) -> str:
    lines = []
    for answer, p in choice.chances.items():
        best = choice.equilibrium.get(answer, 0.0) if choice.equilibrium is not None else None
        tick = "" if best is None else f'<u style="left:{100 * best:.2f}%"></u>'
        words = (
            "" if best is None else f' <span class="faint">(equilibrium: {percent(best)})</span>'
        )
        bar = f'<i style="width:{100 * p:.2f}%"></i>{tick}'
        lines.append(
            f"<div>{escape(answer)} {percent(p)}{words}"
            f'<span class="bar" aria-hidden="true">{bar}</span></div>'
        )
    remark = f" <small>{escape(choice.remark)}</small>" if choice.remark else ""
    return f"<div><b>{escape(choice.situation)}</b>{remark}{''.join(lines)}</div>"
