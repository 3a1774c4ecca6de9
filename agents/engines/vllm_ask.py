"""From our requests to vLLM's settings, and from its answers to ours."""

from itertools import count
from typing import Any

from vllm import SamplingParams
from vllm.sampling_params import RequestOutputKind

from sparring.agents.engines.core import Completion, Request
from sparring.agents.engines.vllm_watch import KEY, Watch, allowed

_NAMES = map(str, count())


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


def scoring() -> SamplingParams:
    """vLLM's for the log-probabilities of a prompt; it always says at least one token."""
    return SamplingParams(temperature=0, max_tokens=1, prompt_logprobs=0, detokenize=False)


def scored(output: Any, last: int) -> float:
    """log P of the last tokens of a prompt, so many, given those before."""
    tokens = output.prompt_token_ids[-last:]
    table = output.prompt_logprobs[-last:]
    return float(sum(at[token].logprob for at, token in zip(table, tokens, strict=True)))
