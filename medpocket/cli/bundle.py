"""`medpocket bundle`: the offline kit, made where there is a network, installed where there is none."""

import click

from medpocket.cli.bundle_build import build_command
from medpocket.cli.bundle_verify import verify_command


@click.group()
def bundle() -> None:
    """Make the offline kit, from which others install without a network; verify one.

    \b
    medpocket bundle build --out /media/stick/medpocket      for machines like this one
    medpocket bundle verify /media/stick/medpocket
    sh /media/stick/medpocket/install.sh                     on the other machine
    """


for _command in (build_command, verify_command):
    bundle.add_command(_command)
