"""From a conversation to token ids and back, with the markers of the template apart from the text of the turns."""

import ctypes
import re
from collections.abc import Sequence

import llama_cpp

from medpocket.engine.prompt import LONG, Prompt
from medpocket.engine.template import split_template
from medpocket.errors import EngineError
from medpocket.types import Turn

_NOT_FOUND = -1  # LLAMA_TOKEN_NULL
# What templates mark turns with: <s>, <|im_start|>, <<SYS>>, [INST], USER:
_MARKER = re.compile(r"<+[^<>\s]+>+|\[[^\[\]\s]+\]|\w+:")


class Vocabulary:
    """The tokenizer of a loaded model.

    SentencePiece vocabularies put a space before whatever they are given; `_space_prefix` tells whether this one
    does. Text that stands in the middle of something is therefore tokenized behind a newline, a token that nothing
    merges with, which is then cut off.
    """

    def __init__(self, model: int, template: str, *, space_prefix: bool) -> None:
        self._vocab = llama_cpp.llama_model_get_vocab(model)
        self._template = template
        self._is_sentencepiece = llama_cpp.llama_vocab_type(self._vocab) == llama_cpp.LLAMA_VOCAB_TYPE_SPM
        self._space_prefix = space_prefix and self._is_sentencepiece
        self._newline = self._tokenize("\n", special=False) if self._is_sentencepiece else []
        self._bos = llama_cpp.llama_vocab_bos(self._vocab)
        self._eos = llama_cpp.llama_vocab_eos(self._vocab)
        self._marker_ids: dict[str, list[int]] = {}

    @property
    def size(self) -> int:
        return int(llama_cpp.llama_vocab_n_tokens(self._vocab))

    def is_end(self, token: int) -> bool:
        """Tell whether `token` ends an answer."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocab, token))

    def encode(self, turns: Sequence[Turn]) -> Prompt:
        """Return the conversation as the template lays it out, up to where the answer begins.

        Raises ModelFileError when the template cannot be used.
        """
        pieces = split_template(self._template, turns, bos=self._text(self._bos), eos=self._text(self._eos))
        markers = {word for piece in pieces if isinstance(piece, str) for word in _MARKER.findall(piece)}
        ids = self._beginning()
        parts: list[int] = []
        marker = 0
        answers: list[tuple[int, int]] = []
        for piece in pieces:
            start = len(ids)
            if isinstance(piece, str):
                new = self._encode_marker(piece)
                # The template may bring the beginning of the sequence itself.
                ids.extend(new[1:] if ids == [self._bos] == new[:1] else new)
                continue
            turn = turns[piece]
            ids.extend(turn.ids if turn.ids is not None else self._encode_text(turn.text, markers))
            if turn.role == "assistant":
                answers.append((start, len(ids)))
            elif turn.apart or len(ids) - start >= LONG:
                parts.append(len(ids))
            if turn.line:
                ids.extend(self._encode_text(f"\n\n{turn.line}", markers, inside=True))
            marker = len(ids)
            if piece < len(turns) - 1:
                parts.append(marker)
        return Prompt(tuple(ids), tuple(dict.fromkeys((*parts, len(ids)))), marker, tuple(answers))

    def encode_text(self, text: str) -> list[int]:
        """Return the ids of plain text in no conversation."""
        return [*self._beginning(), *self._encode_text(text, set())]

    def encode_answer(self, text: str) -> list[int]:
        """Return the ids of a whole answer, as it stands behind its marker, with the token that ends it."""
        turns = [Turn("user", "a"), Turn("assistant", "b"), Turn("user", "c")]
        pieces = split_template(self._template, turns, bos=self._text(self._bos), eos=self._text(self._eos))
        after = pieces[pieces.index(1) + 1]
        marker = self._encode_marker(after) if isinstance(after, str) else []
        end = next((token for token in marker if self.is_end(token)), self._eos)
        return [*self._encode_text(text, set()), end]

    def piece(self, token: int) -> bytes:
        """Return the text of `token`, which may be a part of a character; control tokens have none."""
        buffer = ctypes.create_string_buffer(64)
        length = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
        if length < 0:
            buffer = ctypes.create_string_buffer(-length)
            length = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, False)
        return buffer.raw[: max(length, 0)]

    def _beginning(self) -> list[int]:
        """The token that begins a sequence, where the model has one."""
        begins = llama_cpp.llama_vocab_get_add_bos(self._vocab) and self._bos != _NOT_FOUND
        return [self._bos] if begins else []

    def _encode_marker(self, text: str) -> list[int]:
        """The template's own text: fixed ids, the space that the next turn's text brings itself cut off."""
        if self._space_prefix:
            text = text.rstrip(" ")
        if text not in self._marker_ids:
            self._marker_ids[text] = self._tokenize_inside(text, special=True)
        return self._marker_ids[text]

    def _encode_text(self, text: str, markers: set[str], *, inside: bool = False) -> list[int]:
        """A turn's text. A marker in it is spelt out, so that it never has the ids of the template's own.

        `inside` says that it goes on where other text ends.
        """
        if not markers:
            return self._tokenize_inside(text, special=False) if inside else self._tokenize(text, special=False)
        between = re.compile("(" + "|".join(re.escape(marker) for marker in sorted(markers, key=len)[::-1]) + ")")
        fragments: list[str] = []
        for number, part in enumerate(between.split(text)):
            fragments += part if number % 2 else [part]
        ids: list[int] = []
        for fragment in filter(None, fragments):
            # What begins the turn gets the space that belongs before it.
            tokenize = self._tokenize_inside if ids or inside else self._tokenize
            ids += tokenize(fragment, special=False)
        return ids

    def _tokenize_inside(self, text: str, *, special: bool) -> list[int]:
        """Tokenize text that follows something else."""
        if self._is_sentencepiece:
            ids = self._tokenize("\n" + text, special=special)
            if ids[: len(self._newline)] == self._newline:
                return ids[len(self._newline) :]
        return self._tokenize(text, special=special)

    def _tokenize(self, text: str, *, special: bool) -> list[int]:
        data = text.encode()
        room = len(data) + 8
        buffer = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self._vocab, data, len(data), buffer, room, False, special)
        if count < 0:
            raise EngineError(
                "llama.cpp could not split the text into tokens",
                "run `medpocket doctor`; if the model file is sound, please report this",
            )
        return list(buffer[:count])

    def _text(self, token: int) -> str:
        if token == _NOT_FOUND:
            return ""
        text = llama_cpp.llama_vocab_get_text(self._vocab, token)
        return text.decode("utf-8", "replace") if text else ""
