"""Numbers in free text, read exactly: for checking the answer to a problem.

What has two readings has none: ``1,2``, ``7/8/9`` and ``2x`` hold no number.
"""

import re
import unicodedata
from fractions import Fraction

_PLAIN = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
_NUMBER = re.compile(
    rf"""(?<![\w./])(?<!\d,)(?P<sign>(?<!\d)[-−+](?:\s*\$)?)?
    (?:\\[dt]?frac\{{(?P<over>\d+)\}}\{{(?P<under>\d+)\}}
      |(?:(?P<whole>\d+)\s+)?(?P<top>\d+)\s*[/⁄]\s*(?P<bottom>\d+)
      |(?P<plain>{_PLAIN})(?:[eE](?P<power>[-−+]?\d{{1,3}}))?)
    (?P<percent>\s*\\?%)?(?![\w/]|[.,]\d)""",
    re.VERBOSE,
)
_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_LAYOUT = re.compile(r"\\(?:text|mathrm|mbox)\s*\{[^{}]*\}|\\[,;:! ]|\\?\$|\^\{?\\circ\}?")
_NAME_AND_UNIT = re.compile(r"\s*(?:[A-Za-z]\w*\s*=)?[A-Za-z\s]*\.?\s*")
_LONGEST = 1000  # digits of a number; none is longer by honest work


def numbers(text: str) -> list[Fraction]:
    """The numbers in a text, exactly: ``1,000``, ``-2.5``, ``3/4``, ``1 1/2``, ``5%``, ``2e3``.

    A number that touches letters (``2x``, ``5cm``) is none, and neither is one that divides by 0.
    """
    plain_text = unicodedata.normalize("NFC", text)
    found = (_value(m) for m in _NUMBER.finditer(plain_text) if len(m[0]) <= _LONGEST)
    return [number for number in found if number is not None]


def _value(match: re.Match[str]) -> Fraction | None:
    top, bottom = match["over"] or match["top"], match["under"] or match["bottom"]
    if top:
        if not int(bottom):
            return None
        size = int(match["whole"] or 0) + Fraction(int(top), int(bottom))
    else:
        power = (match["power"] or "0").replace("−", "-")
        size = Fraction(match["plain"].replace(",", "")) * Fraction(10) ** int(power)
    negative = (match["sign"] or "+")[0] != "+"
    return (-size if negative else size) / (100 if match["percent"] else 1)


def final_number(text: str) -> Fraction | None:
    """The number that a worked answer ends in: that of its last ``\\boxed{}``, else the last one.

    ``None`` where there is none, or where the box holds more than one number, at most with a name
    before it and a unit after it (``x = 5 \\text{ cm}``).
    """
    boxes = list(_BOX.finditer(text))
    if boxes:
        return _boxed(_braced(text[boxes[-1].end() :]))
    found = numbers(text)
    return found[-1] if found else None


def _boxed(text: str) -> Fraction | None:
    bare = _LAYOUT.sub(" ", text.replace("{,}", ","))
    found = numbers(bare)
    alone = _NAME_AND_UNIT.fullmatch(_NUMBER.sub("", bare, count=1))
    return found[0] if len(found) == 1 and alone else None


def _braced(text: str) -> str:
    """What stands before the brace that closes one opened before ``text``."""
    depth = 1
    for at, letter in enumerate(text):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if not depth:
            return text[:at]
    return ""
