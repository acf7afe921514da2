"""`medpocket models`: the models, and what this machine can do with them."""

import click

from medpocket.cli.models_recommend import recommend_command


@click.group()
def models() -> None:
    """Find the model that this machine can run."""


models.add_command(recommend_command)
