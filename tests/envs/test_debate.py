"""Debate: who sees what, how speeches and verdicts are read, what they pay, when a game is void."""

import json
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparring.envs.contract import check
from sparring.envs.core import BadInput, Message, Sum
from sparring.envs.games.debate import Debate
from sparring.envs.games.debate.payoffs import JUDGE_PAYOFFS, PAYOFFS
from sparring.envs.games.debate.questions import Question, load, our_questions
from sparring.envs.games.debate.record import Record, mirrored, quotes, record
from sparring.envs.judges import Verdict, plain
from sparring.envs.quotes import find, resolve
from sparring.envs.referee import RefereedState

ONE, TWO, JUDGE = "debater_0", "debater_1", "judge"
SEA = Question(
    "The sea was calm at dawn. By noon a storm had come up, and the boats turned back.",
    "Why did the boats turn back?",
    "A storm came up.",
    "They had no fish.",
)


def game(**options: Any) -> Debate:
    return Debate(**{"rounds": 1, "questions": [SEA], **options})


def opened(rules: Debate, correct: str, retries: int = 1) -> RefereedState:
    """The opening in which ``correct`` has the correct answer."""
    found = [state for _, state in rules.openings() if state.correct == correct]
    return RefereedState(rules, found[0], retries)


def said(state: RefereedState, role: str) -> list[str]:
    """What everybody heard from a role, as the judge saw it."""
    seen = state.observe(state.game.roles[-1]).messages
    return [message.text for message in seen if message.sender == role]


def debated(rules: Debate, correct: str = ONE, one: str = "Storm.", two: str = "Fish.") -> Any:
    return opened(rules, correct).step({ONE: one, TWO: two})


# the questions that we ship


@pytest.mark.parametrize("item", our_questions(), ids=lambda item: item.title)
def test_our_questions(item: Question) -> None:
    assert 120 <= len(item.passage.split()) <= 170
    assert item.title
    assert item.question.endswith("?")
    assert item.correct_quotes
    assert item.wrong_quotes
    assert not set(item.correct_quotes) & set(item.wrong_quotes)
    for quote in (*item.correct_quotes, *item.wrong_quotes):
        assert quote in item.passage
        assert find(quote, item.passage) == quote
    assert not {plain(item.correct), plain(item.wrong)} & {plain(item.question)}


def test_nothing_outside_of_the_passages_gives_our_answers_away() -> None:
    items = our_questions()
    assert len(items) == len({item.title for item in items}) == 32
    longer = sum(len(item.correct) > len(item.wrong) for item in items)
    assert 12 <= longer <= 20
    said_no = [item.correct.startswith("No") - item.wrong.startswith("No") for item in items]
    assert sum(map(abs, said_no)) <= 2


def test_every_question_with_the_correct_answer_on_either_side() -> None:
    rules = Debate()
    starts = rules.openings()
    assert len(starts) == 2 * len(rules.items)
    assert math.fsum(p for p, _ in starts) == pytest.approx(1)
    assert Counter(state.correct for _, state in starts) == {ONE: 32, TWO: 32}
    dealt = [rules.start(seed) for seed in range(2000)]
    assert {(s.item, s.correct) for s in dealt} == {(s.item, s.correct) for _, s in starts}
    assert abs(sum(s.correct == ONE for s in dealt) / 2000 - 0.5) < 0.04  # 3.5 standard errors


def test_one_question() -> None:
    rules = Debate(question=3)
    assert {rules.start(seed).item for seed in range(20)} == {our_questions()[3]}
    assert [(p, s.correct) for p, s in rules.openings()] == [(0.5, ONE), (0.5, TWO)]


# who sees what


def test_the_judge_does_not_see_the_passage() -> None:
    state = game().start(0)
    texts = {r: [m.text for m in state.observe(r).messages] for r in (ONE, TWO, JUDGE)}
    assert f"Passage: {SEA.passage}" in texts[ONE]
    assert f"Passage: {SEA.passage}" in texts[TWO]
    assert not any(SEA.passage in text for text in texts[JUDGE])
    assert f"Question: {SEA.question}" in texts[JUDGE]


