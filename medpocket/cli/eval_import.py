"""`medpocket eval import`: public files of questions as rows."""

import gzip
import json
from pathlib import Path

import click

from medpocket.cli import diagnostics
from medpocket.errors import OptionError
from medpocket.evaluation.importers import IMPORTERS, import_rows


@click.command("import")
@click.argument("kind", metavar="FORMAT", type=click.Choice(tuple(IMPORTERS)))
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Where to write; packed if .gz.")
@click.option("--replace", is_flag=True, help="Write over a file that is there.")
def import_command(kind: str, files: tuple[Path, ...], out: Path, replace: bool) -> int:
    """Turn a public file of questions into rows that `eval run` reads.

    \b
    mirage     benchmark.json of MIRAGE: MMLU-med, MedQA, MedMCQA, PubMedQA without abstracts, BioASQ
    medqa      a jsonl file of MedQA (USMLE)
    medmcqa    dev.json or train.json of MedMCQA
    pubmedqa   ori_pqal.json of PubMedQA, with its abstracts
    mmlu       csv files of MMLU, a subject each: anatomy_test.csv ...
    """
    if out.exists() and not replace:
        raise OptionError("the file to write to is there already", "give --replace to write over it, or another -o")
    rows = [row for file in files for row in import_rows(kind, file)]
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    unfinished = out.with_name(out.name + ".partial")
    try:
        unfinished.write_bytes(gzip.compress(content, mtime=0) if out.suffix == ".gz" else content)
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
    diagnostics.notice(f"{len(rows):,} questions written to {out}")
    return 0
