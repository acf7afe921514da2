"""An answer while it is made."""

import codecs

from medpocket.engine.vocabulary import Vocabulary
from medpocket.types import StopReason


class Answer:
    """The answer so far, decoded as its bytes arrive; cancelled unless something else ends it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.ids: list[int] = []
        self.text = ""
        self.stop: StopReason = "cancelled"
        self.first_token_at: float | None = None
        self._vocabulary = vocabulary
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, token: int) -> str:
        """Take the next token; return the text that is complete now."""
        self.ids.append(token)
        return self._take(self._decoder.decode(self._vocabulary.piece(token)))

    def finish(self) -> str:
        """Return what was left of an unfinished character."""
        return self._take(self._decoder.decode(b"", final=True))

    def _take(self, text: str) -> str:
        if not self.text:
            text = text.lstrip()  # the space or newline between a marker and the answer is not part of it
        self.text += text
        return text
