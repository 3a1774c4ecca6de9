"""Writing files so that they are there whole or not at all."""

from pathlib import Path


def write_aside(path: Path, text: str) -> None:
    """Write a small file beside its place and rename it, so that no reader finds half of it."""
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(text)
    aside.replace(path)
