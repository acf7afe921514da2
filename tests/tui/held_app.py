"""`python -m tests.tui.held_app`: the app on an engine that says two words, and then waits."""

from medpocket.cli import main
from medpocket.tui import start
from tests.tui.scripted_app import Script

if __name__ == "__main__":
    start._load = Script(["one two three"], hold_before=2).load
    main()
