"""Runs of what addresses are made of: capitalised words, figures and small words between, in parts parted by commas."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from medpocket.store.deidentify.spans import CAPITALS

_C = CAPITALS
# What an address is made of: words with a capital, figures, and small words between them.
_SMALL = (
    r"(?:of|on|upon|under|the|by|le|la|les|de|del|della|des|du|da|do|das|dos|di|am|an|der|den|dem|im|bei|in|y|na|nan"
    r"|yr|sur|sous|ob|"
    r"via|near|nr|off|block|app|apto?|rue|avenue|av|boul|bd|chemin|place|allée|impasse|quai|route|cours|calle|bis"
    r"|ter|ul|al|os|m|tv|izda|dcha|Bât|Bat|Esc|Edif|esq|c/o|care)"
)
_DOTTED = (
    rf"(?:St|Rd|Ave?|Ln|Dr|Ct|Cl|Cres|Gr|Gdns|Pl|Ter|Blvd|[Bb]oul|Sq|Apt|[Aa]pp|Ste|No|Nr|Co|Dist|Distt|Tal|Vill"
    rf"|Post|Mt|Ft|Av|Avda|Pza|"
    rf"ul|al|m|tv|izda|dcha|[{_C}]\w{{1,30}}str|Hwy|Pkwy|Cra|P|O|R|N|S|E|W|NE|NW|SE|SW|H|Esq|Yorks|Lancs|[A-Z])\."
)
_TOKEN = re.compile(
    rf"{_DOTTED}|P\.zza|[{_C}][\w'’-]*|(?:#\s?)?(?<![\w.,])(?:l(?=\d))?\d[\w/½-]{{0,9}}(?:\.?[ºª°]|\.(?=\stv))?"
    rf"|(?<!\w){_SMALL}(?![\w'’])|\([{_C}][\w ]{{1,20}}\)|[\"“”]|&|(?<=[dl])['’]"
)
_GAP = re.compile(r"\s{0,2},?\s{0,2}(?:[-–&/#]\s?)?|[ ]?,?[ \t]*\n[ \t]{0,12}")
_WIDEST_GAP = 14
_LONGEST_RUN = 60  # words and figures: of a text in capitals only, pieces are looked at

# Words that are in no address, and end one: of persons, numbers, times and letters.
NO_PLACE = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr(?=\.? [A-Z])|Prof|Sir|Patient|Pt|GP|DOB|DoB|MRN|NHS|CHI|Tel|Phone|Mob|Fax|Email"
    r"|E-mail|Address|ADDRESS|POSTCODE|AGE|Postcode|Surgeon|Sister|"
    r"Nurse|Frau|Herr|Mme|Sri|Shri|Smt|Late|Re|RE|Born|Age|Aged|Sincerely|Regards|Faithfully|Truly|Thanks|Yours|Dear"
    r"|Seen|Lives|"
    r"She|He|I|We|NOK|Date|Name|Hosp|Ref|DNACPR|DNR|ID|Addr|Add|Adresse|Adres|Anschrift|Domicilio|Dirección"
    r"|Direccion|Morada|Indirizzo|Endereço|Residence|From|Son|Daughter|Wife|Husband|Mother|Father|Carer|Contact"
    r"|Consultant)\b"
)


@dataclass(frozen=True)
class Part:
    """What stands between two commas or line ends of a run."""

    start: int
    end: int
    text: str


def find_runs(text: str) -> Iterator[list[Part]]:
    """Yield runs of what addresses are made of, in parts."""
    run: list[re.Match[str]] = []
    for token in _TOKEN.finditer(text):
        is_breaker = NO_PLACE.match(text, token.start()) is not None
        if run and (is_breaker or len(run) == _LONGEST_RUN or not _is_gap(text, run[-1].end(), token.start())):
            yield from _as_parts(text, run)
            run = []
        if not is_breaker:
            run.append(token)
    yield from _as_parts(text, run)


def _is_gap(text: str, start: int, end: int) -> bool:
    return end - start <= _WIDEST_GAP and _GAP.fullmatch(text, start, end) is not None


def _as_parts(text: str, run: Sequence[re.Match[str]]) -> Iterator[list[Part]]:
    if not run:
        return
    parts, start = [], run[0].start()
    for token, following in pairwise(run):
        gap = text[token.end() : following.start()]
        if "," in gap or "\n" in gap:
            parts.append(Part(start, token.end(), text[start : token.end()]))
            start = following.start()
    parts.append(Part(start, run[-1].end(), text[start : run[-1].end()]))
    yield parts
