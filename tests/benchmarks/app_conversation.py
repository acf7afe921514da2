"""How long the app takes to open a conversation of 500 turns, and to scroll through it.

Usage: python tests/benchmarks/app_conversation.py [TURNS]

The answers are Markdown of headings, lists, a table and code, about 1,400 characters each.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time

ANSWER = (
    """## Findings

Glaucoma is a group of eye diseases that damage the **optic nerve**, mostly by raised pressure in the eye.

- Open angle: slow, painless, the outer field is lost first.
- Closed angle: sudden pain, halos, nausea; an emergency.
- Normal tension: damage without raised pressure.

| sign | open angle | closed angle |
| --- | --- | --- |
| pain | no | severe |
| pupil | normal | mid-dilated |

1. Measure the pressure with `tonometry`.
2. Look at the angle and at the disc.
3. Test the field.

"""
    + "The treatment lowers the pressure: drops first, then laser or surgery where they are not enough. " * 6
)


async def measure(turns: int) -> None:
    """Open it five times, scroll up through 60 screens, and print seconds."""
    from medpocket.store.history import History
    from medpocket.store.records import AnsweredBy, Asked, State
    from medpocket.tui.app import MedpocketApp
    from medpocket.tui.services.engine_thread import Loaded, LoadModel, Post
    from medpocket.tui.widgets.conversation_view import MOST_MOUNTED

    def no_model(_request: LoadModel, _post: Post) -> Loaded:
        raise OSError

    history = History.open()
    assert history
    id_ = None
    for number in range(turns):
        asked = Asked(f"What of the eye, {number}?", AnsweredBy("scripted"), "eye_ent")
        recording = history.begin(asked, conversation=id_, parent=number or None)
        recording.finish(State.COMPLETE, answer=ANSWER, stop="end")
        id_ = recording.turn.conversation
    history.close()
    assert id_
    app = MedpocketApp(no_model)
    opened, scrolled, mounted = [], [], 0
    async with app.run_test(size=(120, 40)) as pilot:
        app.take_over_process()
        while app.history.state.value != "history on":
            await pilot.pause(0.05)
        for _ in range(5):
            await app.chat.action_new_chat()
            await pilot.pause(0.2)
            opened.append(await _until_drawn(app, app.chat.open_conversation(id_)))
        await pilot.pause(0.5)
        view = app.chat.conversation_view
        for _ in range(60):
            started = time.perf_counter()
            view.scroll_page_up(animate=False)
            await pilot.pause()
            scrolled.append(time.perf_counter() - started)
            mounted = max(mounted, len(view.views()))
    scrolled.sort()
    print(f"{turns} turns: opened in {', '.join(f'{one:.3f}' for one in opened)} s")
    print(f"a page up: median {statistics.median(scrolled) * 1000:.0f} ms, slowest {scrolled[-1] * 1000:.0f} ms")
    print(f"at most {mounted} answers mounted, of {MOST_MOUNTED} allowed")


async def _until_drawn(app: "object", opening: "object") -> float:
    from medpocket.tui.app import MedpocketApp

    assert isinstance(app, MedpocketApp) and asyncio.iscoroutine(opening)
    drawn = asyncio.Event()
    started = time.perf_counter()
    await opening
    app.call_after_refresh(drawn.set)
    await drawn.wait()
    return time.perf_counter() - started


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MEDPOCKET_HOME"] = folder
        asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 500))
