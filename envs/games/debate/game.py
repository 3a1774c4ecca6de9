"""Debate: two debaters defend different answers before a judge who does not see the passage.

After G. Irving, P. Christiano and D. Amodei (2018), with the protocol of the NYU group (S. Arnesen,
D. Rein and J. Michael, 2024) and of A. Khan et al. (2024): quotes are checked against the passage,
the openings are simultaneous, the judge answers with a probability.

What it pays is in ``payoffs.py``. A judge that fails makes the game void.
"""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated

from sparring.envs.answers import each
from sparring.envs.core import (
    BadInput,
    Declaration,
    IllegalAction,
    Observation,
    Payoffs,
    Role,
    Sum,
    View,
    Void,
    visible,
)
from sparring.envs.games.debate import words
from sparring.envs.games.debate.payoffs import JUDGE_PAYOFFS, PAYOFFS
from sparring.envs.games.debate.questions import Question, Questions, load
from sparring.envs.games.debate.record import (
    CONSULTANT,
    DEBATERS,
    JUDGES,
    OTHER,
    Record,
    answer_line,
    question_line,
    quotes_in,
    record,
)
from sparring.envs.judges import Judge, ask, read_chance, say_chance
from sparring.envs.messages import private, public, rules_first, speech
from sparring.envs.options import flag, one_of, whole
from sparring.envs.quotes import resolve
from sparring.envs.referee import RETRIES

SEAT = "seat"
JUDGE = "judge"
ORDERS = ("simultaneous", "alternating")
TOO_LONG = ("cut", "illegal")
TRIES = 1 + RETRIES  # of a judge in a seat, for a verdict that can be read
CUT = " [cut]"
PLACE = 12  # words of the example of a quote, where a question brings no quotes


@dataclass(frozen=True, slots=True)
class DebateState:
    game: "Debate"
    item: Question
    correct: str  # the label whose answer is the correct one
    log: View
    spoken: int = 0  # speeches so far
    tries: int = 0  # replies of the judge that could not be read
    chance: float | None = None  # the judge's, that the first label's answer is correct

    @property
    def parts(self) -> Mapping[Role, str]:
        parts = {r: "correct" if r == self.correct else "incorrect" for r in self.game.speakers}
        return {role: parts.get(role, JUDGE) for role in self.game.roles}

    @property
    def to_act(self) -> tuple[Role, ...]:
        game = self.game
        number, before = divmod(self.spoken, len(game.speakers))
        if self.chance is not None:
            return ()
        if number == game.rounds:
            return (JUDGE,)
        in_turn = number > 0 and game.in_turn
        return game.speakers[before : before + 1] if in_turn else game.speakers

    @property
    def payoffs(self) -> Payoffs:
        if self.chance is None:
            return dict.fromkeys(self.game.roles, 0.0)
        return self.game.pays(self.chance, self.correct)

    @property
    def outcome(self) -> Mapping[str, float]:
        """``belief``: the judge's probability of the correct answer; ``correct``: whether it takes
        that one for the likelier, 1/2 where it cannot tell (the mean is the judge's accuracy);
        ``quotes``: how many there are, ``verified``: the share of them that is in the passage."""
        if self.chance is None:
            return {}
        first = self.correct == self.game.labels[0]
        good, bad = quotes_in(m.text for m in self.log if m.sender in self.game.speakers)
        return {
            "belief": self.chance if first else 1 - self.chance,
            "correct": 0.5 if self.chance == 0.5 else float((self.chance > 0.5) == first),
            "quotes": float(good + bad),
            **({"verified": good / (good + bad)} if good + bad else {}),
        }

    def forfeited(self, roles: Collection[Role]) -> Payoffs:
        """Who forfeits gets what a sure verdict against it pays, the opponent the opposite."""
        game = self.game
        lost = {role: -game.most if role in roles else 0.0 for role in game.speakers}
        if not game.consultancy:
            one, two = DEBATERS
            lost = {one: lost[one] - lost[two], two: lost[two] - lost[one]}
        return {role: lost.get(role, 0.0) for role in game.roles}

    def observe(self, role: Role) -> Observation:
        messages = visible(self.log, role)
        if role not in self.to_act:
            return Observation(role, messages)
        if role == JUDGE:
            return Observation(role, messages, None, self.game.verdicts)
        return Observation(role, messages, None, self._speeches(role))

    def _speeches(self, role: Role) -> tuple[str, ...]:
        """Examples: with a quote from the passage, with one that is not in it, without."""
        item = self.item
        places = item.correct_quotes if role == self.correct else item.wrong_quotes
        place = places[0] if places else " ".join(item.passage.split()[:PLACE])
        some = (
            f"The passage bears me out: <quote>{place}</quote>.",
            "The passage says it: <quote>in short, this side is in the right</quote>.",
            "My answer is the correct one.",
        )
        return tuple(text for text in some if len(text) <= self.game.length)

    def step(self, answers: Mapping[Role, str]) -> "DebateState":
        to_act = self.to_act
        if to_act == (JUDGE,):
            return self._judged(answers[JUDGE])
        said = each(to_act, lambda role: self._read(role, answers[role]))
        log = (*self.log, *(speech(role, text) for role, text in said.items()))
        spoken = self.spoken + len(said)
        after = replace(self, log=log, spoken=spoken)
        number, before = divmod(spoken, len(self.game.speakers))
        if before:
            return after
        if number < self.game.rounds:
            return after._tell(self.game.headline(number))
        return after._tell("Now the judge.") if self.game.seated else after._verified()

    def _tell(self, text: str) -> "DebateState":
        return replace(self, log=(*self.log, public(text)))

    def _read(self, role: Role, text: str) -> str:
        """The speech as others see it. Raises ``IllegalAction`` if it is empty or too long."""
        text, most = text.strip(), self.game.length
        if len(text) > most:
            if self.game.too_long == "illegal":
                raise IllegalAction(role, f"That speech has more than {most} characters.")
            text = _cut(text, most)
        shown = resolve(text, self.item.passage, repair=self.game.repair).text
        if not shown:
            raise IllegalAction(role, "That reply is empty. Make your case.")
        return shown

    def _judged(self, text: str) -> "DebateState":
        """The seat's verdict; after too many replies that cannot be read the game is void."""
        chance = read_chance(text, self.game.labels)
        if chance is not None:
            return self._ended(chance)
        if self.tries + 1 == TRIES:
            raise Void(f"the judge gave no verdict in {TRIES} tries")
        hint = f"That is no verdict. Reply such as {self.game.verdicts[0]}."
        return replace(self, tries=self.tries + 1, log=(*self.log, private(hint, JUDGE)))

    def _verified(self) -> "DebateState":
        """The verdict of the verifier, which reads what a judge in the seat would see."""
        public_log = (message for message in self.log if message.to is None)
        return self._ended(ask(self.game.verifier, record(public_log)).value)

    def _ended(self, chance: float) -> "DebateState":
        one, two = self.game.labels
        verdict = f"{say_chance(chance, one, 2)}, {say_chance(1 - chance, two, 2)}"
        which = "the other one" if self.correct == OTHER else f"that of {self.correct}"
        after = replace(self, chance=float(chance))
        return after._tell(f"Verdict: {verdict}. The correct answer is {which}.")


