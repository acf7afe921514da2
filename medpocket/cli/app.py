"""The `medpocket` command: its subcommands, each imported when it is used, and what becomes of errors."""

import signal
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from medpocket import __version__
from medpocket.cli import INTERRUPTED, diagnostics, output
from medpocket.errors import InputError, MedpocketError, unexpected

FAILED = 1

# Name: module with a click command of the same name, one line of help. The help of the group must not import them.
COMMANDS = {
    "ask": ("medpocket.cli.ask", "Answer one question."),
    "route": ("medpocket.cli.route", "Name the expert that TEXT belongs to, or `general` where none fits."),
    "models": ("medpocket.cli.models", "List the models; get them by line or by USB stick, and keep them safe."),
    "experts": ("medpocket.cli.experts", "List the experts; add, verify, remove, quantize and train their adapters."),
    "history": ("medpocket.cli.history", "Find, keep, lock and remove what was asked and answered."),
    "eval": ("medpocket.cli.eval", "Measure models and experts."),
    "bench": ("medpocket.cli.bench", "Measure how fast models are on this machine, and the memory that they take."),
    "bundle": (
        "medpocket.cli.bundle",
        "Make the offline kit, from which others install without a network; verify one.",
    ),
    "doctor": (
        "medpocket.cli.doctor",
        "Say what this machine has, what is installed, what is wrong, and what to do next.",
    ),
    "completion": ("medpocket.cli.completion", "Print the completion script of SHELL."),
}


class LazyGroup(click.Group):
    """A group that imports a subcommand only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the module of the command."""
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[name][0]), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest the nearest command for a name that is none."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from medpocket.errors import UnknownNameError

            raise UnknownNameError("command", args[0], COMMANDS, "`medpocket --help` lists the commands")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Nothing that you type leaves this machine.",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def medpocket(context: click.Context) -> int | None:
    """Ask a medical language model on this machine, offline.

    \b
    medpocket                       the app, in this terminal
    medpocket ask "What are the symptoms of glaucoma?"
    medpocket ask < note.txt        patient text: keeps it out of the shell's history
    medpocket doctor
    """
    if context.invoked_subcommand is not None:
        return None
    from medpocket.tui.start import open_app

    return open_app()


def run(arguments: Sequence[str]) -> int:
    """Run one command; return the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        result = medpocket.main(list(arguments), prog_name="medpocket", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        output.forget()
        return FAILED
    except Exception as error:
        code = _report(_as_ours(error), arguments)
        if isinstance(error, OSError):  # a full disk behind stdout keeps what could not be written
            output.forget()
        return code


def _as_ours(error: Exception) -> MedpocketError:
    """Give any error two clear lines."""
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "medpocket"
        return InputError(error.format_message().rstrip("."), f"`{command} --help` shows how it is used")
    if isinstance(error, click.ClickException):
        return MedpocketError(error.format_message(), "`medpocket --help` shows how it is used")
    return unexpected(error)


def _report(error: MedpocketError, arguments: Sequence[str]) -> int:
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    try:
        if "--json" in options:
            name = next((word for word in arguments if word in COMMANDS), "medpocket")
            output.write_failure(name, error)
        else:
            diagnostics.error(error)
    except OSError:  # a full disk or a closed pipe behind stdout itself
        output.forget()
        diagnostics.error(error)
    return error.exit_code
