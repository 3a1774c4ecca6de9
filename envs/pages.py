"""What a game says of itself, as Markdown: the generated part of its page in ``docs/games``.

A page holds the lines ``<!-- facts -->`` and ``<!-- /facts -->``; what lies between them is written
from the code, so that it cannot drift. Write all pages and their index anew with

    python -m sparring.envs.pages docs/games
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from sparring.envs.core import Declaration, Game, Role, Sum, seats
from sparring.envs.registry import game, games, options_of

START, END = "<!-- facts -->\n", "<!-- /facts -->\n"


def payoffs(declares: Declaration) -> str:
    """``zero-sum, from -2 to 2``; of a constant-sum game the total too."""
    total = f" (total {declares.total:g})" if declares.sum is Sum.CONSTANT else ""
    return f"{declares.sum}{total}, from {declares.low:g} to {declares.high:g}"


def information(declares: Declaration) -> str:
    return "hidden" if declares.hidden_information else "open"


def who(roles: Sequence[Role]) -> str:
    """``attacker, defender``; seats that are only numbered are counted: ``5 players``."""
    numbered = tuple(roles) == seats(len(roles))
    return f"{len(roles)} players" if numbered else ", ".join(roles)


def distinct_rules(rules: Game) -> dict[Role, str]:
    """The rules of the first role, and of each other role whose rules are not the same words."""
    found: dict[Role, str] = {}
    seen: set[str] = set()
    for role in rules.roles:
        text = rules.rules(role)
        key = text
        for name in rules.roles:
            key = key.replace(name, "")
        if key not in seen:
            seen.add(key)
            found[role] = text
    return found


def facts(name: str) -> str:
    """Roles, payoffs, information, answers, length, options, and the rules as players read them."""
    rules = game(name)
    said = rules.declares
    rows = [
        ("roles", ", ".join(f"`{role}`" for role in rules.roles)),
        ("payoffs", payoffs(said)),
        ("information", information(said)),
        ("answers", "free speech" if said.free_speech else "listed"),
        ("length", f"at most {said.max_turns} answers"),
        *(
            (f"option `{option}`, default `{default!r}`", help_)
            for option, (default, help_) in options_of(name).items()
        ),
    ]
    lines = ["| | |", "|---|---|", *(f"| {a} | {_cell(b)} |" for a, b in rows)]
    for role, text in distinct_rules(rules).items():
        quoted = "\n".join(f"> {line}".rstrip() for line in text.splitlines())
        lines += ["", f"The rules as `{role}` reads them:", "", quoted]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def filled(page: str, name: str) -> str:
    """``page`` with its generated part written anew.

    Raises:
        ValueError: it has not exactly one generated part.
    """
    if page.count(START) != 1 or page.count(END) != 1:
        raise ValueError(f"the page of {name} needs the lines {START.strip()} and {END.strip()}")
    before, rest = page.split(START)
    return f"{before}{START}\n{facts(name)}\n{END}{rest.split(END)[1]}"


def index(pages: Iterable[tuple[str, str]]) -> str:
    """The table of all games, from (name, file name) of each page."""
    lines = [
        "# The games",
        "",
        "`sparring games` prints this table, `sparring games NAME` the rules of one game. This",
        "page and the head of each game's page are written from the code (`envs/pages.py`).",
        "",
        "| game | roles | payoffs | information | answers |",
        "|---|---|---|---|---|",
    ]
    for name, file in sorted(pages):
        rules = game(name)
        said = rules.declares
        cells = (
            f"[{name}]({file})",
            who(rules.roles),
            payoffs(said),
            information(said),
            "free speech" if said.free_speech else "listed",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def write(folder: Path) -> list[Path]:
    """Bring the pages in ``folder`` up to date; the files that changed."""
    pages = {}
    for file in sorted(folder.glob("*.md")):
        name = file.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        if name in games():
            pages[name] = file
    texts = {file: filled(file.read_text(encoding="utf-8"), name) for name, file in pages.items()}
    texts[folder / "README.md"] = index((name, file.name) for name, file in pages.items())
    changed = [f for f, text in texts.items() if not f.exists() or f.read_text("utf-8") != text]
    for file in changed:
        file.write_text(texts[file], encoding="utf-8")
    return changed


if __name__ == "__main__":
    print("\n".join(f"wrote {file}" for file in write(Path(sys.argv[1]))) or "nothing changed")