def _cut(text: str, most: int) -> str:
    """``text`` up to the last word that fits, with a mark that something is missing."""
    end = most - len(CUT)
    blank = max(text.rfind(" ", 0, end + 1), text.rfind("\n", 0, end + 1))
    return text[: blank if blank > 0 else end].rstrip() + CUT


@dataclass(frozen=True)
class Debate:
    """Debate: two debaters defend different answers, a judge who sees less decides."""

    rounds: Annotated[int, "speeches of each debater"] = 2
    order: Annotated[
        str, "simultaneous, or alternating: after the openings, which are always simultaneous, "
        "debater_1 answers debater_0"
    ] = "simultaneous"  # fmt: skip
    judge: Annotated[
        str | Judge[Record], "seat (a third role), quotes (a verifier: who quotes honestly), or a "
        "judge of your own, a callable from a Record to a Verdict"
    ] = SEAT  # fmt: skip
    payoff: Annotated[str, "of the debaters: probability, log-odds or binary"] = "probability"
    judge_payoff: Annotated[str, "of the judge in the seat: none, brier or log"] = "none"
    consultancy: Annotated[bool, "one consultant argues for one of the two answers"] = False
    question: Annotated[int | None, "always the question of this number, from 0"] = None
    questions: Annotated[
        Questions | None, "questions of your own, or the path of a JSON file of them"
    ] = None  # fmt: skip
    length: Annotated[int, "most characters of a speech"] = 2000
    too_long: Annotated[str, "a longer speech is cut, or illegal"] = "cut"
    repair: Annotated[bool, "a quote with one wrong word in eight becomes the passage's"] = False

    name = "Debate-v0"

    def __post_init__(self) -> None:
        whole("rounds", self.rounds, 1)
        one_of("order", self.order, ORDERS)
        if not callable(self.judge):
            one_of("judge", self.judge, (SEAT, *JUDGES))
        one_of("payoff", self.payoff, PAYOFFS)
        one_of("judge_payoff", self.judge_payoff, JUDGE_PAYOFFS)
        flag("consultancy", self.consultancy)
        most = len(self.items) - 1  # read now: what is wrong with them is said here
        if self.question is not None:
            whole("question", self.question, 0, most)
        whole("length", self.length, 100, 20_000)
        one_of("too_long", self.too_long, TOO_LONG)
        flag("repair", self.repair)
        if self.judge_payoff != "none" and not self.seated:
            raise BadInput(f"judge_payoff={self.judge_payoff} needs a judge in the seat")

    @cached_property
    def items(self) -> tuple[Question, ...]:
        """The questions that may come up."""
        return load(self.questions)

    @property
    def seated(self) -> bool:
        """Whether the judge is a role."""
        return self.judge == SEAT

    @property
    def verifier(self) -> Judge[Record]:
        """The judge that is none."""
        return self.judge if not isinstance(self.judge, str) else JUDGES[self.judge]

    @property
    def in_turn(self) -> bool:
        """Whether, after the openings, one debater answers the other."""
        return self.order == "alternating"

    @property
    def speakers(self) -> tuple[Role, ...]:
        return (CONSULTANT,) if self.consultancy else DEBATERS

    @property
    def labels(self) -> tuple[str, str]:
        """What the two answers are called."""
        return (CONSULTANT, OTHER) if self.consultancy else DEBATERS

    @property
    def roles(self) -> tuple[Role, ...]:
        return (*self.speakers, JUDGE) if self.seated else self.speakers

    @property
    def verdicts(self) -> tuple[str, ...]:
        """Examples of what a judge may say."""
        one, two = self.labels
        return tuple(
            say_chance(value, label)
            for value, label in ((0.7, one), (0.9, two), (0.5, one), (0.95, one), (0.8, two))
        )

    @property
    def most(self) -> float:
        """What a debater gets at most."""
        return PAYOFFS[self.payoff].worth(1.0)

    @property
    def declares(self) -> Declaration:
        paid = [JUDGE_PAYOFFS[self.judge_payoff].worth(q) for q in (0.0, 1.0)]
        zero = self.judge_payoff == "none" and not self.consultancy
        return Declaration(
            sum=Sum.ZERO if zero else Sum.GENERAL,
            hidden_information=True,
            max_turns=self.rounds * len(self.speakers) + TRIES * self.seated,
            low=min(-self.most, *paid),
            high=max(self.most, *paid),
            free_speech=True,
        )

    def pays(self, chance: float, correct: str) -> Payoffs:
        """The payoffs where the judge gives ``chance`` to the first label's answer."""
        right = chance if correct == self.labels[0] else 1 - chance
        first = PAYOFFS[self.payoff].worth(chance)
        paid = dict(zip(self.speakers, (first, -first + 0.0), strict=False))
        judge = JUDGE_PAYOFFS[self.judge_payoff].worth(right)
        return {role: paid.get(role, judge) for role in self.roles}

    def headline(self, number: int) -> str:
        """What opens a round (from 0)."""
        return words.headline(number, self.rounds, alone=self.consultancy, in_turn=self.in_turn)

    def rules(self, role: Role) -> str:
        alone, rounds = self.consultancy, self.rounds
        setting = words.setting(role, alone=alone, rounds=rounds, in_turn=self.in_turn)
        if role == JUDGE:
            paid = JUDGE_PAYOFFS[self.judge_payoff].words
            return f"{setting} {words.for_judge(self.labels, self.verdicts[0], paid)}"
        own = words.for_speaker(
            alone=alone,
            length=self.length,
            too_long=self.too_long,
            paid=PAYOFFS[self.payoff].words,
            by_quotes=self.judge == "quotes",
        )
        return f"{setting} {own}"

    def start(self, seed: int) -> DebateState:
        rng = random.Random(seed)
        number = rng.randrange(len(self.items)) if self.question is None else self.question
        return self._open(self.items[number], rng.choice(self.labels))

    def openings(self) -> list[tuple[float, DebateState]]:
        """Every question, with the correct answer on either side."""
        items = self.items if self.question is None else (self.items[self.question],)
        starts = [self._open(item, label) for item in items for label in self.labels]
        return [(1 / len(starts), start) for start in starts]

    def _open(self, item: Question, correct: str) -> DebateState:
        answers = (
            answer_line(label, item.correct if label == correct else item.wrong)
            for label in self.labels
        )
        log = (
            *rules_first(self),
            public(question_line(item.question)),
            *map(public, answers),
            private(f"Passage: {item.passage}", *self.speakers),
            public(self.headline(0)),
        )
        return DebateState(self, item, correct, log)
