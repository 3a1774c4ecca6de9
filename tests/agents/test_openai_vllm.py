"""Against vLLM's own server: what it says it sampled is what the model says it is."""

import asyncio
import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model

from sparring.agents.chat import ChatAgent
from sparring.agents.engines.core import Completion, EngineFault, Request, Sampling, Tokens
from sparring.agents.engines.openai.engine import OpenAIEngine
from sparring.agents.engines.openai.server import Server
from sparring.agents.llm import LLMAgent
from sparring.agents.play import Match, play, play_all
from sparring.agents.registry import agent
from sparring.agents.render import Renderer
from sparring.agents.served import Chat
from sparring.envs.core import BadInput
from sparring.envs.games.kuhn import KuhnPoker
from sparring.training.cli import main

PYTHON = os.environ.get("SPARRING_VLLM") or (
    sys.executable if importlib.util.find_spec("vllm") else None
)
pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(PYTHON is None, reason="no vLLM: install it, or set SPARRING_VLLM=PYTHON"),
]
KEY = f"sk-{secrets.token_hex(8)}"
START = 300  # seconds


class Served:
    """vLLM's server in a process of its own."""

    def __init__(self, folder: Path, *options: str):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        self.log = folder / f"vllm-{port}.log"
        set_up = {
            "VLLM_API_KEY": KEY,
            "VLLM_CPU_KVCACHE_SPACE": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
        }
        inherited = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        command = [str(PYTHON), "-m", "vllm.entrypoints.openai.api_server"]
        command += ["--host", "127.0.0.1", "--port", str(port), "--model", str(folder / "model")]
        command += ["--served-model-name", "tiny", "--dtype", "float32", "--enforce-eager"]
        command += ["--max-model-len", "512", "--max-num-seqs", "16", *options]
        self.process = subprocess.Popen(
            command,
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
            env=inherited | set_up,
            start_new_session=True,
        )
        self._wait()

    def _wait(self) -> None:
        until = time.monotonic() + START
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(self.url.removesuffix("v1") + "health", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.5)
        self.stop()
        pytest.fail(f"vLLM did not start: {self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        """End it and the processes that it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, new_model: Callable[..., Any], tokenizer: Any
) -> Path:
    """A tiny model that prefers some tokens to others, and an adapter that changes its mind."""
    where = tmp_path_factory.mktemp("served")
    model = new_model(loud=8.0)
    model.save_pretrained(where / "model")
    tokenizer.save_pretrained(where / "model")
    torch.manual_seed(1)
    config = LoraConfig(r=8, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    get_peft_model(new_model(loud=8.0), config).save_pretrained(where / "lora")
    return where


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    # a slot for adapters more than there are: on a CPU, vLLM 0.32 answers with the last slot where
    # no adapter was asked for
    lora = ("--enable-lora", "--max-lora-rank", "8", "--max-loras", "2")
    lora += ("--lora-modules", f"lora={folder / 'lora'}")
    found = Served(folder, "--logprobs-mode", "processed_logprobs", *lora)
    yield found
    found.stop()


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openai")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def renderer(tokenizer: Any) -> Renderer:
    return Renderer(tokenizer)


def engine(served: Served, renderer: Renderer) -> OpenAIEngine:
    return OpenAIEngine(Server("tiny", served.url, retries=1), end=renderer.end)


def ask(engine: OpenAIEngine, requests: list[Request]) -> list[Completion]:
    async def every() -> list[Completion]:
        return await asyncio.gather(*map(engine.generate, requests))

    return asyncio.run(every())


def logits(model: Any, prompt: Tokens, said: Tokens) -> torch.Tensor:
    """What the model itself thinks at each token of ``said``: [T, V]."""
    with torch.no_grad():
        found: torch.Tensor = model(torch.tensor([[*prompt, *said]])).logits[0]
    return found[len(prompt) - 1 : -1].double()


def first_prompt(renderer: Renderer) -> Tokens:
    return renderer.prompt(KuhnPoker().start(1).observe("player_0"))


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_log_probabilities_are_right(
    served: Served, renderer: Renderer, new_model: Callable[..., Any], temperature: float
) -> None:
    model, prompt = new_model(loud=8.0), first_prompt(renderer)
    sampling = Sampling(max_tokens=12, temperature=temperature)
    found = ask(engine(served, renderer), [Request(prompt, sampling, seed) for seed in range(16)])
    assert len({each.tokens for each in found}) > 8
    for done in found:
        table = (logits(model, prompt, done.tokens) / temperature).log_softmax(-1)
        right = table.gather(1, torch.tensor(done.tokens)[:, None])[:, 0].tolist()
        assert done.logprobs == pytest.approx(right, abs=2e-3)
        assert renderer.end not in done.tokens[:-1]
        assert len(done.tokens) == 12 or done.tokens[-1] == renderer.end
    again = ask(engine(served, renderer), [Request(prompt, sampling, seed) for seed in range(16)])
    assert [each.tokens for each in again] == [each.tokens for each in found]


def test_cuts_and_ends(served: Served, renderer: Renderer, new_model: Callable[..., Any]) -> None:
    model, prompt = new_model(loud=8.0), first_prompt(renderer)
    source = engine(served, renderer)
    greedy, top = (
        ask(source, [Request(prompt, sampling, 3)])[0]
        for sampling in (Sampling(temperature=0, max_tokens=8), Sampling(top_k=1, max_tokens=8))
    )
    assert greedy.tokens == top.tokens
    assert list(greedy.tokens) == logits(model, prompt, greedy.tokens).argmax(-1).tolist()
    assert top.logprobs == pytest.approx([0.0] * len(top.tokens))
    free = ask(source, [Request(prompt, Sampling(max_tokens=8), 5)])[0]
    stopped = Sampling(max_tokens=8, stop_tokens=(free.tokens[2],))
    until = free.tokens.index(free.tokens[2]) + 1
    assert ask(source, [Request(prompt, stopped, 5)])[0].tokens == free.tokens[:until]


def test_stop_texts(served: Served, renderer: Renderer) -> None:
    """The token that completes the text is the last."""
    source, prompt = engine(served, renderer), first_prompt(renderer)
    requests = [Request(prompt, Sampling(max_tokens=16), seed) for seed in range(8)]
    stopped = Sampling(max_tokens=16, stop=("e", "a"))
    free = ask(source, requests)
    cut = ask(source, [Request(prompt, stopped, seed) for seed in range(8)])
    assert any(len(a.tokens) < len(b.tokens) for a, b in zip(cut, free, strict=True))
    for short, whole in zip(cut, free, strict=True):
        assert whole.tokens[: len(short.tokens)] == short.tokens
        before = renderer.decode(short.tokens[:-1])
        assert not {"e", "a"} & set(before)
        said = renderer.decode(short.tokens)
        assert short.tokens == whole.tokens or {"e", "a"} & set(said)


def test_choices_and_scores(
    served: Served, renderer: Renderer, new_model: Callable[..., Any]
) -> None:
    model, prompt = new_model(loud=8.0), first_prompt(renderer)
    choices = tuple(renderer.answer(text) for text in ("check", "bet", "call", "no such word"))
    source = engine(served, renderer)
    found = ask(source, [Request(prompt, Sampling(), seed, choices) for seed in range(12)])
    for done in found:
        assert done.tokens in choices
        for at, table in enumerate(logits(model, prompt, done.tokens)):
            on = {c[at] for c in choices if c[:at] == done.tokens[:at] and len(c) > at}
            left = table[sorted(on)].log_softmax(-1)[sorted(on).index(done.tokens[at])]
            assert done.logprobs[at] == pytest.approx(float(left), abs=2e-3)

    async def together() -> tuple[list[float], Completion]:
        """Both in one batch: what the one wants to know is not taken for the other."""
        free = Request(prompt, Sampling(max_tokens=8), 1)
        return await asyncio.gather(source.score(prompt, choices), source.generate(free))

    scores, beside = asyncio.run(together())
    assert beside == ask(source, [Request(prompt, Sampling(max_tokens=8), 1)])[0]
    for score, choice in zip(scores, choices, strict=True):
        table = logits(model, prompt, choice).log_softmax(-1)
        right = float(table.gather(1, torch.tensor(choice)[:, None]).sum())
        assert score == pytest.approx(right, abs=5e-3)


def test_an_adapter(
    served: Served, folder: Path, renderer: Renderer, new_model: Callable[..., Any]
) -> None:
    """Beside the model as it is, in one batch."""
    source, prompt = engine(served, renderer), first_prompt(renderer)
    adapted = PeftModel.from_pretrained(new_model(loud=8.0), folder / "lora").eval()
    models = {None: new_model(loud=8.0), "lora": adapted}
    sampling = Sampling(max_tokens=8)
    asked = [Request(prompt, sampling, seed, (), name) for seed in range(4) for name in models]
    for request, done in zip(asked, ask(source, asked), strict=True):
        table = logits(models[request.adapter], prompt, done.tokens).log_softmax(-1)
        right = table.gather(1, torch.tensor(done.tokens)[:, None])[:, 0].tolist()
        assert done.logprobs == pytest.approx(right, abs=2e-3)
    with pytest.raises(EngineFault, match="has no model 'nobody'"):
        ask(source, [Request(prompt, Sampling(), 1, (), "nobody")])


def test_games_whose_tokens_are_the_sampled_ones(served: Served, renderer: Renderer) -> None:
    source = engine(served, renderer)
    player = LLMAgent("served", source, renderer, Sampling(max_tokens=6))
    rules = KuhnPoker(hands=2)
    seats = dict.fromkeys(rules.roles, player)
    episodes = asyncio.run(play_all([Match(rules, seats, seed, seed) for seed in range(6)]))
    for turn in (turn for episode in episodes for turn in episode.turns):
        action = turn.action
        assert action.tokens
        assert len(action.tokens) == len(action.logprobs)
        assert renderer.decode(action.tokens).endswith(action.text)
    assert source.server.usage.completion == sum(
        len(turn.action.tokens) for episode in episodes for turn in episode.turns
    )


def test_a_chat_by_name(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"openai:tiny(max_tokens=8)@{served.url}"
    player = agent(name, "KuhnPoker-v0")
    rules = KuhnPoker()
    seats = dict.fromkeys(rules.roles, player)
    episodes = [asyncio.run(play(Match(rules, seats, 1, 1))) for _ in range(2)]
    assert episodes[0] == episodes[1], "seeds reach the server"
    assert isinstance(player, ChatAgent)
    assert isinstance(player.complete, Chat)
    usage = player.complete.server.usage
    assert 0 < usage.completion <= 8 * usage.requests
    assert main(["evaluate", name, "random", "--games", "4"]) == 0
    assert f"{name}: " in capsys.readouterr().out


def test_what_a_user_may_get_wrong(
    served: Served, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = first_prompt(renderer)
    with pytest.raises(EngineFault, match=r"refuses the request: .*maximum context length"):
        ask(engine(served, renderer), [Request(prompt * 100, Sampling(), 0)])
    wrong = OpenAIEngine(Server("tiny", served.url.removesuffix("/v1")), end=renderer.end)
    with pytest.raises(EngineFault, match="usually ends in /v1"):
        ask(wrong, [Request(prompt, Sampling(), 0)])
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
    with pytest.raises(EngineFault, match="does not take the key") as refused:
        ask(engine(served, renderer), [Request(prompt, Sampling(), 0)])
    assert "sk-wrong" not in str(refused.value)


def test_a_server_as_it_is_by_default_and_its_death(folder: Path, renderer: Renderer) -> None:
    served = Served(folder)
    try:
        source, prompt = engine(served, renderer), first_prompt(renderer)
        done = ask(source, [Request(prompt, Sampling(max_tokens=4), 1)])[0]
        assert done.plain == done.logprobs
        with pytest.raises(BadInput, match="--logprobs-mode processed_logprobs"):
            ask(source, [Request(prompt, Sampling(temperature=0.5), 1)])

        async def killed() -> None:
            asked = Request(prompt, Sampling(max_tokens=400, stop_tokens=()), 1)
            flying = [asyncio.ensure_future(source.generate(asked)) for _ in range(8)]
            await asyncio.sleep(0.2)
            served.stop()
            await asyncio.gather(*flying)

        with pytest.raises(EngineFault, match="cannot be reached"):
            asyncio.run(killed())
    finally:
        served.stop()
    assert KEY not in served.log.read_text()
