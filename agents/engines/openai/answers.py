"""Reading what a server of token ids sends: every number is looked at before it is believed."""

import math
from collections.abc import Mapping
from typing import Any

from sparring.agents.engines.core import Completion, Tokens
from sparring.agents.engines.openai.faults import Garbage
from sparring.agents.engines.openai.server import Server
from sparring.envs.core import BadInput

SURE = 1e-3
"""Nats by which the log-probability of a certain token may differ from 0."""

IMPOSSIBLE = -9000.0
"""vLLM says -9999 for the logarithm of 0, which no sampled token can have."""


def completion(answer: Mapping[str, Any], server: Server) -> Completion:
    """The sampled tokens, and the log-probability of each as the server reports it.

    Raises:
        Garbage: that is not in it.
        BadInput: the server is not made for it.
    """
    choice = _choice(answer)
    tokens = _ids(choice, server)
    if choice.get("finish_reason") not in ("stop", "length"):
        raise Garbage(f"it broke off: {choice.get('finish_reason')!r}")
    if not tokens or not all(type(token) is int for token in tokens):
        raise Garbage("no list of token ids")
    logprobs = _logprobs(choice).get("token_logprobs")
    if not isinstance(logprobs, list) or len(logprobs) != len(tokens):
        raise Garbage("not one log-probability a token")
    if not all(isinstance(p, int | float) and math.isfinite(p) for p in logprobs):
        raise Garbage("log-probabilities that are no numbers")
    if min(logprobs) < IMPOSSIBLE:
        raise Garbage("tokens that cannot have been sampled")
    if max(logprobs) > SURE:
        raise BadInput(
            f"{server.url} reports logits; serve it with --logprobs-mode processed_logprobs"
        )
    return Completion(tuple(tokens), tuple(min(float(p), 0.0) for p in logprobs))


def chances(answer: Mapping[str, Any], tokens: Tokens, server: Server) -> list[float]:
    """log P of each of ``tokens`` in the place of the first token of an answer.

    Raises:
        Garbage: that is not in it.
        BadInput: the server is not made for it.
    """
    choice = _choice(answer)
    _ids(choice, server)
    try:
        row = _logprobs(choice)["top_logprobs"][0]
        table = {int(name.rpartition(":")[2]): float(p) for name, p in row.items()}
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        raise Garbage("no table of log-probabilities") from None
    if not table.keys() >= set(tokens):
        raise BadInput(f"{server.url} does not know logprob_token_ids: update vLLM")
    # In a batch with longer lists vLLM 0.32 fills a list up with token 0, and says -9999 for it
    if 0 in tokens and table[0] < IMPOSSIBLE:
        raise Garbage("token 0 is taken for fill")
    if not all(p <= SURE for p in table.values()):
        raise Garbage("log-probabilities that are none")
    return [table[token] for token in tokens]


def _choice(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Garbage("no choices in it")
    return choices[0]


def _logprobs(choice: Mapping[str, Any]) -> Mapping[str, Any]:
    found = choice.get("logprobs")
    return found if isinstance(found, dict) else {}


def _ids(choice: Mapping[str, Any], server: Server) -> list[Any]:
    """What only servers that are made for it send."""
    found = choice.get("token_ids")
    if found is None:
        raise BadInput(
            f"{server.url} sends no token_ids; this engine needs a server that does, such as "
            f"vLLM's, and for playing alone there is the agent openai:{server.model}"
        )
    if not isinstance(found, list):
        raise Garbage("no list of token ids")
    return found
