"""`python -m tests.tui.failing_app WHERE`: the app on the demonstration model; the end of an answer fails there."""

import asyncio
import sys
import threading

from medpocket.cli import main
from medpocket.tui.widgets.exchange_view import ExchangeView

PLANTED = "PLANTED-LOCAL"


def fail() -> None:
    secret = PLANTED
    raise KeyError(secret)


async def fail_later() -> None:
    fail()


async def finish(view: ExchangeView) -> None:
    secret = view.exchange.question + PLANTED
    if where == "handler":
        raise KeyError(secret)
    if where == "worker":
        view.run_worker(fail_later())
    if where == "thread":
        threading.Thread(target=fail).start()
    if where == "task":
        asyncio.create_task(fail_later())  # noqa: RUF006 - nobody asks what became of it


if __name__ == "__main__":
    where = sys.argv.pop()
    ExchangeView.finish = finish  # type: ignore[method-assign]
    main()
