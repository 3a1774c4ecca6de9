"""The engine on a server: ids and log-probabilities are those of what was sampled."""

import asyncio
import math
import sys
from collections import Counter
from typing import Any

import pytest

from sparring.agents.engines.core import Completion, EngineFault, Request, Sampling, Tokens
from sparring.agents.engines.openai.engine import OpenAIEngine
from sparring.agents.engines.openai.server import Server
from sparring.agents.llm import LLMAgent
from sparring.agents.play import Match, play
from sparring.agents.render import Renderer
from sparring.agents.served import servers
from sparring.envs.core import BadInput
from sparring.envs.games.kuhn import KuhnPoker

END = 3
PROMPT = (1, 4, 5)


def engine(endpoint: Any, **options: Any) -> OpenAIEngine:
    return OpenAIEngine(Server("m", endpoint.url, **{"retries": 2, **options}), end=END)


def samples(served: OpenAIEngine, seeds: int, **given: Any) -> list[Completion]:
    """An answer for each seed, all asked for at the same time."""
    choices, adapter = given.pop("choices", ()), given.pop("adapter", None)
    sampling = Sampling(**{"max_tokens": 6, **given})

    async def every() -> list[Completion]:
        asked = (Request(PROMPT, sampling, seed, choices, adapter) for seed in range(seeds))
        return await asyncio.gather(*map(served.generate, asked))

    return asyncio.run(every())


def sample(served: OpenAIEngine, seed: int = 0, **given: Any) -> Completion:
    choices, adapter = given.pop("choices", ()), given.pop("adapter", None)
    sampling = Sampling(**{"max_tokens": 6, **given})
    return asyncio.run(served.generate(Request(PROMPT, sampling, seed, choices, adapter)))


def table(last: int) -> list[float]:
    found: list[float] = sys.modules["endpoint"].table(last)
    return found


def plain(tokens: Tokens) -> list[float]:
    """log P of each of these after the prompt, under the model itself."""
    return [table(before)[t] for before, t in zip((PROMPT[-1], *tokens[:-1]), tokens, strict=True)]


def test_what_was_sampled_comes_back_id_for_id(endpoint: Any) -> None:
    served = engine(endpoint)
    done = sample(served, seed=5)
    assert done.logprobs == pytest.approx(plain(done.tokens))
    assert done.plain == done.logprobs
    assert sample(served, seed=5) == done
    many = [each.tokens for each in samples(served, 40)]
    assert len(set(many)) > 10
    for tokens in many:
        assert END not in tokens[:-1]
        assert len(tokens) == 6 or tokens[-1] == END


def test_every_setting_is_sent_and_none_is_left_to_the_server(endpoint: Any) -> None:
    sampling = Sampling(
        temperature=0.7, max_tokens=3, top_k=2, top_p=0.5, stop=("x",), stop_tokens=(7,)
    )
    served = engine(endpoint)
    asyncio.run(served.generate(Request(PROMPT, sampling, 1 << 62, adapter="lora")))
    assert endpoint.bodies()[-1] == {
        "model": "lora",
        "prompt": [1, 4, 5],
        "max_tokens": 3,
        "temperature": 0.7,
        "top_p": 0.5,
        "top_k": 2,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "presence_penalty": 0,
        "frequency_penalty": 0,
        "seed": 1 << 62,
        "stop": ["x"],
        "stop_token_ids": [END, 7],
        "ignore_eos": True,
        "skip_special_tokens": False,
        "logprobs": 0,
        "return_token_ids": True,
    }


def test_log_probabilities_are_those_of_the_sampling_distribution(endpoint: Any) -> None:
    done = sample(engine(endpoint), temperature=0.5, max_tokens=1)
    weights = [math.exp(2 * p) for p in table(PROMPT[-1])]
    assert done.logprobs[0] == pytest.approx(math.log(weights[done.tokens[0]] / sum(weights)))
    assert done.plain == (), "not known"
    greedy = sample(engine(endpoint), temperature=0, max_tokens=1)
    assert table(PROMPT[-1])[greedy.tokens[0]] == max(table(PROMPT[-1]))


