"""What counts as saying a word, what as guessing it, and the list of words."""

import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.envs import words
from sparring.envs.words import begins, forms, lexicon, names, says

PLAIN = [entry.word for entry in lexicon()[::40]]  # some 700 words of all frequencies
some_word = st.sampled_from(PLAIN)


# --- saying a word


@pytest.mark.parametrize(
    "text",
    [
        "car",
        "A CAR!",
        "two cars",
        "the car's door",
        "the cars’ doors",
        "a car-park",
        "*car*, _car_ or `car`",
        "(car)",
        "car2",
        "c-a-r",
        "C.A.R",
        "c a r",
        "it is spelled c, a, r",
        "c_a_r",
        "ca-r",
        "ca/r",
        "c\u200bar",  # zero-width space
        "ca\u00adr",  # soft hyphen
        "c\u2060a\ufeffr",
        "ｃａｒ",  # full width
        "𝐜𝐚𝐫",  # mathematical bold
        "cár",
        "ca\u0301r",
        "саr",  # Cyrillic es and a
        "\u202ecar",
    ],
)
def test_says_car(text: str) -> None:
    assert says(text, "car")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "carpet",
        "scar",
        "caring",
        "cared",
        "vicar",
        "care",
        "ca r",  # two words, neither of them a single letter
        "car\u0431",  # a Cyrillic letter that looks like no Latin one
        "\ud800",
        "c4r",
        "automobile",
    ],
)
def test_does_not_say_car(text: str) -> None:
    assert not says(text, "car")


@pytest.mark.parametrize(
    ("word", "said", "not_said"),
    [
        ("city", "cities", "citys"),
        ("toy", "toys", "toies"),
        ("soliloquy", "soliloquies", "soliloquys"),
        ("box", "boxes", "boxs"),
        ("bus", "buses busses busing", "bu"),
        ("quiz", "quizzes quizzed", "qui"),
        ("church", "churches", "churc"),
        ("stomach", "stomachs", "stomac"),
        ("potato", "potatoes", "potat"),
        ("leaf", "leaves leafs", "leave"),
        ("mouse", "mice", "mic"),
        ("man", "men manned manning", "mane"),
        ("plan", "planned planning plans", "planing planed plane"),
        ("quit", "quitting", "quite quiting"),
        ("visit", "visiting visited", "visitor"),
        ("refer", "referring referred", "reference"),
        ("bake", "baking baked bakes", "baker"),
        ("see", "seeing saw seen", "sing"),
        ("dye", "dyeing dyed", "dying"),
        ("tie", "tying tied", "ting"),
        ("panic", "panicking panicked", "panicky"),
        ("play", "played playing", "plaied"),
        ("carry", "carries carried carrying", "carrie"),
        ("wind", "wound", "window"),
        ("big", "bigger biggest", "bigot"),
        ("happy", "happier happiest", "happily"),
        ("large", "larger largest", "largo"),
        ("cold", "colder", "scold"),
        ("window", "windows", "windowed"),  # a noun only
        ("bring", "brought", "bringer"),
    ],
)
def test_inflections(word: str, said: str, not_said: str) -> None:
    for form in (word, *said.split()):
        assert says(f"So {form}, then.", word), form
    for form in not_said.split():
        assert not says(f"So {form}, then.", word), form


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("we'll", "well"),
        ("she’ll", "shell"),
        ("we're", "were"),
        ("I'd", "id"),
        ("won't", "win"),  # the past of win is won
        ("don't", "don"),
        ("can't", "cant"),
    ],
)
def test_a_contraction_is_not_the_word_that_its_letters_make(text: str, word: str) -> None:
    assert not says(f"Now {text} see", word)


def test_unlisted_words_are_taken_as_noun_and_verb() -> None:
    for form in ("blorp", "blorps", "blorping", "blorped"):
        assert says(form, "blorp")
    assert not says("blorper", "blorp")


@pytest.mark.parametrize(
    "text", ["ice cream", "Ice-creams", "icecream", "the ICE, CREAM", "i.c.e cream"]
)
def test_says_a_phrase(text: str) -> None:
    assert says(f"I like {text}.", "ice cream") == (text != "i.c.e cream")


@pytest.mark.parametrize("text", ["ice", "cream", "cream ice", "ice cold cream", "nice cream"])
def test_does_not_say_a_phrase(text: str) -> None:
    assert not says(text, "ice cream")


