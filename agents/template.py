"""A model's chat template, taken apart: what stands around the messages of a conversation.

Most templates only add: what they make of a conversation begins with what they made of it a turn
before, so prompts can grow token by token. Some rewrite earlier turns. Those of reasoning models
drop old thoughts, or open each answer with words that they later leave out.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sparring.agents.engines.core import Tokens

PLAIN_TEMPLATE = (
    "{% for m in messages %}"
    "{% if m.role == 'user' %}{{ 'Game: ' + m.content + '\n' }}"
    "{% else %}{{ 'Player: ' + m.content + eos_token + '\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Player: ' }}{% endif %}"
)
"""The chat template for base models that bring none."""

_USER, _ANSWER, _THOUGHT = "@user-{}@", "@answer-{}@", "@thought-{}@"
_MARK = re.compile(r"@(user|answer|thought)-(\d+)@")

Piece = Tokens | tuple[str, int]
"""Tokens of the template, or which text of the conversation stands here: ("user", 2)."""


class Template:
    """The chat template of ``tokenizer``.

    head      tokens before a first message
    between   from the end of an answer to the next message, without the end token
    tail      before an answer
    end       the id of the token that ends an answer
    opens     whether ``tail`` begins a thought, so that the model says its end only
    rewrites  what it does to earlier turns in words; "" if it only adds

    Raises:
        ValueError: it loses or changes the text of a message, or answers have no end token.
    """

    def __init__(self, tokenizer: Any):
        self.tokenizer = tokenizer
        self._template = tokenizer.chat_template or PLAIN_TEMPLATE
        first, text, thinking = map(self._text, ((), (False,), (True,)))
        parts = _MARK.split(text)[::3]
        if [m[0] for m in _MARK.finditer(text)] != ["@user-0@", "@answer-0@", "@user-1@"]:
            raise ValueError("the model's chat template changes the text of messages")
        after_answer = self._encode(parts[2])
        self.end = after_answer[0] if parts[2] else tokenizer.eos_token_id
        if self.end not in tokenizer.all_special_ids:
            raise ValueError(
                "the model's chat template does not end an answer with a special token"
            )
        self.head = self._encode(parts[0])
        self.between = after_answer[1:]
        self.tail = self._encode(parts[3])
        self.opens = parts[3].rfind("<think>") > parts[3].rfind("</think>")
        self._grows = text.startswith(first + "@answer-0@")
        self._keeps_thoughts = "@thought-0@" in thinking
        self.pieces: Callable[[tuple[bool, ...]], Sequence[Piece]] = lru_cache(self._pieces)

    @property
    def rewrites(self) -> str:
        if not self._grows:
            return "changes what stands before an answer once it is given"
        return "" if self._keeps_thoughts else "drops the thoughts of earlier turns"

    def only_adds(self, thoughts: Sequence[bool]) -> bool:
        """Whether it only adds to a conversation with (True) or without thoughts in its turns."""
        return self._grows and (self._keeps_thoughts or not any(thoughts))

    def _pieces(self, thoughts: tuple[bool, ...]) -> Sequence[Piece]:
        """What it makes of a conversation of so many answered turns and one that is due."""
        text = self._text(thoughts)
        pieces: list[Piece] = []
        at = 0
        for mark in _MARK.finditer(text):
            pieces += [self._encode(text[at : mark.start()]), (mark[1], int(mark[2]))]
            at = mark.end()
        return (*pieces, self._encode(text[at:]))

    def _text(self, thoughts: Sequence[bool]) -> str:
        chat = []
        for n, thought in enumerate(thoughts):
            private = f"<think>\n{_THOUGHT.format(n)}\n</think>\n\n" if thought else ""
            chat += [_said("user", _USER, n), _said("assistant", private + _ANSWER, n)]
        chat.append(_said("user", _USER, len(thoughts)))
        return str(
            self.tokenizer.apply_chat_template(
                chat, chat_template=self._template, tokenize=False, add_generation_prompt=True
            )
        )

    def _encode(self, text: str) -> Tokens:
        return tuple(self.tokenizer.encode(text, add_special_tokens=False))


def _said(role: str, content: str, turn: int) -> dict[str, str]:
    return {"role": role, "content": content.format(turn)}
