"""`medpocket history`: what was asked and answered."""

import click

from medpocket.cli.history_audit import audit_group
from medpocket.cli.history_export import export_command, import_command
from medpocket.cli.history_file import backup_command, path_command, recover_command, verify_command
from medpocket.cli.history_find import list_command, search_command, stats_command
from medpocket.cli.history_lock import lock_command, off_command, on_command, unlock_command
from medpocket.cli.history_marks import note_command, rate_command, rename_command
from medpocket.cli.history_remove import delete_command, purge_command
from medpocket.cli.history_show import show_command
from medpocket.cli.history_sign import sign_command


@click.group()
def history() -> None:
    """Find, keep, lock and remove what was asked and answered.

    \b
    medpocket history list
    medpocket history search 'expert:cardiology after:2026-01-01 "heart failure" diur*'
    medpocket history lock                     encrypts it with a passphrase
    medpocket ask -c "And in children?"        goes on with the last conversation
    """


for _command in (
    list_command,
    search_command,
    show_command,
    note_command,
    rate_command,
    rename_command,
    sign_command,
    export_command,
    import_command,
    audit_group,
    delete_command,
    purge_command,
    stats_command,
    path_command,
    backup_command,
    verify_command,
    recover_command,
    lock_command,
    unlock_command,
    off_command,
    on_command,
):
    history.add_command(_command)
