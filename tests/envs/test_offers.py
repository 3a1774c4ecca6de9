"""The grammar of offers: every wording is read as what it says, everything else is refused."""

import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.envs.games.negotiation.number_words import spoken
from sparring.envs.games.negotiation.offers import (
    Unreadable,
    amounts,
    bare,
    decision,
    listed,
    price,
    told,
    trade,
)

KINDS = ("Wheat", "Wood", "Sheep", "Brick", "Ore")
WORDS = ("accept", "deny")
SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def spelled(n: int, hyphen: str = "-", and_: str = " and ") -> str:
    """A number below 1000 in words, written independently of the reader."""
    if n < 20:
        return SMALL[n]
    if n < 100:
        return TENS[n // 10] + (hyphen + SMALL[n % 10] if n % 10 else "")
    rest = and_ + spelled(n % 100, hyphen) if n % 100 else ""
    return f"{SMALL[n // 100]} hundred{rest}"


def read(text: str) -> object:
    return decision(text, WORDS, lambda terms: trade(terms, KINDS))


@pytest.mark.parametrize("hyphen", ["-", " "])
@pytest.mark.parametrize("and_", [" and ", " "])
def test_every_number_below_a_thousand_in_words(hyphen: str, and_: str) -> None:
    for n in range(1000):
        assert price(spelled(n, hyphen, and_), "coin") == n
        two = f"{spelled(n, hyphen, and_)} Wood and {spelled(999 - n, hyphen, and_)} Ore"
        assert amounts(two, KINDS) == (None, n, None, None, 999 - n)


# --- random wordings

cases = st.sampled_from([str, str.lower, str.upper, str.title])


@st.composite
def quantity(draw: st.DrawFn, n: int) -> str:
    ways = [str(n), f"{n:03d}", spelled(n, draw(st.sampled_from("- ")))]
    ways += ["a", "an"] if n == 1 else []
    ways += ["no"] if n == 0 else []
    return draw(st.sampled_from(ways))


@st.composite
def item(draw: st.DrawFn, n: int, kind: str) -> str:
    number = draw(quantity(n))
    between = draw(st.sampled_from([" ", "  ", " of ", " units of ", " x ", " the ", " of the "]))
    if number.isdecimal():
        between = draw(st.sampled_from([between, "", "x "]))
    return number + between + kind + draw(st.sampled_from(["", "s"]))


@st.composite
def side(draw: st.DrawFn, held: tuple[int, ...]) -> str:
    """One side of a trade, in any order and wording; kinds of which there are none may go."""
    named = [i for i, n in enumerate(held) if n or draw(st.booleans())]
    if not named:
        return draw(st.sampled_from(["nothing", "Nothing"]))
    items = [draw(item(held[i], KINDS[i])) for i in draw(st.permutations(named))]
    separators = st.sampled_from([", ", " and ", ", and ", " + ", "; ", " & ", " plus ", " ", ","])
    text = items[0]
    for more in items[1:]:
        text += draw(separators) + more
    return text


holdings = st.tuples(*[st.integers(0, 50)] * 5)


@given(st.data(), holdings, holdings)
def test_every_wording_of_a_trade_is_read(
    data: st.DataObject, gives: tuple[int, ...], gets: tuple[int, ...]
) -> None:
    if not any(gives) and not any(gets):
        return
    arrows = [" -> ", "->", " => ", " → ", " for ", " in exchange for ", "\n-> ", " in return for "]
    left = data.draw(st.sampled_from(["", "I give ", "give ", "I offer "])) + data.draw(side(gives))
    right = data.draw(st.sampled_from(["", "I get ", "get "])) + data.draw(side(gets))
    terms = left + data.draw(st.sampled_from(arrows)) + right
    shell = data.draw(
        st.sampled_from(["[Offer: {}]", "[offer {}.]", "Well. [ OFFER:{} ] Fine?", "Offer: {}"])
    )
    text = data.draw(cases)(shell.format(terms))
    assert read(text) == ("offer", (gives, gets))


@given(st.text(alphabet=string.printable + "→[]", max_size=60))
def test_no_text_raises_anything_else(text: str) -> None:
    for wording in (text, f"[Offer: {text}]", f"[Offer: 1 Wood -> {text}]"):
        bare(wording)
        for reader in (read, lambda said: price(said, "coin")):
            with suppress(Unreadable):
                reader(wording)


@given(holdings)
def test_what_is_told_is_read_again(held: tuple[int, ...]) -> None:
    again = amounts(told(held, KINDS), KINDS)
    assert tuple(n or 0 for n in again) == held


# --- one by one


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("3 Wood, 1 Ore", (None, 3, None, None, 1)),
        ("an ore and a wood", (None, 1, None, None, 1)),
        ("2x bricks; no sheeps", (None, None, 0, 2, None)),
        ("a hundred and one Wood, one Ore", (None, 101, None, None, 1)),
        ("a hundred Wood and one Ore", (None, 100, None, None, 1)),
        ("twenty Wood one Ore", (None, 20, None, None, 1)),
        ("nothing", (0, 0, 0, 0, 0)),
    ],
)
def test_amounts(text: str, held: tuple[int | None, ...]) -> None:
    assert amounts(text, KINDS) == held


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("3 Stone", "Amounts are of Wheat, Wood, Sheep, Brick and Ore only"),
        ("3 Wood, 2 Wood", "Name Wood only once"),
        ("3 Wood, 2", "Write amounts as whole numbers"),
        ("Wood", "Write amounts as whole numbers"),
        ("Wood 3", "Write amounts as whole numbers"),
        ("-3 Wood", "Write amounts as whole numbers"),
        ("1.5 Wood", "Write amounts as whole numbers"),
        ("1,000 Wood", "Write amounts as whole numbers"),
        ("3 1 Wood", "Write amounts as whole numbers"),
        ("twenty-eleven Wood", "Write amounts as whole numbers"),
        ("some Wood", "Write amounts as whole numbers"),
        ("all my Wood", "Write amounts as whole numbers"),
        ("1234567890 Wood", "Write amounts as whole numbers"),
        ("nothing, 1 Wood", "Write amounts as whole numbers"),
        ("", "Write amounts, such as"),
        (" , ", "Write amounts, such as"),
        ("3 of", "Write amounts as whole numbers"),
    ],
)
def test_what_is_no_list_of_amounts(text: str, fault: str) -> None:
    with pytest.raises(Unreadable, match=fault):
        amounts(text, KINDS)


