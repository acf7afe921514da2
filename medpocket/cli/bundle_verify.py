"""`medpocket bundle verify`."""

from pathlib import Path

import click

from medpocket.cli import diagnostics, output
from medpocket.cli.tables import json_option
from medpocket.cli.transfer import Transfer
from medpocket.kit.checking import check_files
from medpocket.kit.manifest import Manifest, read_manifest
from medpocket.kit.signature import check_signature, signature_of
from medpocket.models.pace import amount


@click.command("verify")
@click.argument("kit", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--key", metavar="FILE", type=click.Path(path_type=Path), help="The public key that must have signed it.")
@json_option
def verify_command(kit: Path, key: Path | None, as_json: bool) -> int:
    """Compare every file of a kit with its manifest; with --key, the manifest with its signature.

    Names what is missing, changed or extra, and then exits with 1. The key must come from outside the kit.
    """
    kit = kit.expanduser()
    manifest = read_manifest(kit)
    if key:
        check_signature(kit, key.expanduser())
    transfer = Transfer(f"reading {kit.name}", manifest.size)
    try:
        findings = check_files(kit, manifest, transfer.show)
    finally:
        diagnostics.clear_progress()
    if as_json:
        found = {name: list(paths) for name, paths in vars(findings).items()}
        output.write_success("bundle verify", {**described(manifest), "signature": _signature(kit, key), **found})
    else:
        for line in findings.lines():
            output.write_line(line)
        if findings.whole:
            output.write_line(f"good: {summary(manifest)}; {_signature(kit, key)}")
    return 0 if findings.whole else 1


def summary(manifest: Manifest) -> str:
    """Say what a kit is, in one line."""
    untested = "" if manifest.tested else " (untested)"
    models = ", ".join(model.name for model in manifest.models) or "demo"
    return (
        f"MedPocket {manifest.medpocket} for {manifest.platform}{untested}, Python {', '.join(manifest.pythons)}, "
        f"{len(manifest.files)} files, {amount(manifest.size)}, models: {models}"
    )


def described(manifest: Manifest) -> dict[str, object]:
    """What a kit is, as plain values."""
    return {
        "medpocket": manifest.medpocket,
        "platform": manifest.platform,
        "tested": manifest.tested,
        "pythons": list(manifest.pythons),
        "glibc": manifest.glibc,
        "built": manifest.built,
        "size": manifest.size,
        "models": [model.name for model in manifest.models],
    }


def _signature(kit: Path, key: Path | None) -> str:
    if key:
        return f"signed by the owner of {key}"
    return "signed, not checked: give --key" if signature_of(kit) else "not signed"
