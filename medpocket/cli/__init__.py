"""The command line. This module is what every start of `medpocket` imports: it stays light."""

import os
import signal
import sys

INTERRUPTED = 130


def main() -> None:
    """Give up the network and core dumps, then run the command that was typed."""
    # While modules are imported there is nothing to keep: Ctrl-C ends the process without a word.
    signal.signal(signal.SIGINT, lambda _signal, _frame: os._exit(INTERRUPTED))

    from medpocket.lockdown import disable_core_dumps, refuse_network

    refuse_network()
    disable_core_dumps()

    from medpocket.cli.app import run

    code = run(sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the work is done, and its result decided
    sys.exit(code)