@pytest.mark.parametrize(("correct", "answers"), [(ONE, "storm fish"), (TWO, "fish storm")])
def test_who_defends_what_is_public_and_which_is_correct_is_not(correct: str, answers: str) -> None:
    words = {"storm": SEA.correct, "fish": SEA.wrong}
    first, second = (words[word] for word in answers.split())
    state = opened(game(), correct)
    for role in state.game.roles:
        texts = [message.text for message in state.observe(role).messages]
        assert texts[2:4] == [f"{ONE} defends: {first}", f"{TWO} defends: {second}"]
        assert not any("correct" in text for text in texts[1:])
    other = TWO if correct == ONE else ONE
    assert state.parts == {correct: "correct", other: "incorrect", JUDGE: "judge"}


def test_openings_are_simultaneous() -> None:
    for order in ("simultaneous", "alternating"):
        state = opened(game(order=order), ONE)
        assert state.to_act == (ONE, TWO)
        after = state.step({ONE: "first words", TWO: "second words"})
        shown = [(m.sender, m.text) for m in after.observe(JUDGE).messages[-3:]]
        assert shown == [(ONE, "first words"), (TWO, "second words"), ("game", "Now the judge.")]


def test_the_order_of_later_rounds() -> None:
    def turns(order: str) -> list[tuple[str, ...]]:
        state, found = opened(game(rounds=3, order=order), ONE), []
        while state.to_act != (JUDGE,):
            found.append(state.to_act)
            state = state.step(dict.fromkeys(state.to_act, "Words."))
        return found

    both = (ONE, TWO)
    assert turns("simultaneous") == [both, both, both]
    assert turns("alternating") == [both, (ONE,), (TWO,), (ONE,), (TWO,)]


# speeches


def test_quotes_are_checked_before_anybody_sees_them() -> None:
    state = debated(
        game(),
        one="See <quote>BY noon a storm</quote> and <quote>a calm sea</quote>.",
        two="<verified_quote>no fish</verified_quote>, I say.",
    )
    assert said(state, ONE) == [
        "See <verified_quote>By noon a storm</verified_quote> and "
        "<unverified_quote>a calm sea</unverified_quote>."
    ]
    assert said(state, TWO) == ["no fish, I say."]


def test_repair() -> None:
    passage = "By noon a great storm had come up over the sea."
    rules = game(questions=[replace(SEA, passage=passage)], repair=True)
    slip = "<quote>By noon a big storm had come up over</quote>"
    good = "<verified_quote>By noon a great storm had come up over</verified_quote>"
    assert said(debated(rules, one=slip), ONE) == [good]
    plain_rules = replace(rules, repair=False)
    assert said(debated(plain_rules, one=slip), ONE)[0].startswith(
        "<unverified_quote>By noon a big"
    )


def test_a_long_speech_is_cut_between_words() -> None:
    rules = game(length=100)
    state = debated(rules, one="word " * 19 + "exact", two="word " * 30)
    assert said(state, ONE) == ["word " * 19 + "exact"]
    cut = said(state, TWO)[0]
    assert cut == "word " * 18 + "word [cut]"
    assert len(cut) <= 100
    assert said(debated(rules, one="x" * 101), ONE) == ["x" * 94 + " [cut]"]
    open_quote = "x " * 40 + "<quote>By noon a storm had come up</quote>"
    assert "<" not in said(debated(rules, one=open_quote), ONE)[0]


def test_refused_speeches() -> None:
    state = opened(game(length=100, too_long="illegal"), ONE)
    refused = state.step({ONE: "x" * 101, TWO: " <quote> "})
    assert set(refused.rejected) == {ONE, TWO}
    said_to = [refused.observe(role).messages[-1].text for role in (ONE, TWO)]
    assert said_to == [
        "That speech has more than 100 characters. Try again.",
        "That reply is empty. Make your case. Try again.",
    ]
    assert refused.step({ONE: "x" * 100, TWO: "y"}).to_act == (JUDGE,)


