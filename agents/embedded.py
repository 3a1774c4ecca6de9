"""The embedded model: a tiny decoder and tokenizer made here, so that nothing is downloaded.

It starts as noise. The tokenizer is byte-level BPE trained on the words that the given games use,
so a common word is one token and any text at all can be encoded. The rules of a role never change
within a game, so each is one token of its own: prompts get short, and a laptop gets through them.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

from sparring.envs.aec import transcript
from sparring.envs.core import Game
from sparring.envs.referee import Refereed

PAD, USER, ASSISTANT, END = "<|pad|>", "<|user|>", "<|assistant|>", "<|end|>"
CHAT_TEMPLATE = (
    "{% for m in messages %}"
    "{% if m.role == 'assistant' %}{{ '<|assistant|>' + m.content + '<|end|>' }}"
    "{% else %}{{ '<|user|>' + m.content }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
WORD = Regex(r" ?\w+| ?[^\w\s]|\s")


def random_texts(game: Game, number: int, seed: int) -> Iterator[str]:
    """Everything that is said to any role after the rules, in ``number`` games of random play."""
    luck = random.Random(seed)
    rules = Refereed(game)  # an example, or the word where there is none, may be refused
    for _ in range(number):
        state = rules.start(luck.getrandbits(63))
        while state.to_act:
            seen = {role: state.observe(role) for role in state.to_act}
            answers = {r: luck.choice(o.legal or o.examples or ("yes",)) for r, o in seen.items()}
            yield from answers.values()
            yield from (f"Legal: {', '.join(o.legal)}" for o in seen.values() if o.legal)
            state = state.step(answers)
        for role in game.roles:
            said = state.observe(role).messages
            yield from (transcript((m,)) for m in said if m.text != game.rules(role))


def build_tokenizer(games: Sequence[Game], *, vocabulary: int = 512) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer for the words of ``games``; the same games give the same one."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(WORD, behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        special_tokens=[PAD, USER, ASSISTANT, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator((t for g in games for t in random_texts(g, 200, seed=0)), trainer)
    rules = [game.rules(role) for game in games for role in game.roles]
    core.add_tokens([AddedToken(text, normalized=False) for text in rules])
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[USER, ASSISTANT],
        chat_template=CHAT_TEMPLATE,
    )


def build_model(
    tokenizer: Any, *, seed: int, width: int = 128, layers: int = 4, context: int = 2048
) -> Qwen3ForCausalLM:
    """A Qwen3 decoder with random weights: about a million parameters by default, float32."""
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=3 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 32,
        num_key_value_heads=width // 32,
        head_dim=32,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        # of a layer's input to keep its size; the usual 0.02 is for wide models, and a small one
        # needs three times as long to learn a language from it
        initializer_range=width**-0.5,
        attention_dropout=0.0,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Qwen3ForCausalLM(config)
