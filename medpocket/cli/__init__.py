"""The command line. This module is what every start of `medpocket` imports: it stays light."""

import sys


def main() -> None:
    """Give up the network and core dumps, then run the command that was typed."""
    from medpocket.lockdown import disable_core_dumps, refuse_network

    refuse_network()
    disable_core_dumps()

    from medpocket.cli.app import run

    sys.exit(run(sys.argv[1:]))