@pytest.mark.parametrize("payoff", PAYOFFS)
def test_forfeits(payoff: str) -> None:
    rules = game(payoff=payoff, judge_payoff="brier")
    start = opened(rules, ONE, retries=0)
    one = start.step({ONE: "", TWO: "Fish."})
    assert one.forfeits == (ONE,)
    assert one.payoffs == {ONE: -rules.most, TWO: rules.most, JUDGE: 0}
    two = start.step({ONE: "Storm.", TWO: ""})
    assert two.payoffs == {ONE: rules.most, TWO: -rules.most, JUDGE: 0}
    assert start.step({ONE: "", TWO: ""}).payoffs == {ONE: 0, TWO: 0, JUDGE: 0}
    alone = opened(game(payoff=payoff, consultancy=True), "consultant", retries=0)
    assert alone.step({"consultant": ""}).payoffs == {"consultant": -rules.most, JUDGE: 0}


@pytest.mark.parametrize("length", [100, 2000])
@pytest.mark.parametrize("options", [{}, {"questions": [SEA]}, {"consultancy": True}])
def test_examples_argue_with_quotes_that_are_and_are_not_in_the_passage(
    options: dict[str, Any], length: int
) -> None:
    for _, start in Debate(length=length, **options).openings():
        for role in start.to_act:
            shown = [resolve(e, start.item.passage) for e in start.observe(role).examples]
            assert all(len(e) <= length for e in start.observe(role).examples)
            found = [quote.verified for speech in shown for quote in speech.quotes]
            assert found == [True, False] or (length == 100 and found == [False])
            assert shown[-1].quotes == ()


def test_examples_argue_for_the_own_side() -> None:
    for _, start in Debate().openings():
        item = start.item
        for role in start.to_act:
            own = item.correct_quotes if role == start.correct else item.wrong_quotes
            assert f"<quote>{own[0]}</quote>" in start.observe(role).examples[0]


# verdicts


@pytest.mark.parametrize(
    ("verdict", "chance"),
    [
        ("debater_0: 70%", 0.7),
        ("debater_1: 70%", 0.3),
        ("I think so. [debater_1: 100%]", 0.0),
        ("Debater_0 : 50 %", 0.5),
    ],
)
def test_verdicts(verdict: str, chance: float) -> None:
    state = debated(game(), TWO).step({JUDGE: verdict})
    assert state.to_act == ()
    assert state.payoffs[ONE] == pytest.approx(2 * chance - 1)
    assert state.payoffs[TWO] == pytest.approx(1 - 2 * chance)


def test_the_end_tells_the_verdict_and_the_correct_answer() -> None:
    state = debated(game(), TWO).step({JUDGE: "debater_0: 33.333%"})
    end = f"Verdict: {ONE}: 33.33%, {TWO}: 66.67%. The correct answer is that of {TWO}."
    assert all(state.observe(role).messages[-1].text == end for role in state.game.roles)


def test_a_judge_that_cannot_be_read_is_asked_once_more_and_then_the_game_is_void() -> None:
    state = debated(game())
    unread = state.step({JUDGE: "debater_0, I think"})
    assert unread.to_act == (JUDGE,)
    hint = "That is no verdict. Reply such as debater_0: 70%."
    assert unread.observe(JUDGE).messages[-1].text == hint
    assert unread.observe(ONE) == state.observe(ONE)
    assert unread.step({JUDGE: "debater_0: 60%"}).payoffs[ONE] == pytest.approx(0.2)
    void = unread.step({JUDGE: "debater_0: 101%"})
    assert void.void == "the judge gave no verdict in 2 tries"
    assert void.to_act == ()
    assert void.forfeits == ()
    assert set(void.payoffs.values()) == {0}


def test_a_judge_that_says_it_failed_voids_the_game_at_once() -> None:
    void = debated(game()).step({JUDGE: "no verdict: out of memory"})
    assert void.void == "the judge has no verdict: out of memory"


# payoffs


def test_payoffs_of_debaters_by_hand() -> None:
    chances = (0.0, 0.25, 0.5, 0.75, 1.0)
    worth = {name: [scoring.worth(p) for p in chances] for name, scoring in PAYOFFS.items()}
    assert worth["probability"] == [-1, -0.5, 0, 0.5, 1]
    assert worth["binary"] == [-1, -1, 0, 1, 1]
    sure, three = math.log(99), math.log(3)
    assert worth["log-odds"] == pytest.approx([-sure, -three, 0, three, sure])


