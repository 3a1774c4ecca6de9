"""From an observation to tokens, and from a reply to a private thought and a public answer.

A conversation only grows: the prompt of a role's next turn is its last prompt, the very tokens it
sampled, and the tokens of what it has seen since. Nothing already said is tokenised again, so the
key-value cache stays valid and a whole game trains as one sequence per role.

Where the model's own chat template rewrites earlier turns (``template.py``), prompts follow it: a
model is at home in what it was trained on. Such a prompt does not begin with the one before, and
each turn trains as a sequence of its own, still on the very tokens that were sampled.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sparring.agents.engines.core import Tokens
from sparring.agents.template import Template
from sparring.envs.aec import transcript
from sparring.envs.core import Observation


class Renderer:
    """Turns observations into token ids with the chat template of ``tokenizer``.

    Args:
        tokenizer: a ``transformers`` tokenizer with an end-of-text token.
        show_legal: add the list of legal answers to each prompt.
        instruct: ask for one of them, with an example, as a model needs that has not learned our
            bare list; where speech is free, say whose turn it is.

    Raises:
        ValueError: the chat template loses or changes the text of a message.
    """

    def __init__(self, tokenizer: Any, *, show_legal: bool = True, instruct: bool = False):
        self.tokenizer = tokenizer
        self.show_legal = show_legal
        self.instruct = instruct
        self.template = Template(tokenizer)
        self.end = self.template.end
        self.text_tokens = lru_cache(maxsize=1 << 16)(self._encode_text)
        self.decode = lru_cache(maxsize=1 << 16)(self._decode)

    def _encode_text(self, text: str) -> Tokens:
        """What somebody said, with any special token that they typed read as plain letters."""
        clean = text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates have no bytes
        encoded = self.tokenizer.encode(clean, add_special_tokens=False, split_special_tokens=True)
        return tuple(encoded)

    def _decode(self, tokens: Tokens) -> str:
        kept = tokens[:-1] if tokens and tokens[-1] == self.end else tokens
        return str(self.tokenizer.decode(kept))

    def parse(self, tokens: Tokens) -> tuple[str, str]:
        """(private thought, public answer) of what the model said."""
        opened = "<think>" if self.template.opens else ""
        return parse(opened + self.decode(tokens))

    def answer(self, text: str) -> Tokens:
        """The tokens of an answer in its canonical wording, end token included."""
        return (*self.text_tokens(text), self.end)

    def prompt(self, observation: Observation) -> Tokens:
        """What the model reads at this turn."""
        thoughts = tuple(bool(turn.action.private) for turn in observation.turns)
        if not self.template.only_adds(thoughts):
            return self._rewritten(observation, thoughts)
        held: Tokens = ()
        if observation.turns:
            last = observation.turns[-1]
            asked = last.action.prompt or self.prompt(last.observation)
            said = last.action.tokens or self.answer(last.action.text)
            cut_off = () if said[-1] == self.end else (self.end,)
            held = (*asked, *said, *cut_off)
        before = self.template.between if held else self.template.head
        return (*held, *before, *self.text_tokens(self._new(observation)), *self.template.tail)

    def _rewritten(self, observation: Observation, thoughts: tuple[bool, ...]) -> Tokens:
        """The whole conversation as the template has it now."""
        actions = [turn.action for turn in observation.turns]
        users = [turn.observation for turn in observation.turns] + [observation]
        texts: dict[str, Callable[[int], str]] = {
            "user": lambda n: self._new(users[n]),
            "answer": lambda n: actions[n].text,
            "thought": lambda n: actions[n].private,
        }
        tokens: list[int] = []
        for piece in self.template.pieces(thoughts):
            match piece:
                case (str(kind), int(n)):
                    tokens += self.text_tokens(texts[kind](n))
                case own:
                    tokens += own
        return tuple(tokens)

    def _new(self, observation: Observation) -> str:
        """What the role has seen since its last turn, and what it is asked."""
        known = len(observation.turns[-1].observation.messages) if observation.turns else 0
        new_messages = observation.messages[known:]
        lines = [transcript(new_messages)] if new_messages else []
        return "\n".join([*lines, *self._asked(observation)])

    def _asked(self, observation: Observation) -> list[str]:
        """What is added to what the game said: which answers there are, or that one is due."""
        legal = observation.legal if self.show_legal else None
        if legal and self.instruct:
            # Measured on a model of 135M parameters: examples on lines of their own, as the reply
            # should be, make a legal answer up to a thousand times as likely as the bare list.
            examples = "\n".join(legal[:2])
            listed = ", ".join(legal)
            return [f"Your whole reply must be one of these: {listed}\nExamples:\n{examples}"]
        if legal:
            return [f"Legal: {', '.join(legal)}"]
        if self.instruct and observation.legal is None:
            return [f"It is your turn, {observation.role}."]
        return []


_TAG = re.compile(r"<\s*(/?)\s*think(?:ing)?\s*>", re.IGNORECASE)


def parse(reply: str) -> tuple[str, str]:
    """(private thought, public answer) of a reply.

    Everything up to the last ``</think>`` is private, and so is everything from a ``<think>``
    after it that never closes: a thought cut off in the middle leaves an empty answer.
    """
    cut = 0
    for tag in _TAG.finditer(reply):
        if tag[1]:
            cut = tag.end()
    opened = next((tag for tag in _TAG.finditer(reply, cut) if not tag[1]), None)
    stop = opened.start() if opened else len(reply)
    thought = reply[:cut] + reply[stop:]
    return _TAG.sub("", thought).strip(), reply[cut:stop].strip()
