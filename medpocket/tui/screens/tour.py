"""The tour: three pages over the conversation."""

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from medpocket.text import without_controls
from medpocket.tui.first_run import tour_was_seen
from medpocket.tui.keys import SCREEN, TOUR, bindings

# A key's id in braces stands for the key, as the user has it.
PAGES = (
    (
        "What MedPocket is, and what it is not",
        """\
A language model on this machine answers medical questions, with a specialist for each field where one helps. \
Nothing that you type leaves the machine: this process cannot open a network connection, and the bottom line says \
"offline" when that was tried.

MedPocket is not a medical device. It makes no diagnosis, replaces no judgement, and is not for emergencies. It can be \
wrong and sound sure: check what matters against your sources.

Until BioMistral-7B is installed (medpocket models pull), a demonstration model answers. It shows how everything \
works, and knows next to nothing.""",
    ),
    (
        "Asking",
        """\
Type below, {question.send} sends, {question.newline} begins a new line, {chat.stop} stops an answer and keeps what \
came.

While you type, the line above the box names the expert who would answer, how sure the choice is, and whether that \
expert has an adapter for the model or only its prompt. {chat.expert} chooses another expert, or none; {chat.why} \
shows what decided; {chat.compare} has a second expert answer beside the first.

{chat.up} goes up to the answers. There, single letters copy, rate, note, change the question, or answer once more.""",
    ),
    (
        "What is kept, and the keys",
        """\
Questions and answers are kept on this machine, for your user alone. `medpocket history lock` encrypts them with a \
passphrase; from then on {chat.lock}, or some time without a key, hides everything until it is typed again. \
`medpocket history off` keeps nothing.

{app.help} lists the keys of where you are, {app.palette} finds everything by its name, {app.settings} shows the \
settings, where every key can be given another.

{app.tour} shows these pages again.""",
    ),
)


class TourScreen(ModalScreen[None]):
    """Hands what is typed to `typed`, and closes: who begins a question has seen enough."""

    BINDINGS = bindings((*TOUR, *SCREEN))
    DEFAULT_CSS = """
    TourScreen {
        align: center middle;
        #box { width: 74; max-width: 100%; height: auto; max-height: 100%; background: $surface; padding: 1 2; }
        VerticalScroll { height: auto; max-height: 100%; }
        .heading { text-style: bold; color: $text-primary; margin-bottom: 1; }
        .text { height: 13; }
        .foot { color: $text-muted; margin-top: 1; }
    }
    """

    def __init__(self, key_of: Callable[[str], str], typed: Callable[[str], object]) -> None:
        super().__init__()
        self._key_of, self._typed = key_of, typed
        self.page = 0

    def compose(self) -> ComposeResult:
        """Heading, page, and how to go on."""
        with Vertical(id="box"), VerticalScroll(can_focus=False):
            yield Static(classes="heading")
            yield Static(classes="text")
            yield Static(classes="foot")

    def on_mount(self) -> None:
        """Begin with the first page."""
        self._show()

    def _show(self) -> None:
        heading, text = PAGES[self.page]
        for part in text.split("{")[1:]:
            id_ = part.partition("}")[0]
            text = text.replace(f"{{{id_}}}", self._key_of(id_))
        goes_on = "begins" if self.page == len(PAGES) - 1 else "goes on"
        foot = f"{self._key_of('tour.next')} {goes_on}, {self._key_of('screen.close')} closes this."
        self.query_one(".heading", Static).update(Content(heading))
        self.query_one(".text", Static).update(Content(text))
        self.query_one(".foot", Static).update(Content(f"{self.page + 1} of {len(PAGES)}   {foot}"))

    def action_next(self) -> None:
        """Turn the page; close after the last."""
        if self.page + 1 == len(PAGES):
            self.action_close()
            return
        self.page += 1
        self._show()

    def action_back(self) -> None:
        """Turn back."""
        self.page = max(0, self.page - 1)
        self._show()

    def action_close(self) -> None:
        """Begin."""
        if self.is_current:
            tour_was_seen()
            self.dismiss()

    def on_key(self, event: events.Key) -> None:
        """Make way for a question that is being typed."""
        if event.is_printable and event.character and event.key not in self.active_bindings:
            event.stop()
            self._typed(event.character)
            self.action_close()

    def on_paste(self, event: events.Paste) -> None:
        """Make way for a question that is pasted."""
        event.stop()
        self._typed(without_controls(event.text)[0])
        self.action_close()