@given(some_word, st.text(max_size=20), st.text(max_size=20))
def test_a_word_that_stands_alone_is_said(word: str, before: str, after: str) -> None:
    assert says(f"{before}\n. {word} .\n{after}", word)


@given(some_word, st.text(string.ascii_letters, min_size=1, max_size=8))
def test_a_word_inside_of_another_is_not_said(word: str, more: str) -> None:
    longer = more + word
    assert says(longer, word) == (longer.lower() in forms(word))


@given(some_word, st.sampled_from(["\u200b", "\u00ad", "-", ".", "\u0301", "_"]))
def test_marks_between_letters_hide_nothing(word: str, mark: str) -> None:
    assert says(mark.join(word), word)
    assert says(" ".join(word.upper()), word)


@given(st.text(max_size=50), some_word)
def test_any_text_can_be_read(text: str, word: str) -> None:
    for read in (says, names, begins):
        assert read(text, word) in (True, False)
        assert read(text.upper(), word) in (True, False)


def test_long_texts_are_read_fast() -> None:
    for text in ("x" * 10**5, "a-" * 10**5, "[" * 10**5, "a " * 10**5, "é-" * 10**4):
        assert not says(text, "counterrevolutionary")


# --- guesses


@pytest.mark.parametrize(
    "text",
    ["car", " Car.", '"the car"', "a car!", "**cars**", "c-a-r", "c a r", "(an) car", "c\u200bÁR"],
)
def test_names(text: str) -> None:
    assert names(text, "car")
    assert begins(text, "car")


@pytest.mark.parametrize(
    "text", ["", "!", "carpet", "car-pet", "not car", "a", "red car", "the a car"]
)
def test_does_not_name(text: str) -> None:
    assert not names(text, "car")
    assert not begins(text, "car")


@pytest.mark.parametrize(
    "text", ["car, because of the wheels", "car or bus", "car park", "car. Yes!"]
)
def test_only_the_beginning_counts(text: str) -> None:
    assert begins(text, "car")
    assert not names(text, "car")


def test_guesses_of_a_phrase() -> None:
    for text in ("ice cream", "an ice-cream", "icecreams"):
        assert names(text, "ice cream")
        assert begins(f"{text} of course", "ice cream")
    assert not begins("ice", "ice cream")
    assert not begins("ice cold cream", "ice cream")
    assert names("the", "the")  # an article may be the word itself


@given(some_word)
def test_every_form_is_a_right_guess(word: str) -> None:
    assert all(names(form, word) and begins(f"{form} I think", word) for form in forms(word))


def test_a_word_needs_letters() -> None:
    with pytest.raises(ValueError, match="has no letters"):
        forms("42")


# --- the list


def test_list_is_large_sorted_and_clean() -> None:
    listed = lexicon()
    found = [entry.word for entry in listed]
    assert len(found) == len(set(found)) == 29_031
    assert all(re.fullmatch("[a-z]{3,}", word) for word in found)
    assert all(entry.classes and set(entry.classes) <= set("nvar") for entry in listed)
    zipf = [entry.zipf for entry in listed]
    assert zipf == sorted(zipf, reverse=True)
    assert zipf[-1] >= 2
    missing = {"car", "mouse", "friendship", "elephant", "sublimate"} - set(found)
    assert not missing


def test_list_leaves_out_what_it_says() -> None:
    found = {entry.word for entry in lexicon()}
    for word in ("the", "john", "china", "march", "cars", "said", "suspended", "xii", "negro"):
        assert word not in found, word


def test_irregular_forms_are_listed() -> None:
    entries = {entry.word: entry for entry in lexicon()}
    assert entries["mouse"].irregular_plurals == ("mice",)
    assert entries["bring"].irregular_others == ("brought",)
    assert "leaves" in words.plurals("leaf")
    assert "brought" not in words.plurals("bring")


def test_list_has_its_licence_beside_it() -> None:
    folder = Path(words.__file__).parent / "data"
    licence = (folder / "LICENSE-words.txt").read_text(encoding="utf-8")
    for needed in ("creativecommons.org/licenses/by-sa/4.0", "WordNet 3.0 Copyright", "SUBTLEX"):
        assert needed in licence
    assert "29,031" in (folder / "README.md").read_text(encoding="utf-8")
