"""From an observation to tokens, and from a reply to a private thought and a public answer.

A conversation only grows: the prompt of a role's next turn is its last prompt, the very tokens it
sampled, and the tokens of what it has seen since. Nothing already said is tokenised again, so the
key-value cache stays valid and a whole game trains as one sequence per role.
"""

import re
from functools import lru_cache
from typing import Any

from sparring.agents.engines.core import Tokens
from sparring.envs.aec import transcript
from sparring.envs.core import Observation

PLAIN_TEMPLATE = (
    "{% for m in messages %}"
    "{% if m.role == 'user' %}{{ 'Game: ' + m.content + '\n' }}"
    "{% else %}{{ 'Player: ' + m.content + eos_token + '\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Player: ' }}{% endif %}"
)
"""The chat template for base models that bring none."""

_MARKS = ("@user-1@", "@answer@", "@user-2@")


class Renderer:
    """Turns observations into token ids with the chat template of ``tokenizer``.

    The template is taken apart once, on a dummy conversation, into what stands before a first
    message, between an answer and the next message, and before an answer.

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
        roles = ("user", "assistant", "user")
        chat = [{"role": r, "content": m} for r, m in zip(roles, _MARKS, strict=True)]
        template = tokenizer.chat_template or PLAIN_TEMPLATE
        text = tokenizer.apply_chat_template(
            chat, chat_template=template, tokenize=False, add_generation_prompt=True
        )
        parts = re.split("|".join(_MARKS), text)
        if len(parts) != 4:
            raise ValueError("the model's chat template changes the text of messages")
        after_answer = self._encode(parts[2])
        self.end = after_answer[0] if parts[2] else tokenizer.eos_token_id
        if self.end not in tokenizer.all_special_ids:
            raise ValueError(
                "the model's chat template does not end an answer with a special token"
            )
        self._head = self._encode(parts[0])
        self._between = after_answer[1:]
        self._tail = self._encode(parts[3])
        self.text_tokens = lru_cache(maxsize=1 << 16)(self._encode_text)
        self.decode = lru_cache(maxsize=1 << 16)(self._decode)

    def _encode(self, text: str) -> Tokens:
        return tuple(self.tokenizer.encode(text, add_special_tokens=False))

    def _encode_text(self, text: str) -> Tokens:
        """What somebody said, with any special token that they typed read as plain letters."""
        clean = text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates have no bytes
        encoded = self.tokenizer.encode(clean, add_special_tokens=False, split_special_tokens=True)
        return tuple(encoded)

    def _decode(self, tokens: Tokens) -> str:
        kept = tokens[:-1] if tokens and tokens[-1] == self.end else tokens
        return str(self.tokenizer.decode(kept))

    def answer(self, text: str) -> Tokens:
        """The tokens of an answer in its canonical wording, end token included."""
        return (*self.text_tokens(text), self.end)

    def prompt(self, observation: Observation) -> tuple[Tokens, int]:
        """The prompt for this turn, and how many of its tokens this conversation already had."""
        held: Tokens = ()
        known = 0
        if observation.turns:
            last = observation.turns[-1]
            known = len(last.observation.messages)
            asked = last.action.prompt or self.prompt(last.observation)[0]
            said = last.action.tokens or self.answer(last.action.text)
            cut_off = () if said[-1] == self.end else (self.end,)
            held = (*asked, *said, *cut_off)
        new_messages = observation.messages[known:]
        lines = [transcript(new_messages)] if new_messages else []
        lines += self._asked(observation)
        before = self._between if held else self._head
        new = (*before, *self.text_tokens("\n".join(lines)), *self._tail)
        return held + new, len(held)

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
