"""`medpocket eval`: how well a model and its experts do."""

import click

from medpocket.cli.eval_answers import answers_command
from medpocket.cli.eval_experts import experts_command
from medpocket.cli.eval_import import import_command
from medpocket.cli.eval_perplexity import perplexity_command
from medpocket.cli.eval_report import report_command
from medpocket.cli.eval_run import run_command
from medpocket.cli.eval_runs import compare_command, list_command, show_command


@click.group()
def eval() -> None:
    """Measure models and experts.

    \b
    medpocket eval import mirage benchmark.json -o mirage.jsonl
    medpocket eval run demo biomistral-7b-q4 --tasks mirage.jsonl
    medpocket eval compare 1 2
    """


for _command in (
    run_command,
    list_command,
    show_command,
    compare_command,
    perplexity_command,
    answers_command,
    experts_command,
    import_command,
    report_command,
):
    eval.add_command(_command)
