"""What every start of the command costs, counted in modules rather than in seconds."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from medpocket import __version__
from medpocket.cli.app import COMMANDS, medpocket
from tests.conftest import Medpocket, check_error

HEAVY = {
    "llama_cpp",
    "numpy",
    "textual",
    "rich",
    "sqlite_utils",
    "huggingface_hub",
    "jinja2",
    "psutil",
    "platformdirs",
    "medpocket.registry",
    "medpocket.config",
    "asyncio",
}


def modules_after(*arguments: str) -> set[str]:
    code = (
        "import sys\n"
        f"sys.argv = ['medpocket', *{arguments!r}]\n"
        "from medpocket.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return set(result.stderr.split())


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)])
def test_help_and_version_import_nothing_heavy(arguments: tuple[str, ...]) -> None:
    modules = modules_after(*arguments)
    assert "click" in modules
    assert not modules & HEAVY


def test_the_help_of_ask_loads_no_model_runtime() -> None:
    assert not modules_after("ask", "--help") & {"llama_cpp", "numpy", "textual", "sqlite_utils", "huggingface_hub"}


def test_version_is_the_packages(medpocket: Medpocket) -> None:
    assert medpocket("--version").stdout == f"medpocket {__version__}\n".encode()


def test_without_a_command_and_without_a_terminal_two_lines_say_what_to_do(medpocket: Medpocket) -> None:
    check_error(medpocket(), 2, "terminal", "medpocket ask", "--help")


def test_the_table_of_commands_holds_their_own_first_lines() -> None:
    context = click.Context(medpocket)
    for name, (_, line) in COMMANDS.items():
        command = medpocket.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.help
        assert command.help.split("\n\n")[0] == line


def test_a_command_that_does_not_exist_is_refused_with_the_nearest(medpocket: Medpocket) -> None:
    check_error(medpocket("aks"), 2, "no command 'aks'", "did you mean 'ask'?")


def test_a_broken_registry_or_settings_file_names_itself(medpocket: Medpocket, home: Path) -> None:
    (home / "config").mkdir(parents=True)
    settings = home / "config" / "config.toml"
    settings.write_text("temperature = 'hot'\n")
    check_error(medpocket("ask", "-m", "demo", "q"), 1, str(settings), "temperature")
    settings.unlink()
    registry = home / "config" / "models.toml"
    registry.write_text("[models.x]\nfoo = 1\n")
    check_error(medpocket("ask", "-m", "demo", "q"), 1, str(registry), "models.x.foo")


def test_an_unforeseen_error_shows_its_place_and_no_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from medpocket.cli import app

    def fail(*_arguments: object, **_options: object) -> None:
        raise KeyError("a patient's name")

    monkeypatch.setattr(app.medpocket, "main", fail)
    assert app.run(["ask", "a patient's question"]) == 1
    shown = capsys.readouterr().err
    assert "KeyError at test_start.py:" in shown
    assert "patient's" not in shown
    assert len(shown.splitlines()) == 2
