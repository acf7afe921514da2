"""`medpocket eval report`: the report, of what was measured on this machine."""

import contextlib
import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import click

from medpocket import __version__
from medpocket.cli import diagnostics
from medpocket.cli.eval_runs import results_option
from medpocket.cli.models_recommend import judge_models
from medpocket.errors import OptionError
from medpocket.evaluation.bench.saved import saved_benches
from medpocket.evaluation.report.content import Report, write_report
from medpocket.evaluation.report.pages import html_page, markdown_page
from medpocket.evaluation.report.systems import last_runs, systems
from medpocket.evaluation.results import Results
from medpocket.evaluation.setup import machine_here
from medpocket.models.gguf_kinds import shown
from medpocket.models.hardware import describe_machine
from medpocket.models.recommend import USES, recommend
from medpocket.registry import load_registry

_FORMATS: dict[str, Callable[[Report], str]] = {
    "html": html_page,
    "pdf-ready": lambda report: html_page(report, for_paper=True),
    "markdown": markdown_page,
    "json": lambda report: json.dumps(report.data, indent=1, allow_nan=False) + "\n",
}
_ENDINGS = {".html": "html", ".htm": "html", ".md": "markdown", ".markdown": "markdown", ".json": "json"}


@click.command("report")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--html", "form", flag_value="html", help="A page for a browser; prints well too.")
@click.option("--markdown", "form", flag_value="markdown", help="Markdown.")
@click.option("--json", "form", flag_value="json", help="Every figure, for programs.")
@click.option("--pdf-ready", "form", flag_value="pdf-ready", help="HTML for A4 paper: a browser prints it as PDF.")
@results_option
def report_command(out: Path, form: str | None, path: Path | None) -> int:
    """Write the report of what was measured into OUT, one file that needs no other.

    Size, memory, speed and medical accuracy of every model: what `medpocket eval run` and `medpocket bench` measured,
    beside what others published, marked as such; plots, and which model to take for which use on this machine. The
    form follows from OUT's ending where no option names it. A file that is there is not overwritten.
    """
    form = form or _ENDINGS.get(out.suffix.lower())
    if form is None:
        raise OptionError(
            f"{shown(out.name)} does not say what form the report is to have",
            "let it end in .html, .md or .json, or give --html, --markdown, --json or --pdf-ready",
        )
    if out.exists():
        raise _there_already(out)
    if not out.parent.is_dir():
        raise _cannot_be_written(out, "there is no such folder")
    report = _report(path)
    diagnostics.clear_progress()
    _write(out, _FORMATS[form](report))
    diagnostics.notice(f"written: {out}")
    return 0


def _report(path: Path | None) -> Report:
    registry, machine = load_registry(), describe_machine()
    with Results(path) as results:
        runs = last_runs(results)
    judged, rates = judge_models(registry, machine, demonstration=True)
    choice = [one for one in judged if not one.spec.demonstration]
    uses = [recommend(use, choice, registry, machine.memory.available_bytes) for use in USES]
    here = machine_here()
    made = (
        f"Made by MedPocket {__version__} on {datetime.now(timezone.utc):%Y-%m-%d} with `medpocket eval report`, on "
        f"{here['processor']}, {here['cores']} cores, {here['memory_gb']} GB, {here['system']}."
    )
    return write_report(made, systems(judged, saved_benches(), runs), runs, uses, busy=bool(rates and rates.busy))


def _write(out: Path, page: str) -> None:
    try:
        file = out.open("x", encoding="utf-8")
    except FileExistsError:
        raise _there_already(out) from None
    except OSError as error:
        raise _cannot_be_written(out, str(error.strerror)) from None
    try:
        with file:
            file.write(page)
    except BaseException:
        with contextlib.suppress(OSError):
            out.unlink()
        raise


def _cannot_be_written(out: Path, why: str) -> OptionError:
    return OptionError(f"{shown(str(out), 120)} cannot be written: {why}", "name a file in a folder that you can write")


def _there_already(out: Path) -> OptionError:
    return OptionError(f"there is a file {shown(out.name)} already", "it is not overwritten: name another one")
