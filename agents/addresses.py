"""Models on servers by name.

openai:MODEL                              at OPENAI_BASE_URL, or OpenAI
openai:MODEL@http://127.0.0.1:8000/v1     at that address
openai:MODEL(max_tokens=500,key=MY_KEY)   with options: see ``Options``
"""

import re
from dataclasses import dataclass, fields

from sparring.agents.chat import ChatAgent
from sparring.agents.engines.openai.access import KEY, secret
from sparring.agents.engines.openai.server import Server
from sparring.agents.engines.openai.usage import Prices
from sparring.agents.served import Chat
from sparring.envs.core import BadInput
from sparring.envs.specs import parse

ADDRESS = re.compile(r"@(?=https?:)", re.IGNORECASE)
HOW = "openai:MODEL, openai:MODEL@http://host:8000/v1 or openai:MODEL(max_tokens=500)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What may stand in parentheses after a model's name.

    temperature, top_p  of sampling; by default the server's own
    max_tokens          of an answer, thoughts included; by default the server's own
    key                 the environment variable that holds the key
    prices              dollars per million tokens: (read, written) or (read, cached, written)
    at_once, timeout, retries  as in ``Server``
    """

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    key: str = KEY
    prices: tuple[float, ...] = ()
    at_once: int = 32
    timeout: float = 120.0
    retries: int = 5

    def server(self, model: str, url: str) -> Server:
        prices = self.prices[:1] + self.prices if len(self.prices) == 2 else self.prices
        return Server(
            model,
            url,
            self.key,
            self.at_once,
            self.timeout,
            self.retries,
            Prices(*prices) if prices else None,
        )


def served(argument: str) -> ChatAgent:
    """The agent ``openai:ARGUMENT``.

    Raises:
        BadInput: the name cannot be read, or see ``Server``.
    """
    spec, url = _split(argument)
    model, options = _options(spec)
    sampling = {name: getattr(options, name) for name in ("temperature", "top_p", "max_tokens")}
    return ChatAgent(f"openai:{argument}", Chat(options.server(model, url), **sampling))


def _split(argument: str) -> tuple[str, str]:
    """The model with its options, and the address, which may be missing."""
    if found := ADDRESS.search(argument):
        return argument[: found.start()], argument[found.end() :]
    if re.search(r"@[\w.-]+:\d+(/|$)", argument):
        raise BadInput(
            "write the server's address with its http://: openai:MODEL@http://host:8000/v1"
        )
    return argument, ""


def _options(spec: str) -> tuple[str, Options]:
    """The model and what is asked of it. What cannot be read is not repeated: it may be a key."""
    try:
        model, given = parse(spec)
        options = Options(**given)
        _check(model, options)
    except (BadInput, TypeError, ValueError):
        known = ", ".join(field.name for field in fields(Options))
        raise BadInput(f"a served model is {HOW}; options are: {known}") from None
    if options.key != KEY and secret(options.key) is None:
        raise BadInput(
            "key= takes the name of an environment variable, not a key, and there is none of that "
            "name; set it, or leave key= out"
        )
    return model, options


def _check(model: str, options: Options) -> None:
    """Raises ``ValueError`` for no model, or a value of the wrong kind."""
    numbers = (options.temperature, options.top_p, options.timeout, *options.prices)
    whole = (options.max_tokens, options.at_once, options.retries)
    right = (
        bool(model.strip())
        and all(each is None or type(each) in (int, float) for each in numbers)
        and all(each is None or type(each) is int for each in whole)
        and isinstance(options.key, str)
        and len(options.prices) in (0, 2, 3)
    )
    if not right:
        raise ValueError("an option of the wrong kind")
