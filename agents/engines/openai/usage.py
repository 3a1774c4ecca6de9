"""What a served model was asked and what that costs: requests, tokens, dollars."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sparring.envs.core import BadInput

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts, as the server reports them; what it does not report counts 0.

    requests    that were answered
    retries     that failed and were sent again; what a server charges for those is not known
    prompt      tokens read, those in its cache included
    cached      of them, tokens that the server found in its cache
    completion  tokens written, thoughts included
    """

    requests: int = 0
    retries: int = 0
    prompt: int = 0
    cached: int = 0
    completion: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        mine, more = asdict(self), asdict(other)
        return Usage(**{name: mine[name] + more[name] for name in mine})


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars per million tokens: read, read from the server's cache, written."""

    prompt: float
    cached: float
    completion: float

    def __post_init__(self) -> None:
        if not min(self.prompt, self.cached, self.completion) >= 0:
            raise BadInput(f"prices are dollars per million tokens, 0 or more, not {self}")

    def cost(self, usage: Usage) -> float:
        """Dollars: ((prompt − cached)·p + cached·c + completion·q) / 10⁶."""
        read = (usage.prompt - usage.cached) * self.prompt + usage.cached * self.cached
        return (read + usage.completion * self.completion) / MILLION


def usage_of(answer: Mapping[str, Any]) -> Usage:
    """What one answer says of its tokens; 0 for whatever it leaves out or garbles."""
    said = _mapping(answer.get("usage"))
    prompt = _count(said.get("prompt_tokens"))
    cached = _count(_mapping(said.get("prompt_tokens_details")).get("cached_tokens"))
    completion = _count(said.get("completion_tokens"))
    return Usage(1, 0, prompt, min(cached, prompt), completion)


def told(usage: Usage, prices: Prices | None) -> str:
    """One line for people."""
    again = f" ({usage.retries:,} sent again)" if usage.retries else ""
    cache = f" ({usage.cached:,} from the server's cache)" if usage.cached else ""
    cost = f", ${prices.cost(usage):.4f}" if prices else ""
    return (
        f"{usage.requests:,} answers{again}, {usage.prompt:,} tokens read{cache}, "
        f"{usage.completion:,} written{cost}"
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _count(value: object) -> int:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return max(value, 0) if whole and isinstance(value, int) else 0