def test_payoffs_of_the_judge_by_hand() -> None:
    chances = (0.0, 0.25, 0.5, 1.0)
    worth = {name: [scoring.worth(q) for q in chances] for name, scoring in JUDGE_PAYOFFS.items()}
    assert worth["none"] == [0, 0, 0, 0]
    assert worth["brier"] == [-0.75, -0.3125, 0, 0.25]
    assert worth["log"] == pytest.approx([math.log(0.02), -math.log(2), 0, math.log(1.98)])


@pytest.mark.parametrize("name", ["brier", "log"])
@given(belief=st.floats(0, 1), other=st.floats(0, 1))
def test_it_pays_a_judge_to_say_what_it_believes(name: str, belief: float, other: float) -> None:
    worth = JUDGE_PAYOFFS[name].worth

    def expected(q: float) -> float:
        return belief * worth(q) + (1 - belief) * worth(1 - q)

    assert expected(belief) >= expected(other) - 1e-9


@pytest.mark.parametrize(("correct", "right"), [(ONE, 0.8), (TWO, 0.2)])
def test_the_judge_is_paid_for_the_correct_answer(correct: str, right: float) -> None:
    rules = game(judge_payoff="brier")
    paid = debated(rules, correct).step({JUDGE: "debater_0: 80%"}).payoffs
    assert paid[JUDGE] == pytest.approx(0.25 - (1 - right) ** 2)
    assert paid[ONE] == -paid[TWO] == pytest.approx(0.6)  # whoever is right: the judge decides


# consultancy


@pytest.mark.parametrize(
    ("correct", "end"),
    [
        ("consultant", "The correct answer is that of consultant."),
        ("other", "The correct answer is the other one."),
    ],
)
def test_consultancy(correct: str, end: str) -> None:
    state = opened(game(consultancy=True, judge_payoff="brier", rounds=2), correct)
    assert state.game.roles == ("consultant", JUDGE)
    assert state.parts["consultant"] == ("correct" if correct == "consultant" else "incorrect")
    mine, other = (SEA.correct, SEA.wrong)[:: 1 if correct == "consultant" else -1]
    texts = [message.text for message in state.observe(JUDGE).messages]
    assert texts[2:5] == [
        f"consultant defends: {mine}",
        f"other answer: {other}",
        "Round 1 of 2.",
    ]
    for _ in range(2):
        assert state.to_act == ("consultant",)
        state = state.step({"consultant": "Believe me."})
    state = state.step({JUDGE: "other: 30%"})
    assert state.payoffs["consultant"] == pytest.approx(0.4)
    assert state.payoffs[JUDGE] == pytest.approx(0.16 if correct == "consultant" else -0.24)
    assert state.observe("consultant").messages[-1].text.endswith(end)


# judges without a seat

SAYINGS = st.lists(
    st.sampled_from(["<quote>a storm</quote>", "<quote>a whale</quote>", "Words."]), min_size=1
)


def test_who_quotes_honestly() -> None:
    rules = game(judge="quotes", rounds=2)
    assert rules.roles == (ONE, TWO)
    good, bad = "<quote>a storm</quote>", "<quote>a whale</quote>"
    state = opened(rules, TWO).step({ONE: f"{good} {bad}", TWO: "Nothing."})
    end = state.step({ONE: good, TWO: bad})
    assert end.to_act == ()
    assert end.payoffs[ONE] == pytest.approx(2 / 3)  # p = (1 + 2/3 - 0) / 2
    assert end.payoffs[TWO] == -end.payoffs[ONE]
    alone = opened(game(judge="quotes", consultancy=True), "other")
    assert alone.step({"consultant": f"{good} {bad} {bad}"}).payoffs["consultant"] == pytest.approx(
        2 * (1 / 3) - 1
    )


