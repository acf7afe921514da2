"""`medpocket experts add`, `remove` and `quantize`: adapters as files."""

from dataclasses import replace
from pathlib import Path

import click

from medpocket.cli import diagnostics, output
from medpocket.cli.ask import complete_expert, complete_model
from medpocket.cli.experts_hub import adapter_at
from medpocket.cli.tables import json_option
from medpocket.config import load_settings
from medpocket.errors import AdapterError, InputError, UnknownNameError
from medpocket.experts.adapter import Adapter, check_belongs, read_adapter
from medpocket.experts.library import Entry, Library, record_of
from medpocket.models.locate import default_model, locate_model
from medpocket.registry import Registry, load_registry

TYPES = ("q8_0", "q5_0", "q4_0")


@click.command("add")
@click.argument("source", metavar="FILE|DIR|hub:...")
@click.option(
    "-e", "--expert", metavar="ID", shell_complete=complete_expert, help="Whose adapter it is, where it does not say."
)
@click.option(
    "-m", "--model", metavar="ID|PATH", shell_complete=complete_model, help="The base model that it belongs to."
)
@click.option("--licence", metavar="TEXT", help="Its licence, where it does not say.")
@click.option("--replace", "replaces", is_flag=True, help="Take it in the place of the one that the expert has.")
@json_option
def add_command(
    source: str, expert: str | None, model: str | None, licence: str | None, replaces: bool, as_json: bool
) -> int:
    """Check an adapter against its base model and add it.

    FILE is a GGUF adapter; DIR is what PEFT wrote (adapter_config.json, adapter_model.safetensors), which is converted;
    hub:OWNER/NAME/FILE is a GGUF adapter that is fetched from the hub, and compared with the SHA-256 that it gives.
    """
    registry = load_registry()
    named = registry.expert(expert).id if expert else None
    with adapter_at(source) as (path, origin):
        entry = add_adapter(path, registry, named, model, licence=licence, replaces=replaces, origin=origin)
    record = entry.record
    if as_json:
        output.write_success("experts add", {"expert": record.expert, "path": str(entry.path), "sha256": record.sha256})
    else:
        output.write_line(f"{record.expert} has an adapter for {record.base_name}: {entry.path}")
    return 0


def add_adapter(
    source: Path,
    registry: Registry,
    expert: str | None,
    model: str | None,
    *,
    licence: str | None,
    replaces: bool,
    origin: str | None = None,
) -> Entry:
    """Check and add the adapter at `source`; `origin` is where it comes from, where that is another place.

    Raises AdapterError, ModelError, InputError and OSError.
    """
    import tempfile

    from medpocket.experts.matrices import write_adapter
    from medpocket.experts.peft_folder import is_peft_folder, read_peft_folder
    from medpocket.models.base_fingerprint import base_fingerprint
    from medpocket.models.gguf_check import check_model_file

    located = locate_model(model if model is not None else default_model(registry, load_settings().model), registry)
    base = check_model_file(located.path)
    with tempfile.TemporaryDirectory(prefix="medpocket-") as folder:
        path = source
        if source.is_dir():
            if not is_peft_folder(source):
                raise AdapterError("this folder holds no adapter", "give the folder that PEFT wrote, or a GGUF file")
            description, matrices = read_peft_folder(source, base)
            path = Path(folder) / "converted.gguf"
            write_adapter(path, replace(description, expert=expert, licence=licence), matrices, "f16")
        adapter = read_adapter(path)
        check_belongs(adapter, base)
        _check_acts(adapter, located.path)
        whose = expert or adapter.expert
        if whose is None:
            raise InputError("the file does not say whose adapter it is", "name its expert: -e ID")
        record = record_of(
            adapter,
            expert=registry.expert(whose).id,
            fingerprint=base_fingerprint(base),
            base_name=located.spec.title if located.spec else base.name or located.path.stem,
            source=origin or str(source),
        )
        if licence:
            record = replace(record, licence=licence)
        return Library().add(adapter, record, replace=replaces)


def _check_acts(adapter: Adapter, model: Path) -> None:
    """Raise AdapterError where the adapter holds no numbers, or leaves the logits as they are."""
    from medpocket.engine import load_engine
    from medpocket.engine.protocol import Scaled
    from medpocket.experts.matrices import check_weights
    from medpocket.types import Turn

    check_weights(adapter.path)
    engine = load_engine(model, context=512)
    try:
        prompt = engine.encode([Turn("user", "What are the symptoms of heart failure?")])
        words = engine.encode_answer("Shortness of breath, swelling and tiredness.")
        alone = engine.score(prompt, words)
        if engine.score(prompt, words, [Scaled(adapter.file)]) == alone:
            raise AdapterError(
                f"{adapter.path.name} cannot be used: it does not change what this model says at all",
                "it was never trained, or its scale is nil: get the file again, or train it",
            )
    finally:
        engine.close()


@click.command("remove")
@click.argument("expert", metavar="ID", shell_complete=complete_expert)
@click.option("-m", "--model", metavar="NAME", help="Only the one for this base, as `experts show` names it.")
@json_option
def remove_command(expert: str, model: str | None, as_json: bool) -> int:
    """Remove the adapters that were added for an expert."""
    library = Library()
    entries = [entry for entry in library.entries() if entry.record.expert == expert]
    added = [entry for entry in entries if not entry.shipped and model in (None, entry.record.base_name)]
    if not added and expert not in load_registry().experts and not entries:
        raise UnknownNameError("expert", expert, load_registry().experts, "`medpocket experts list` lists them")
    if not added:
        kept = " for this base" if model else ""
        raise InputError(f"no adapter was added for {expert}{kept}", "those that MedPocket brings cannot be removed")
    for entry in added:
        library.remove(entry)
    if as_json:
        output.write_success("experts remove", {"removed": [str(entry.path) for entry in added]})
    else:
        for entry in added:
            output.write_line(f"removed {entry.path}")
    return 0


@click.command("quantize")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--type", "kind", type=click.Choice(TYPES), default="q8_0", show_default=True, help="How it is stored.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="The file to write; default: beside FILE, with the type in its name.",
)
@json_option
def quantize_command(file: Path, kind: str, out: Path | None, as_json: bool) -> int:
    """Store an adapter in fewer bits.

    Measured on random weights, the largest error in a logit, of a change of 5.2: q8_0 0.12, q5_0 0.47, q4_0 1.12.
    """
    from medpocket.experts.matrices import Description, check_weights, read_matrices, write_adapter

    adapter = read_adapter(file)
    check_weights(file)
    written = out or file.with_name(f"{file.stem}.{kind}.gguf")
    if written.exists():
        raise InputError(f"{written} exists already", "give another name with --out, or remove it first")
    if adapter.gain is not None:
        diagnostics.notice("its measured perplexity is left out: it was measured before")
    write_adapter(written, replace(Description.of(adapter), gain=None), read_matrices(file), kind)
    size = written.stat().st_size
    if as_json:
        output.write_success(
            "experts quantize", {"path": str(written), "size": size, "size_before": adapter.size_bytes}
        )
    else:
        output.write_line(f"{written}: {size / 1e6:.2f} MB, before {adapter.size_bytes / 1e6:.2f} MB")
    return 0
