"""`medpocket experts`: who answers, and with which adapters."""

import click

from medpocket.cli.experts_files import add_command, quantize_command, remove_command
from medpocket.cli.experts_list import list_command, show_command, verify_command
from medpocket.cli.experts_train import train_command


@click.group()
def experts() -> None:
    """List the experts; add, verify, remove, quantize and train their adapters.

    An expert is a line that the model reads, and for each base model that has one an adapter (LoRA), which is switched
    on for its answers alone.

    \b
    medpocket experts list
    medpocket experts add ADAPTER.gguf -m biomistral-7b-q4
    medpocket experts train cardiology --base MODEL.gguf --data ROWS.jsonl
    """


for _command in (
    list_command,
    show_command,
    add_command,
    verify_command,
    remove_command,
    quantize_command,
    train_command,
):
    experts.add_command(_command)
