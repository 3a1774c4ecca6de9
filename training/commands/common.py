"""What the commands share: parsing their options, and the console."""

import io
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr
from typing import TypeVar

import tyro
from rich.console import Console

from sparring.envs.core import BadInput

out = Console(highlight=False, soft_wrap=True)
"""Where results are printed."""

Options = TypeVar("Options")


def parse(kind: type[Options], command: str, args: Sequence[str]) -> Options:
    """Options from the command line, by the fields of a dataclass; exits with 2 on bad ones.

    Raises:
        BadInput: the dataclass, or one in it, does not take its values.
    """
    told = io.StringIO()
    try:
        with redirect_stderr(told):
            return tyro.cli(
                kind, args=list(args), prog=f"sparring {command}", description=kind.__doc__
            )
    except SystemExit as end:
        if fault := _bad_input(end):  # tyro has drawn a box around it, and left
            told = io.StringIO()
            raise fault from None
        raise
    finally:
        sys.stderr.write(told.getvalue())


def _bad_input(fault: BaseException | None) -> BadInput | None:
    """The bad input in whose handling ``fault`` was raised, if that is why."""
    while fault is not None and not isinstance(fault, BadInput):
        fault = fault.__context__
    return fault
