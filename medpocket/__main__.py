"""`python -m medpocket`."""

from medpocket.cli import main

main()
