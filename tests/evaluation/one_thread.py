"""llama.cpp's threads wait for each other busily: on a machine where other tests run, one is faster than two."""

from pathlib import Path


def one_thread(home: Path) -> None:
    """Have the command compute with one thread."""
    settings = home / "config" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text("threads = 1\n")
