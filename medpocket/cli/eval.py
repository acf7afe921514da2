"""`medpocket eval`: how well a model and its experts do."""

import click

from medpocket.cli.eval_experts import experts_command
from medpocket.cli.eval_run import run_command
from medpocket.cli.eval_runs import compare_command, list_command, show_command


@click.group()
def eval() -> None:
    """Measure models and experts.

    \b
    medpocket eval run demo biomistral-7b-q4 --tasks QUESTIONS.jsonl
    medpocket eval compare 1 2
    """


for _command in (run_command, list_command, show_command, compare_command, experts_command):
    eval.add_command(_command)
