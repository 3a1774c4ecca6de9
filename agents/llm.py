"""A language model in a seat: renderer, engine and parser put together."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from sparring.agents.engines.core import Engine, Request, Sampling
from sparring.agents.render import Renderer
from sparring.envs.core import Action, Observation


@dataclass(frozen=True, slots=True)
class LLMAgent:
    """A language model that plays. It renders what it sees, samples, and answers what is not
    thought; its action keeps the sampled token ids and their log-probabilities."""

    name: str
    engine: Engine
    renderer: Renderer
    sampling: Sampling = field(default_factory=Sampling)

    async def act(self, observation: Observation) -> Action:
        prompt = self.renderer.prompt(observation)
        done = await self.engine.generate(Request(prompt, self.sampling, observation.seed))
        private, text = self.renderer.parse(done.tokens)
        return Action(text, private, prompt, done.tokens, done.logprobs)

    async def policy(self, observation: Observation) -> Mapping[str, float]:
        """P(answer) of every legal answer, renormalised over them."""
        chances = await self.answer_chances(observation)
        total = sum(chances.values())
        if total <= 0:  # all underflowed: no preference that floating point can tell
            return dict.fromkeys(chances, 1 / len(chances))
        return {answer: p / total for answer, p in chances.items()}

    async def answer_chances(self, observation: Observation) -> dict[str, float]:
        """P(answer) of every legal answer in its canonical wording; they sum to at most 1.

        The probability of an answer is the product of its tokens' probabilities, end included.
        What is missing to 1 is other wordings, thoughts and illegal answers.

        Raises:
            ValueError: the observation lists no legal answers.
        """
        if not observation.legal:
            raise ValueError("a policy needs listed legal answers")
        prompt = self.renderer.prompt(observation)
        replies = [self.renderer.answer(answer) for answer in observation.legal]
        logprobs = await self.engine.score(prompt, replies)
        return dict(zip(observation.legal, map(math.exp, logprobs), strict=True))
