"""From our requests to vLLM's settings, and from its answers to ours."""

from itertools import count
from typing import Any

from vllm import SamplingParams
from vllm.sampling_params import RequestOutputKind

from sparring.agents.engines.core import Completion, Request
from sparring.agents.engines.vllm.watch import KEY, Watch, allowed
from sparring.envs.core import BadInput

HEATS = (0.01, 2.0)
"""Temperatures of vLLM (0.32): lower ones it raises without a word, higher ones it refuses."""

_NAMES = map(str, count())


def check(request: Request, longest: int, decodes: bool = True) -> None:
    """Raises ``BadInput`` where a request does not fit an engine that reads so many tokens."""
    tokens, heat = len(request.prompt) + request.sampling.max_tokens, request.sampling.temperature
    if tokens > longest:
        raise BadInput(
            f"a prompt and its answer take up to {tokens} tokens, but vLLM reads at most "
            f"{longest} of this model; play a shorter game, or allow shorter answers"
        )
    if request.sampling.stop and not decodes:
        raise BadInput("stop texts need an engine that can decode: VLLMEngine(decode=...)")
    if not request.prompt:
        raise BadInput("a prompt has at least one token")
    if heat and not HEATS[0] <= heat <= HEATS[1]:
        raise BadInput(f"vLLM samples at temperature 0 or from 0.01 to 2, not {heat}")


def watch(request: Request) -> Watch | None:
    """What tells the model's own probabilities and keeps to the choices, where vLLM does not."""
    sampling = request.sampling
    plain = sampling.temperature in (0, 1) and sampling.top_k == 0 and sampling.top_p == 1
    return None if plain and not request.choices else Watch(next(_NAMES), request)


def settings(request: Request, end: int, watching: Watch | None = None) -> SamplingParams:
    """vLLM's for one answer. Stop texts are left out: vLLM has no tokenizer here."""
    sampling = request.sampling
    longest = max(map(len, request.choices), default=sampling.max_tokens)
    return SamplingParams(
        temperature=sampling.temperature,
        top_k=sampling.top_k,
        top_p=sampling.top_p,
        max_tokens=min(sampling.max_tokens, longest),
        stop_token_ids=[token for token in (end, *sampling.stop_tokens) if token >= 0],
        ignore_eos=True,  # the end token is ours to say
        seed=request.seed,
        logprobs=0,
        detokenize=False,
        extra_args=None if watching is None else {KEY: watching.name},
        output_kind=RequestOutputKind.CUMULATIVE if sampling.stop else RequestOutputKind.FINAL_ONLY,
    )


def answer(request: Request, output: Any, watching: Watch | None = None) -> Completion:
    """What was said; of choices that end without an end token, no more than the choice."""
    (said,) = output.outputs
    tokens = tuple(map(int, said.token_ids))
    logprobs = tuple(at[t].logprob for at, t in zip(said.logprobs, tokens, strict=True))
    plain = logprobs if watching is None else watching.end(tokens)
    if request.choices:
        ends = (n for n in range(1, len(tokens)) if not allowed(request.choices, tokens[:n]))
        cut = next(ends, len(tokens))
        tokens, logprobs, plain = tokens[:cut], logprobs[:cut], plain[:cut]
    return Completion(tokens, plain if request.sampling.temperature == 0 else logprobs, plain)
