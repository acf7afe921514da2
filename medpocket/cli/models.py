"""`medpocket models`: weights, from where they come to what they are here."""

import click

from medpocket.cli.models_files import import_command, path_command, remove_command, verify_command
from medpocket.cli.models_list import list_command, show_command
from medpocket.cli.models_pull import pull_command
from medpocket.cli.models_recommend import recommend_command


@click.group()
def models() -> None:
    """List the models; get them by line or by USB stick, and keep them safe.

    \b
    medpocket models pull                      BioMistral-7B, 4.4 GB, goes on where it stopped
    medpocket models import /media/stick       a verified copy, with no network
    medpocket models verify                    read every file again
    medpocket models recommend                 which one this machine can run
    """


for _command in (
    list_command,
    show_command,
    pull_command,
    import_command,
    verify_command,
    remove_command,
    path_command,
    recommend_command,
):
    models.add_command(_command)
