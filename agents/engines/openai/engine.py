"""The engine on a server: token ids go there, what was sampled comes back as ids with their
log-probabilities.

Servers that only take and give text cannot do that: text that is encoded again need not be what was
sampled. vLLM's can (``vllm serve``), and what is used of it beyond OpenAI's interface is named in
``docs/servers.md``. For playing alone any server will do: ``agents/served.py``.
"""

import asyncio
import math
import random
from collections.abc import Sequence
from dataclasses import replace

from sparring.agents.engines.core import Completion, EngineFault, Request, Sampling, Tokens
from sparring.agents.engines.openai.answers import SURE, chances, completion
from sparring.agents.engines.openai.server import Server
from sparring.envs.core import BadInput

AT_A_PLACE = 100
"""So many tokens are asked for in one request; vLLM takes 128."""

AS_IT_IS = {"min_p": 0.0, "repetition_penalty": 1.0, "presence_penalty": 0, "frequency_penalty": 0}
"""A model's generation_config.json may say otherwise, and it would not be the model itself."""


class OpenAIEngine:
    """Sampling from a model on a server that takes and gives token ids.

    The same seed gives the same answer as long as the server's numbers do; vLLM's last digits
    depend on what else is in its batch.

    Args:
        server: the server and the model on it; ``Request.adapter`` is the name there of a LoRA.
        end: the id of the token that ends an answer.

    Raises (when asked):
        EngineFault: the server cannot answer.
        BadInput: the server does not give token ids, or log-probabilities of something other than
            what was sampled from.
    """

    def __init__(self, server: Server, *, end: int):
        self.server = server
        self.end = end
        self._processed: bool | None = None
        self._probe: asyncio.Task[bool] | None = None

    async def generate(self, request: Request) -> Completion:
        sampling = request.sampling
        if not request.prompt:
            raise BadInput("a prompt has at least one token")
        own = not request.choices and (sampling.temperature == 0 or _is_plain(sampling))
        if not own and not await self._knows_processed(request):
            raise BadInput(
                f"{self.server.url} reports log-probabilities of the model and not of what was "
                "sampled from; serve it with --logprobs-mode processed_logprobs, or sample at "
                "temperature 1 without top_k, top_p and choices"
            )
        if request.choices:
            return await self._choose(request)
        done = await self._sample(request, request.prompt, sampling.max_tokens, request.seed)
        return Completion(done.tokens, done.logprobs, done.logprobs if own else ())

    async def score(self, prompt: Tokens, continuations: Sequence[Tokens]) -> list[float]:
        """See ``Engine``. A request for each place where continuations go on, all sent at once:
        vLLM dies of ``prompt_logprobs`` where it serves adapters (its issue 29955)."""
        places: dict[Tokens, dict[int, None]] = {}
        for more in continuations:
            for n, token in enumerate(more):
                places.setdefault(more[:n], {})[token] = None
        asked = [
            (said, some)
            for said, tokens in places.items()
            for some in _pieces(tuple(tokens), AT_A_PLACE)
        ]
        tables = await asyncio.gather(*(self._chances(prompt + said, some) for said, some in asked))
        found = {
            (said, token): p
            for (said, some), table in zip(asked, tables, strict=True)
            for token, p in zip(some, table, strict=True)
        }
        return [math.fsum(found[m[:n], token] for n, token in enumerate(m)) for m in continuations]

    async def _sample(
        self, request: Request, prompt: Tokens, most: int, seed: int, only: Tokens = ()
    ) -> Completion:
        """Up to ``most`` tokens after ``prompt``, of ``only`` these if there are any."""
        sampling = request.sampling
        body = {
            **AS_IT_IS,
            "model": request.adapter or self.server.model,
            "prompt": list(prompt),
            "max_tokens": most,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k,
            "seed": seed,
            "stop": list(sampling.stop),
            "stop_token_ids": [self.end, *sampling.stop_tokens],
            "ignore_eos": True,  # other ends that the model's files name are none of ours
            "skip_special_tokens": False,  # in the text in which `stop` is looked for
            "logprobs": 0,
            "return_token_ids": True,
        }
        if only:
            body["allowed_token_ids"] = list(only)
        server = self.server
        return await server.ask("completions", body, lambda got: completion(got, server))

    async def _choose(self, request: Request) -> Completion:
        """One of the choices. Each token that is not the only one possible is a request of its own,
        so the answer has the very tokens of a choice, and not others of the same text."""
        sampling, luck = request.sampling, random.Random(request.seed)
        if sampling.stop:
            raise BadInput("an answer among choices ends with a choice; it takes no stop texts")
        ends = {self.end, *sampling.stop_tokens}
        tokens: Tokens = ()
        logprobs: tuple[float, ...] = ()
        while len(tokens) < sampling.max_tokens and not ends & set(tokens[-1:]):
            n = len(tokens)
            on = (c[n] for c in request.choices if len(c) > n and c[:n] == tokens)
            allowed = tuple(dict.fromkeys(on))
            if not allowed:
                break
            step = Completion(allowed, (0.0,))
            if len(allowed) > 1:
                seed = luck.getrandbits(63)
                step = await self._sample(request, request.prompt + tokens, 1, seed, allowed)
                if step.tokens[0] not in allowed:
                    raise EngineFault(f"{self.server.url} does not keep to allowed_token_ids")
            tokens, logprobs = tokens + step.tokens, logprobs + step.logprobs
        return Completion(tokens, logprobs)

    async def _knows_processed(self, request: Request) -> bool:
        """Whether log-probabilities are those after temperature, cuts and choices. Asked once."""
        if self._processed is None:
            loop = asyncio.get_running_loop()
            if self._probe is None or self._probe.get_loop() is not loop or self._probe.done():
                self._probe = loop.create_task(self._ask_processed(request))
            self._processed = await asyncio.shield(self._probe)
        return self._processed

    async def _ask_processed(self, request: Request) -> bool:
        """A token that is the only one allowed is certain then. The model itself finds at least one
        of two tokens no likelier than 1/2."""
        plain = replace(request, sampling=Sampling(max_tokens=1), choices=())
        tokens = self.end, 0 if self.end else 1
        asked = (self._sample(plain, request.prompt, 1, 0, (token,)) for token in tokens)
        return min(one.logprobs[0] for one in await asyncio.gather(*asked)) > -SURE

    async def _chances(self, prompt: Tokens, tokens: Tokens) -> list[float]:
        """log P of each of ``tokens`` after ``prompt``, at temperature 1."""
        body = {
            **AS_IT_IS,
            "prompt": list(prompt),
            "max_tokens": 1,
            "temperature": 1,
            "top_p": 1,
            "top_k": 0,
            "logprobs": len(tokens),
            "logprob_token_ids": list(tokens),
            "return_tokens_as_token_ids": True,
            "return_token_ids": True,
        }

        server = self.server
        return await server.ask("completions", body, lambda got: chances(got, tokens, server))


def _is_plain(sampling: Sampling) -> bool:
    return sampling.temperature == 1 and sampling.top_k == 0 and sampling.top_p == 1


def _pieces(tokens: Tokens, size: int) -> list[Tokens]:
    return [tokens[at : at + size] for at in range(0, len(tokens), size)]
