import pytest

from medpocket.text import printable, without_controls


@pytest.mark.parametrize("character", ["\x1b", "\x00", "\x07", "\x7f", "\x9b", "\r", "\u202e", "\u2066", "\ud800"])
def test_a_character_that_could_steer_a_terminal_is_not_shown(character: str) -> None:
    assert printable(f"a{character}b") == "a\ufffdb"


def test_ordinary_text_of_any_language_is_shown_as_it_is() -> None:
    text = "37 °C, naïve\tΔ 中文 🫀 e\u0301\nnext"
    assert printable(text) == text


def test_controls_are_taken_out_and_counted() -> None:
    assert without_controls("a\x00b\x1b[31mc\n\td") == ("ab[31mc\n\td", 2)


def test_line_ends_become_newlines_and_do_not_count_as_controls() -> None:
    assert without_controls("a\r\nb\rc") == ("a\nb\nc", 0)
