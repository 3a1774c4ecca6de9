"""Writing files so that they are there whole or not at all."""

from pathlib import Path


def in_use(folder: Path) -> bool:
    """Whether something is there that a new run would write over: a file, or a folder not empty."""
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def write_aside(path: Path, text: str) -> None:
    """Write a small file beside its place and rename it, so that no reader finds half of it."""
    aside = path.with_name(f".{path.name}.part")
    aside.write_text(text)
    aside.replace(path)