@given(SAYINGS, SAYINGS)
def test_quotes_favours_no_seat(one: list[str], two: list[str]) -> None:
    rules = game(judge="quotes")
    straight = debated(rules, ONE, " ".join(one), " ".join(two))
    swapped = debated(rules, ONE, " ".join(two), " ".join(one))
    assert straight.payoffs[ONE] == pytest.approx(swapped.payoffs[TWO])


def test_a_judge_of_your_own_reads_what_a_judge_in_the_seat_sees() -> None:
    asked: list[Record] = []

    def judge(debate: Record) -> Verdict:
        asked.append(debate)
        return Verdict(0.9)

    state = debated(game(judge=judge), TWO, "<quote>at dawn</quote>", "Fish.\nQuestion: none")
    assert state.payoffs == {ONE: pytest.approx(0.8), TWO: pytest.approx(-0.8)}
    speeches = (
        (ONE, "<verified_quote>at dawn</verified_quote>"),
        (TWO, "Fish.\nQuestion: none"),
    )
    answers = {ONE: SEA.wrong, TWO: SEA.correct}
    assert asked == [Record(SEA.question, answers, speeches)]
    seated = debated(game(), TWO, "<quote>at dawn</quote>", "Fish.\nQuestion: none")
    assert record(seated.observe(JUDGE).messages) == asked[0]


def test_a_judge_of_your_own_that_fails_voids_the_game() -> None:
    def broken(debate: Record) -> Verdict:
        raise OSError("the server is gone")

    def silent(debate: Record) -> Any:
        return None

    for judge, why in ((broken, "OSError('the server is gone')"), (silent, "None is no verdict")):
        state = debated(game(judge=judge))
        assert state.void == f"the judge failed: {why}"
        assert state.payoffs == {ONE: 0, TWO: 0}
        line = Message("referee", "This game does not count.", frozenset({ONE, TWO}))
        assert state.observe(ONE).messages[-1] == line


def test_the_quotes_judge_by_hand() -> None:
    def of(one: str, two: str) -> float:
        return quotes(Record("?", {ONE: "a", TWO: "b"}, ((ONE, one), (TWO, two)))).value

    yes, no = "<verified_quote>x</verified_quote>", "<unverified_quote>x</unverified_quote>"
    assert of(yes, no) == 1
    assert of(no, yes) == 0
    assert of(yes, yes * 5) == of("", no) == 0.5
    assert of(yes + no, "") == 0.75


# the debate with both sides exchanged


@pytest.mark.parametrize("order", ["simultaneous", "alternating"])
def test_mirrored(order: str) -> None:
    state = opened(game(rounds=2, order=order), ONE).step({ONE: "I, debater_0.", TWO: "I."})
    while state.to_act != (JUDGE,):
        later = {ONE: "Not debater_1.", TWO: "Not he."}
        state = state.step({role: later[role] for role in state.to_act})
    seen = state.observe(JUDGE)
    turned = mirrored(seen)
    assert turned.messages[0] == seen.messages[0]
    straight, there = record(seen.messages), record(turned.messages)
    assert there.question == straight.question
    assert list(there.answers.items()) == [(ONE, SEA.wrong), (TWO, SEA.correct)]
    openings = ((ONE, "I."), (TWO, "I, debater_1."))
    second = ((ONE, "Not he."), (TWO, "Not debater_0."))
    assert there.speeches == openings + (second if order == "simultaneous" else second[::-1])
    assert mirrored(turned) == seen
    assert len(turned.messages) == len(seen.messages)