@pytest.mark.parametrize(
    "given",
    [{"temperature": 0.5}, {"top_k": 2}, {"top_p": 0.5}, {"choices": ((4, END), (5, END))}],
)
def test_a_server_with_other_log_probabilities_is_found_out(endpoint: Any, given: Any) -> None:
    endpoint.processed = False
    served = engine(endpoint)
    with pytest.raises(BadInput, match="--logprobs-mode processed_logprobs"):
        sample(served, **given)
    done = sample(served)
    assert done.logprobs == done.plain == pytest.approx(plain(done.tokens))
    assert sample(served, temperature=0).tokens


def test_it_is_found_out_once(endpoint: Any) -> None:
    served = engine(endpoint)

    async def many() -> None:
        requests = (Request(PROMPT, Sampling(temperature=2), seed) for seed in range(9))
        await asyncio.gather(*map(served.generate, requests))

    asyncio.run(many())
    asyncio.run(many())
    assert len(endpoint.asked) == 18 + 2


def test_choices_are_taken_token_by_token(endpoint: Any) -> None:
    choices = ((4, 5, END), (4, 6, END), (7, END))
    served = engine(endpoint)
    found: Counter[Tokens] = Counter()
    for each in samples(served, 300, choices=choices):
        assert each.tokens in choices
        found[each.tokens] += 1
    first, second = table(PROMPT[-1]), table(4)
    seven = math.exp(first[7]) / (math.exp(first[7]) + math.exp(first[4]))
    assert found[7, END] / 300 == pytest.approx(seven, abs=0.1)
    done = sample(served, choices=choices[:2])
    other = 6 if done.tokens[1] == 5 else 5
    ratio = math.exp(second[other] - second[done.tokens[1]])
    assert done.logprobs == pytest.approx((0, -math.log(1 + ratio), 0))
    assert sample(served, choices=choices[:1]) == Completion(choices[0], (0.0, 0.0, 0.0))
    assert len(sample(served, choices=choices, max_tokens=1).tokens) == 1
    with pytest.raises(BadInput, match="no stop texts"):
        sample(served, choices=choices, stop=("x",))


def test_scores_are_of_the_model_itself(endpoint: Any) -> None:
    more = [(4, 5), (7,), (4, 6, END)]
    found = asyncio.run(engine(endpoint).score(PROMPT, more))
    assert found == pytest.approx([sum(plain(each)) for each in more])
    assert len(endpoint.asked) == 3, "after nothing, after 4 and after 4 6: no place twice"


def test_scores_of_many_answers(endpoint: Any) -> None:
    endpoint.vocabulary = 260
    more = [(token,) for token in range(250)]
    found = asyncio.run(engine(endpoint).score(PROMPT, more))
    right = sys.modules["endpoint"].table(PROMPT[-1], 260)
    assert found == pytest.approx(right[:250])
    assert max(len(body["logprob_token_ids"]) for body in endpoint.asked) <= 128


@pytest.mark.parametrize(
    ("row", "fault", "why"),
    [
        (b'{"token_id:4": -1.5}', BadInput, "update vLLM"),
        (b'{"token_id:0": -9999.0, "token_id:7": -1.5}', EngineFault, "token 0 is taken for fill"),
        (b'{"token_id:x": 1}', EngineFault, "no table"),
        (b"7", EngineFault, "no table"),
    ],
)
def test_scores_that_make_no_sense(endpoint: Any, row: bytes, fault: Any, why: str) -> None:
    junk = b'{"choices": [{"token_ids": [4], "logprobs": {"top_logprobs": [%s]}}]}' % row
    endpoint.faults.extend([junk] * 3)
    with pytest.raises(fault, match=why):
        asyncio.run(engine(endpoint).score(PROMPT, [(0,), (7,)]))


