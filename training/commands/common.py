"""What the commands share: parsing their options, and the console."""

from collections.abc import Sequence
from typing import TypeVar

import tyro
from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
"""Where results are printed."""

Options = TypeVar("Options")


def parse(kind: type[Options], command: str, args: Sequence[str]) -> Options:
    """Options from the command line, by the fields of a dataclass; exits with 2 on bad ones."""
    return tyro.cli(kind, args=list(args), prog=f"sparring {command}", description=kind.__doc__)