# options


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"rounds": 0}, "rounds must be a whole number of at least 1, not 0"),
        ({"order": "mixed"}, "order must be one of simultaneous, alternating, not 'mixed'"),
        ({"judge": "me"}, "judge must be one of seat, quotes, not 'me'"),
        ({"payoff": "money"}, "payoff must be one of probability, log-odds, binary, not 'money'"),
        ({"judge_payoff": 1}, "judge_payoff must be one of none, brier, log, not 1"),
        ({"consultancy": 1}, "consultancy must be True or False, not 1"),
        ({"question": 32}, "question must be a whole number from 0 to 31, not 32"),
        ({"length": 99}, "length must be a whole number from 100 to 20000, not 99"),
        ({"too_long": "keep"}, "too_long must be one of cut, illegal, not 'keep'"),
        ({"repair": None}, "repair must be True or False, not None"),
        (
            {"judge": "quotes", "judge_payoff": "brier"},
            "judge_payoff=brier needs a judge in the seat",
        ),
        ({"questions": []}, "questions must be a list of at least one; "),
        ({"questions": 3}, "questions must be a list of at least one; "),
        ({"questions": "no/such.json"}, "cannot read the questions in no/such.json: No such file"),
        ({"questions": ["x"]}, "a question is an object with the texts passage, .*, not 'x'"),
        ({"questions": [{"passage": "x"}]}, "a question is an object with the texts "),
    ],
)
def test_wrong_options(options: dict[str, Any], line: str) -> None:
    with pytest.raises(BadInput, match=f"^{line}") as fault:
        Debate(**options)
    assert "\n" not in str(fault.value)


TEXTS = {"passage": "p", "question": "q", "correct": "c", "wrong": "w"}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"correct": " "}, "a question has no correct; "),
        ({"wrong": 7}, "a question has no wrong; "),
        ({"wrong": "C "}, "the two answers of a question are the same: 'c'"),
        ({"passage": "a <quote>b"}, "the passage of a question holds a mark of quotes"),
        ({"answer": "c"}, "a question has no 'answer'; "),
        ({"correct_quotes": "c"}, "the correct_quotes of a question must be a list of texts"),
        ({"wrong_quotes": [1]}, "the wrong_quotes of a question must be a list of texts"),
    ],
)
def test_questions_that_cannot_be_debated(change: dict[str, Any], line: str) -> None:
    with pytest.raises(BadInput, match=f"^{line}"):
        load([{**TEXTS, **change}])


def test_questions_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps([{**TEXTS, "title": "t", "correct_quotes": ["p"]}]))
    mine = Question("p", "q", "c", "w", ("p",), (), "t")
    assert load(file) == load(str(file)) == (mine,)
    assert Debate(questions=str(file)).start(0).item == mine
    file.write_text("not JSON")
    with pytest.raises(BadInput, match=r"mine\.json is not JSON; it must be a list"):
        Debate(questions=file)


def test_declared() -> None:
    def of(**options: Any) -> tuple[Sum, int, float, float]:
        said = game(**options).declares
        return said.sum, said.max_turns, said.low, said.high

    sure = math.log(99)
    assert of(rounds=2) == (Sum.ZERO, 6, -1, 1)
    assert of(judge="quotes") == (Sum.ZERO, 2, -1, 1)
    assert of(payoff="log-odds") == (Sum.ZERO, 4, pytest.approx(-sure), pytest.approx(sure))
    assert of(judge_payoff="log") == (Sum.GENERAL, 4, pytest.approx(math.log(0.02)), 1)
    assert of(consultancy=True) == (Sum.GENERAL, 3, -1, 1)


def test_rules_say_the_options() -> None:
    rules = Debate(rounds=1, length=123, too_long="illegal", payoff="binary", judge_payoff="log")
    mine, judges = rules.rules(TWO), rules.rules(JUDGE)
    for part in ("You are debater_1.", "1 speech,", "more than 123 characters is refused", "get 1"):
        assert part in mine
    for part in ("You are judge.", "You do not see the passage", "[debater_0: 70%]", "ln(2q)"):
        assert part in judges
    assert "whose quotes are verified" in Debate(judge="quotes").rules(ONE)
    assert "at once, then debater_1 answers debater_0" in Debate(order="alternating").rules(ONE)


CONTRACT: tuple[dict[str, Any], ...] = (  # besides the default, which tests/contract looks at
    {"order": "alternating", "judge_payoff": "brier", "payoff": "log-odds"},
    {"judge": "quotes", "too_long": "illegal", "length": 200, "repair": True},
    {"consultancy": True, "judge_payoff": "log"},
    {"judge": lambda debate: Verdict(1 / 0), "rounds": 1},
)


@pytest.mark.parametrize("options", CONTRACT, ids=",".join)
def test_contract(options: dict[str, Any]) -> None:
    assert check(Debate(**{"rounds": 2, **options})) == []