def test_what_cannot_have_been_sampled_is_garbage(endpoint: Any) -> None:
    whole = sample(engine(endpoint))
    endpoint.faults.append(
        b'{"choices": [{"token_ids": [0], "finish_reason": "stop",'
        b' "logprobs": {"token_logprobs": [-9999.0]}}]}'
    )
    assert sample(engine(endpoint)) == whole


def test_an_adapter_is_a_model_of_that_name(endpoint: Any) -> None:
    sample(engine(endpoint), adapter="lora")
    assert endpoint.bodies()[-1]["model"] == "lora"
    with pytest.raises(EngineFault, match="has no model 'nobody'"):
        sample(engine(endpoint), adapter="nobody")


def test_a_server_of_text_alone_says_so_at_once(endpoint: Any) -> None:
    endpoint.ids = False
    for asked in (sample, lambda served: asyncio.run(served.score(PROMPT, [(4,)]))):
        endpoint.asked.clear()
        with pytest.raises(BadInput, match="needs a server that does, such as vLLM's"):
            asked(engine(endpoint))
        assert len(endpoint.asked) == 1, "asking again would not help"


@pytest.mark.parametrize(
    ("junk", "why"),
    [
        (b'{"choices": []}', "no choices"),
        (b'{"choices": [{"token_ids": [], "finish_reason": "stop"}]}', "no list of token ids"),
        (b'{"choices": [{"token_ids": ["a"], "finish_reason": "stop"}]}', "no list of token ids"),
        (b'{"choices": [{"token_ids": [4], "finish_reason": "abort"}]}', "it broke off"),
        (b'{"choices": [{"token_ids": [4], "finish_reason": "stop"}]}', "not one log-prob"),
        (b'{"choices": [{"token_ids": [4], "finish_reason": "stop", "logprobs": 5}]}', "not one"),
        (b'{"choices": [{"token_ids": 4, "finish_reason": "stop"}]}', "no list of token ids"),
        (
            b'{"choices": [{"token_ids": [4], "finish_reason": "stop",'
            b' "logprobs": {"token_logprobs": [null]}}]}',
            "no numbers",
        ),
        (
            b'{"choices": [{"token_ids": [4], "finish_reason": "stop",'
            b' "logprobs": {"token_logprobs": [NaN]}}]}',
            "no numbers",
        ),
    ],
)
def test_garbage_is_asked_for_again(endpoint: Any, junk: bytes, why: str) -> None:
    whole = sample(engine(endpoint), seed=2)
    endpoint.faults.extend([junk] * 2)
    assert sample(engine(endpoint), seed=2) == whole
    endpoint.faults.extend([junk] * 3)
    with pytest.raises(EngineFault, match=why):
        sample(engine(endpoint), seed=2)


def test_logits_are_no_log_probabilities(endpoint: Any) -> None:
    endpoint.faults.append(
        b'{"choices": [{"token_ids": [4], "finish_reason": "stop",'
        b' "logprobs": {"token_logprobs": [7.5]}}]}'
    )
    with pytest.raises(BadInput, match="reports logits"):
        sample(engine(endpoint))


def test_a_game_and_its_training_data(endpoint: Any, tokenizer: Any) -> None:
    endpoint.vocabulary = len(tokenizer)
    renderer = Renderer(tokenizer)
    served = OpenAIEngine(Server("m", endpoint.url), end=renderer.end)
    player = LLMAgent("served", served, renderer, Sampling(max_tokens=4))
    rules = KuhnPoker()
    episode = asyncio.run(play(Match(rules, dict.fromkeys(rules.roles, player), 1, 1)))
    for turn, body in zip(episode.turns, endpoint.bodies(), strict=True):
        assert list(turn.action.prompt) == body["prompt"]
        assert turn.action.tokens
        assert len(turn.action.tokens) == len(turn.action.logprobs)
    assert servers([player]) == {"served": served.server}
    chances = asyncio.run(player.answer_chances(rules.start(1).observe("player_0")))
    assert 0 < sum(chances.values()) < 1