@pytest.mark.parametrize(
    ("terms", "fault"),
    [
        ("3 Wood", "what you give, an arrow, and what you get"),
        ("3 Wood -> 2 Ore -> 1 Brick", "what you give, an arrow"),
        ("3 Wood for -> 2 Ore", "what you give, an arrow"),
        ("nothing -> nothing", "An offer moves something"),
        ("0 Wood -> no Ore", "An offer moves something"),
        ("3 Wood ->", "Write amounts"),
        ("I get 3 Wood for 2 Ore", "Write amounts"),  # would be the other way round
        ("your 3 Wood for my 2 Ore", "Write amounts"),
    ],
)
def test_what_is_no_trade(terms: str, fault: str) -> None:
    with pytest.raises(Unreadable, match=fault):
        trade(terms, KINDS)


def test_decisions() -> None:
    offer = ("offer", ((0, 1, 0, 0, 0), (0, 0, 0, 0, 1)))
    assert read("Good! [Accept.]") == ("accept", None)
    assert read("deny!") == ("deny", None)
    assert read("[Offer: 1 Wood -> 1 Ore] I repeat: [offer a wood for an ore]") == offer
    for talk in ("", "I accept", "Denying it", "accept it", "[smiles]", "[?] [[", "offer 1 Wood"):
        assert read(talk) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[Accept] or [Deny]", "several decisions"),
        ("[Offer: 1 Wood -> 1 Ore] [Offer: 2 Wood -> 1 Ore]", "several decisions"),
        ("[Accept it]", r"Write \[Accept\] by itself"),
        ("[Accepted]", "Write Accept, Deny or Offer: ... in the brackets, by itself"),
        ("[I accept]", "in the brackets, by itself"),
        ("[3 Wood -> 2 Ore]", "in the brackets, by itself"),
        ("[Offers: 3 Wood -> 2 Ore]", "in the brackets, by itself"),
        ("[Offer: 3 Wood -> 2 Ore", r"between \[ and \]"),
        ("[Accept", r"between \[ and \]"),
        ("[Offer]", "An offer says"),
        ("Offer: ore", "An offer says"),
    ],
)
def test_a_slip_is_never_taken_for_talk(text: str, fault: str) -> None:
    with pytest.raises(Unreadable, match=fault):
        read(text)


def test_words_beside_a_decision() -> None:
    assert all(map(bare, ("[Accept]", " [Accept]\n", "accept")))
    assert not any(map(bare, ("[Accept] it", "[Accept] [Accept]")))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("45", 45),
        (" 45.", 45),
        ("$45", 45),
        ("1,000", 1000),
        ("1,234,567 coins", 1234567),
        ("Forty-five coins", 45),
        ("a coin", 1),
        ("a hundred and five", 105),
    ],
)
def test_prices(text: str, number: int) -> None:
    assert price(text, "coin") == number


@pytest.mark.parametrize("text", ["", "$", "-45", "45.5", "45 or 50", "1,00", "45 hats", "all"])
def test_what_is_no_price(text: str) -> None:
    with pytest.raises(Unreadable, match="An offer is one whole number and nothing else"):
        price(text, "coin")


def test_small_pieces() -> None:
    assert spoken([], 0) == (None, 0)
    assert spoken(["twenty", "-", "wood"], 0) == (20, 1)
    assert [listed([]), listed(["a"]), listed(["a", "b", "c"])] == ["", "a", "a, b and c"]
    assert told((0, 0), ("Wood", "Gold")) == "nothing"
    assert told((3, 1), ("Wood", "Gold")) == "3 Wood and 1 Gold"
