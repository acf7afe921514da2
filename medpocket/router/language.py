"""Whether a text is English, judged by its script and its small words."""

import re
from collections.abc import Sequence

from medpocket.router.normalise import word_set

ENGLISH = word_set(
    "the a an of and to in is are was were with for on at by from my i he she it his her their have has had do does "
    "did not no what which how why when who can should would could be been this that these there you your we or if "
    "but as after before since about any some me him them will may"
)
# Small words of the languages that a hospital is likely to meet, without those that are English words too.
_FOREIGN = word_set(
    "el la los las una uno unos del que por para con sin mi su se tengo tiene estoy esta muy mas pero como cuando "
    "desde hace dolor le les des du est une dans avec pour pas je il elle nous vous mon ma mes sur qui depuis douleur "
    "ai der das und ist nicht ich ein eine einen mit auf fur seit wie habe hat sind bei mein meine zu schmerzen gli "
    "che per non sono ho mio mia dolore da um uma nao com meu minha dor estou tem het een van ik heb mijn niet met "
    "voor pijn og er jeg har ikke det som till och jag inte med ar mam nie jest sie bol ve bir icin var"
)
READ = 1000  # characters of a text, which are enough to tell
_LEAST_WORDS = 3
_LAST_LATIN = "\u024f"


def is_foreign(text: str) -> bool:
    """Tell whether `text` is plainly in another language: another script, or small words of another language."""
    start = text[:READ]
    if not start.isascii():
        letters = [c for c in start if c.isalpha()]
        if sum(c > _LAST_LATIN for c in letters) * 2 > len(letters):
            return True
    return _counts(re.findall(r"[^\W\d_]+", start.lower()))


def _counts(words: Sequence[str]) -> bool:
    plain = [word.replace("\u00e9", "e").replace("\u00fc", "u").replace("\u00e3", "a") for word in words]
    foreign = sum(word in _FOREIGN and word not in ENGLISH for word in plain)
    english = sum(word in ENGLISH for word in words)
    return len(words) >= _LEAST_WORDS and foreign >= 2 and foreign > 2 * english
