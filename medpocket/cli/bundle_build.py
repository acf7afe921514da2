"""`medpocket bundle build`."""

import re
import sys
from pathlib import Path

import click

from medpocket import paths
from medpocket.cli import diagnostics, output
from medpocket.cli.bundle_verify import described, summary
from medpocket.cli.tables import json_option
from medpocket.cli.transfer import Transfer
from medpocket.errors import InputError, OptionError
from medpocket.kit.platforms import PLATFORMS, Platform, platform_here

_PYTHONS = range(10, 15)  # minor versions: what pyproject.toml allows and the project proves
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_FAT32_MOST = (1 << 32) - 1  # bytes of the largest file that FAT32 holds


@click.command("build")
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=Path), help="The kit: a new folder.")
@click.option("--platform", "platform_name", metavar="NAME", help=f"One of {', '.join(PLATFORMS)}; default: this one.")
@click.option("--python", "pythons", metavar="3.N,...", help="Pythons of the other machines, 3.11 or 3.10..3.14.")
@click.option("--models", metavar="ID,...", help="Models that are installed here; default: the one that answers.")
@click.option("--experts", default="all", metavar="all|none|ID,...", help="Whose added adapters go along.")
@click.option(
    "--wheels", metavar="DIR", type=click.Path(path_type=Path), help="Wheels of all packages; default: build/wheels."
)
@click.option("--sign", "key", metavar="KEY", type=click.Path(path_type=Path), help="Sign with this secret key.")
@click.option("--split", metavar="SIZE", help="Cut larger files into pieces: 4g for a FAT32 stick.")
@click.option("--archive", is_flag=True, help="Write DIR.tar, too.")
@json_option
def build_command(
    out: Path,
    platform_name: str | None,
    pythons: str | None,
    models: str | None,
    experts: str,
    wheels: Path | None,
    key: Path | None,
    split: str | None,
    archive: bool,
    as_json: bool,
) -> int:
    """Make the offline kit: a folder from which MedPocket is installed without a network, and without a compiler.

    It holds all packages, models, experts, licences and advisories, a manifest with the SHA-256 of every file, and an
    installer. Wheels come from a folder that `make wheels` fills; for another platform, give wheels for it. A kit for
    a platform on which this project installed none, or in an emulator alone, is labelled untested.
    """
    from medpocket.config import load_settings
    from medpocket.kit.build import Order, build_kit
    from medpocket.kit.contents import gather
    from medpocket.models.locate import default_model
    from medpocket.registry import load_registry

    registry = load_registry()
    named = _names(models) if models else [default_model(registry, load_settings().model)]
    order = Order(
        out=out.expanduser().absolute(),
        key=key.expanduser() if key else None,
        most=_size(split) if split else None,
        archive=archive,
    )
    contents = gather(
        _platform(platform_name),
        _pythons(pythons),
        wheels.expanduser() if wheels else paths.RESOURCES / "build" / "wheels",
        named,
        None if experts == "all" else [] if experts == "none" else _names(experts),
        registry,
    )
    for model in contents.models:
        if model.advisory:
            diagnostics.notice(f"{model.title}, licence {model.licence}: {model.advisory}")
    transfer = Transfer(f"writing {order.out.name}", contents.size)
    try:
        manifest = build_kit(contents, order, transfer.show)
    finally:
        diagnostics.clear_progress()
    if as_json:
        where = {"path": str(order.out), "archive": str(order.archive_path) if archive else None}
        output.write_success("bundle build", {**where, **described(manifest)})
    else:
        output.write_line(f"{order.out}: {summary(manifest)}")
    return 0


def _platform(name: str | None) -> Platform:
    if name is None:
        here = platform_here()
        if here is None:
            raise InputError("there are no kits for this platform", f"name another: --platform {'|'.join(PLATFORMS)}")
        return here
    if name not in PLATFORMS:
        raise OptionError(f"there is no platform {name!r}", f"there are: {', '.join(PLATFORMS)}")
    return PLATFORMS[name]


def _pythons(text: str | None) -> tuple[str, ...]:
    """Read `3.11`, `3.10,3.12` or `3.10..3.14`; without text, the Python that runs this."""
    if text is None:
        return (f"{sys.version_info[0]}.{sys.version_info[1]}",)
    found: set[int] = set()
    for part in text.split(","):
        matched = re.fullmatch(r"3\.(\d{1,2})(?:\.\.3\.(\d{1,2}))?", part.strip())
        first, last = (int(matched[1]), int(matched[2] or matched[1])) if matched else (0, 0)
        if first > last or first not in _PYTHONS or last not in _PYTHONS:
            raise OptionError(
                "--python names a Python that MedPocket does not run on",
                f"give one or more of 3.{_PYTHONS[0]} to 3.{_PYTHONS[-1]}: 3.11, 3.10,3.12 or 3.10..3.14",
            )
        found.update(range(first, last + 1))
    return tuple(f"3.{minor}" for minor in sorted(found))


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    return list(dict.fromkeys(names))


def _size(text: str) -> int:
    """Read `4g`, `700m`; 4g is the most that FAT32 holds, a byte less. Raises OptionError."""
    matched = re.fullmatch(r"(\d{1,6})([kmg])b?", text.strip().lower())
    size = int(matched[1]) * _UNITS[matched[2]] if matched else 0
    if size < _UNITS["m"]:
        raise OptionError("--split needs the size of the largest file, 1m at least", "4g is what a FAT32 stick holds")
    return _FAT32_MOST if size == _FAT32_MOST + 1 else size
