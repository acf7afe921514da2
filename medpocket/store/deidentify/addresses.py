"""Addresses: a street with its house, a box or a postcode, and what stands around it as one address."""

import re
from collections.abc import Iterator

from medpocket.store.deidentify.spans import CAPITALS, DIGIT, Kind, Span

_C = CAPITALS
_STREETS = (
    r"Street|St|Str|Road|Rd|Avenue|Ave?|Lane|Ln|Drive|Dr|Close|Cl|Court|Ct|Place|Pl|Terrace|Ter|Crescent|Cres|Way|"
    r"Walk|Gardens?|Gdns"
    r"|Square|Sq|Quay|Quayside|Hill|Grove|Gr|Park|Row|Boulevard|Blvd|Parkway|Pkwy|Highway|Hwy|View|Rise|Mews|Green|"
    r"Lanes|Parade|Circle|Cir"
    r"|Trail|Heights|Wharf|Yard|Mount|Vale|Drove|Path|Esplanade|Crossing|Loop|Alley|Broadway|Common|Fields?|End|Side|"
    r"Meadows?|Chase|Mansions|Villas|Cottages|Buildings|Apartments|Embankment|Promenade|Wynd|Brae|Croft|Almshouses"
)
# Ends of a street's name that are other words too: they make an address only before a postcode.
_RARE_STREETS = (
    r"Gate|Bank|Brow|Brae|Croft|Dene|Fold|Garth|Hollow|Knoll|Ridge|Bend|Cove|Creek|Glen|Grange|Link|Nook|Pde|Prom|"
    r"Promenade|Reach|Strand|Spur|Villas|Cottages|Buildings|Track|Circuit|Cct|Arcade|Approach|Embankment|Cross|Plaza|"
    r"Wynd|Loan|Wood|Woods|Point|Pt|Run|Pass|Turn|Valley|Bridge|Brook|Marg|Nagar|Colony|Layout|Enclave|Salai|Chowk|Main|"
    r"Phase|Sector|Gali|Bazaar|Houses|Almshouses|Lodge|House|Farm|Cottage|Bungalow|Hall|Manor|Place"
)
_NUMBER = rf"\d{{1,5}}(?:\s\d/\d)?(?:\s?[-/]\s?\d{{1,5}})?\s?[A-Za-z]?|l{DIGIT}"
_WORD = rf"(?<!\w)(?:[{_C}]\.|[{_C}][\w'’-]{{0,40}}(?!\w))"
_UNIT = (
    r"(?:Flat|Apt|Apartment|[Aa]pp|Unit|Suite|Ste|Room|Block|Blk|Floor|No|House|Plot|Lot|Box|Caravan|Chalet|Cabin|Villa|"
    r"Pitch|Berth|Site|Comp|Space|Trailer|Level|Tower|Wing|Shop)\.?\s?#?\s?[\w-]{1,8}"
)
# "17 Larkspur Close", "1420 W. Maple Blvd.", "9 mill st"
_ENGLISH = (
    rf"(?:{_UNIT},?\s)?(?:(?<!\w)U\d{{1,3}}/|(?<![\w.,/-]))(?:(?:Blk|Block|Unit|Flat|Apt|Plot|Lot)\s)?(?:{_NUMBER})\s(?!Dear\b)(?:(?:{_WORD}|\d{{1,3}}(?:st|nd|rd|"
    rf"th))\s){{1,4}}(?:{_STREETS})\b\.?(?:\s(?:#?\d[\w-]*|#[\w-]+))?"
)
_SMALL_LETTERS = (
    r"(?<![\w.,/-])\d{1,4}[a-z]?\s(?:[a-z]+\s){1,3}(?:street|st|road|rd|avenue|ave|lane|drive|close|court|"
    r"crescent|terrace)\b"
)
_NAMED_STREET = (
    rf"(?:\b[NSEW]\d{{3,5}}\s)?\b(?:County|State|Farm|Rural|Forest|US) (?:Road|Route|Highway|Rd|Rte"
    rf"|Hwy) (?:\d{{1,5}}|[A-Z]{{1,2}})\b|"
    rf"(?:{_WORD}\s){{1,3}}(?:Street|Road|Avenue|Lane|Crescent|Terrace|Boulevard)\b"
    rf"|(?:(?<=Home, )|(?<=House, )|(?<=Lodge, )|(?<=Court, )|(?<=Manor, )|(?<=Hall, )|(?<=Farm, )|(?<=Cottage, ))"
    rf"(?:{_WORD}\s){{1,3}}(?:Rd|St|Ave|Ln|Cl|Dr)\b\.?"
    rf"|(?<![\w.,/-])\d{{1,3}}[a-z]?\sThe\s{_WORD}(?=,\s[{_C}])"
    rf"|(?<=\d, )(?:{_WORD}\s){{1,3}}(?:Rd|St|Ave|Ln)\b"
)
# "Lindenstraße 45", "Am Alten Markt 3a", "Keizersgracht 221"
_GERMAN = (
    rf"(?<!\w)[{_C}][\w-]{{1,40}}?(?:straße|strasse|str\.|weg|allee|platz|gasse|ring|damm|ufer|gracht|straat|laan|plein|"
    rf"kade)\s\d{{1,4}}\s?[a-z]?\b"
    rf"|(?:Am|An de[rnm]|Hinter de[rmn]|Vor de[rm]|Bei de[rm]|Beim|Auf de[rn]|Unter der|Über de[rmn]|"
    rf"Im|In der|Auf dem|Unter den|Zum|Zur)\s(?:{_WORD}\s){{1,3}}\d{{1,4}}\s?[a-z]?\b"
)
# "14 rue des Marronniers"; "Calle de Alcalá 120", "Via Garibaldi 18", "Rua Augusta 45"
_PARTICLES = (
    r"(?:de\s|del\s|des\s|du\s|da\s|do\s|dos\s|das\s|di\s|d['’]|la\s|las\s|le\s|les\s|los\s|l['’]|della\s|"
    r"dei\s|y\s|e\s)"
)
_FRENCH = (
    rf"\d{{1,4}}(?:\s?(?:bis|ter))?,?\s(?i:rue|avenue|av\.|boulevard|bd|place|allée|chemin|impasse|quai|cours|"
    rf"route)\s{_PARTICLES}{{0,2}}"
    rf"{_WORD}(?:[\s-]{_PARTICLES}{{0,2}}{_WORD}){{0,3}}"
)
_SPANISH = (
    rf"\b(?:Calle|C/(?=\s?\w{{3}})|Avda\.?|Avenida|Av\.|Plaza|Pza\.?|Paseo|Pº|Camino|Carrera|Ronda|Travesía|Via|"
    rf"Viale|Piazza|Corso|Largo|Rua|Praça|Travessa|Estrada)\s?"
    rf"{_PARTICLES}{{0,2}}{_WORD}(?:\s{_PARTICLES}{{0,2}}{_WORD}){{0,3}},?\s(?:n[º°.]\s?)?\d{{1,4}}\b"
)
_BOX = r"\bLieu-?[Dd]it\s[\w'’ -]{2,30}(?=,)|\bP\.?\s?O\.?\s?Box\s[\w-]+|\bPostfach\s\d[\d ]*\d|\bApartado\s\d+"

# Routes of the country post, and boxes by their other names.
_ROUTE = (
    r"\b(?:R\.?\s?R\.?|Rural Route|R\.?F\.?D\.?|Star Route|Highway Contract|HCR?)\s?#?\s?\d{1,4}"
    r"(?:,?\s(?:Box|Site|Comp|Stn|Grp)\.?\s\d{1,5}[A-Z]?){1,3}"
    r"|\b(?:GPO|G\.P\.O\.|CMB|RMB|RSD|PMB|Locked Bag|Private Bag|Mail Bag)(?:\sBox)?\s\d{1,6}"
    r"|\b(?:General Delivery|Poste [Rr]estante)(?=,)|\bFreepost(?:\s[A-Z]{0,4}\d{1,6})?(?=,)"
)
# "#204 - 7155 120A St."
_NUMBERED_STREET = rf"(?<![\w.])(?:#?\d{{1,5}}\s?-\s?)?\d{{1,5}}\s\d{{1,3}}(?:st|nd|rd|th|[A-D])?\s(?:{_STREETS})\b\.?"
_UK_POSTCODE = r"\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b"
_POSTCODE = (
    rf"\bCEP[ ]\d{{5}}-?\d{{3}}\b|{_UK_POSTCODE}|\b(?i:[a-z]{{1,2}}\d[a-z\d]?[ ]\d[a-z]{{2}})\b"
    r"|\b[A-Z]\d{2}\s[A-Z\d]{4}\b"  # Eircode
    rf"|\b\d{{4}}\s[A-Z]{{2}}[ ]{_WORD}"  # 1016 DV Amsterdam
    rf"|\b(?:[A-Z]{{2}}|{_WORD})[ ]\d{{5}}(?:-\d{{4}})?\b(?![ -]\d)"  # MT 59801
    rf"|(?<!\d )\b[{_C}][a-z]+(?:[ ][{_C}][a-z]+)?[ ]\d{{4}}(?=[.,;)\n]|$)"  # Goomeri 4601
    r"|\bDublin[ ]\d{1,2}W?\b"
    r"|\b(?:NSW|VIC|QLD|WA|SA|TAS|ACT|NT)[ ]\d{4}\b"
    rf"|\b(?:[A-Z]{{1,2}}-)?\d{{4,5}}(?:-\d{{3}})?[ ](?!(?:Mon|Tue|Wed|Thu|Fri|Sat"
    rf"|Sun)){_WORD}(?:[ ]{_PARTICLES}?{_WORD}){{0,2}}"
    rf"(?:[ ](?:am|an der|im|ob der|bei)[ ]{_WORD})?(?:[ ]\({_WORD}\))?"  # 50674 Köln
    rf"|\b{_WORD}[ ]\d{{6}}\b|\bS\(\d{{6}}\)"  # Singapore 560123
    r"|\b[A-Z]\d[A-Z][ ]{1,2}\d[A-Z]\d\b"  # K7L 3N6
    rf"|\b[{_C}][a-z]+\s?[-–]?\s?[1-9]\d{{2}}[ ]?\d{{3}}\b(?![ ]\d)"  # Chennai - 600 020
)
_STREET = re.compile(
    "|".join((_ENGLISH, _SMALL_LETTERS, _GERMAN, _FRENCH, _SPANISH, _BOX, _ROUTE, _NUMBERED_STREET, _NAMED_STREET))
)
# What is an address only where a postcode follows: a house and a comma, a rarer street, an Indian village.
_HOUSE_NO = r"(?:(?:Door|House|Flat|Plot|Shop|Old|New|H|D|S|Qr|Quarter)s?\.?\s?No\.?\s?:?\s?|Plot\s)#?[\w/-]{1,10}"
_BEFORE_POSTCODE = re.compile(
    rf"(?<![\w.,/-])(?:{_NUMBER}),?\s(?:{_WORD}(?:{_WORD})?\s){{1,4}}(?:{_STREETS}|{_RARE_STREETS})\b\.?"
    rf"|\b{_HOUSE_NO}(?=,)|\b{_UNIT}(?=,)"
    rf"|\b(?:Vill(?:age)?|V\.?\s?P\.?\s?O)\b\.?:?\s(?:(?:&|and)\s(?:P\.?\s?O\.?|Post)\s)?{_WORD}(?=,)"
)
# "Mrs Agatha Winterbourne, 104, Quince Cottage": the number is an age.
_AGED = re.compile(rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Mme|Frau|Herr)\.?\s(?:{_WORD}\s){{0,3}}{_WORD},?\s$")
_TO_PIN = re.compile(rf"[^;:()\n]{{0,90}}?(?:{_POSTCODE})")
_LONE_POSTCODE = re.compile(
    rf"{_UK_POSTCODE}|\b[AC-FHKNPRTV-Y]\d[\dW]\s[AC-FHKNPRTV-Y\d]{{4}}\b"
    rf"|\b[ABCEGHJ-NPRSTVXY]\d[A-Z][ ]\d[A-Z]\d\b|\bS\(\d{{6}}\)|(?<=, )(?:[A-Z]{{2}}"
    rf"|[{_C}][a-z]{{2,20}})\s?[-–]?\s?[1-9]\d{{2}}[ ]?\d{{3}}\b(?![ -]\d)"
    rf"|(?i:\b(?:zip|pin)(?:[ ]?code)?|\bpostcode)\s?:?\s?\d{{5,6}}\b"
    rf"|(?:\bvia[ ])?{_WORD}(?:[ ]{_WORD}){{0,2}},?[ ](?:NSW|VIC|QLD|WA|SA|TAS|ACT|NT)[ ]\d{{4}}\b"
    rf"|\bCo\.[ ](?:na[ ])?{_WORD},?[ ][AC-FHKNPRTV-Y]\d[\dW]\s[AC-FHKNPRTV-Y\d]{{4}}\b"
    rf"|(?<=, )\d{{5}}[ ]{_WORD}(?:[ ]{_WORD})?(?=[.,;)\n]|$)"
)

# From a street on to its postcode: nothing that ends a sentence, and no more than an address has.
_TO_POSTCODE = re.compile(
    rf"[^;:()\n]{{0,60}}?(?:\([{_C}]\w+\)[ ])?(?:{_POSTCODE})"
    rf"|(?:\s{{0,8}},?\n[ \t]*[^\n:;]{{1,40}}?){{1,4}}?(?:{_POSTCODE})"
)
# Parts between commas that go on with an address: "2º A", "Flat 3", "Leeds", "Portland".
_PART = re.compile(
    rf",\s(?:{_UNIT}|(?:Co|Cty)\. {_WORD}|\d{{1,3}}\.?[º°ª]?\s?[A-Z]{{0,4}}(?:\s[A-Z][a-z]{{0,3}}\.?)?|"
    rf"(?:Nr\s)?{_WORD}(?:\s(?:upon|of|on|"
    rf"le|la|de|{_WORD})){{0,3}}"
    rf"(?:\s\d{{4,6}})?)(?=[,.;)\n]|\s(?:with|and|on|since|\()|$)"
)
_NO_PLACE = re.compile(r",\s(?:Tel|Phone|DOB|MRN|NHS|Mob|Hosp|Dr|Mr|Mrs|Ms|Seen|Lives|She|He|Fax|Email|NOK)\b")
# Before it: a flat, a house of its own name, also on a line of its own.
_BEFORE = re.compile(
    rf"(?<![\w.'’-])(?:{_UNIT}|(?:The\s)?(?:{_WORD}\s(?:(?:y|and|upon|on|of|le|la|de|das|dos|na|an|nan|yr)\s)?){{0,3}}{_WORD}"
    rf"|Co\.\s(?:na\s)?{_WORD}"
    rf"|\d{{1,4}}[a-z]?(?:st|nd|rd|th)?\s(?:{_WORD}\s(?:(?:na|an|of|on|the)\s)?){{0,3}}(?:h(?=[AEIOUÁÉÍÓÚ])\w+|{_WORD})"
    rf"|(?:#|[A-Z]-)\d{{1,4}}(?:/\d{{1,4}})?),\s?$"
)
_LEADING = re.compile(
    r"(?:Visited|Called|Attended|Moved|Transferred|Discharged|Admitted|Returned|Mailed|Reviewed|Lived|Venue"
    r"|Location|From|To|Home|Clinic|Visit) (?=[A-Z\d])"
)
_MOST_PARTS_BEFORE = 5
_LINE_BEFORE = re.compile(rf"(?:{_WORD}\s){{1,4}}{_WORD}$")
_NO_HOUSE = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Patient|GP|DOB|Tel|Address|Housing|Pt|Lives|Phone|Surgeon|Sister|Nurse|Frau|Herr|"
    r"Mme|Sri|Shri|Smt|Late|Re|Postcode|Eircode|Zip|born|years? old|Sincerely|Regards|Faithfully|Truly|Thanks)\b",
    re.I,
)
# What stands before the name of a person, and so before no house.
_OF_PERSON = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Miss|Dr|Sri|Shri|Smt|Frau|Herr|Mme)\.?|\b(?:Re|Name|Patient|Pt|Dear|Sincerely|Regards|Faithfully|Truly|Thanks)\s?[:,]?)\s*(?:\w\.\s?)*$",
    re.I,
)

# After a word that announces an address, parts of capitals and figures up to the end of the sentence.
_ANNOUNCED = re.compile(
    r"\b(?:(?i:address(?: on file)?|addr|adresse|anschrift|domicilio|morada|indirizzo|direcci[oó]n|residence|r/o|"
    r"eircode|postcode|zip)"
    r"\s?[:=]?\s|(?i:home|hotel|housing at|lives at|lives|living at|resides at|resident at|stays at|residing at|"
    r"residente en|resides|res\.|wohnhaft(?: in)?|demeurant|letter to"
    r"|letters to|by post to|post to|at)\s?:?\s)"
)
_ANNOUNCED_PLACE = re.compile(rf"(?!\d{{1,2}}[.:]\d\d\b)(?=[{_C}\d])[^;:\n]{{0,90}}?(?:{_POSTCODE})")
# After "Address:" without a postcode: capitalised parts between commas, two of them at the least.
_LABELLED = re.compile(
    rf"\b(?i:(?:home |postal )?(?:address|addr|add|adresse|anschrift|domicilio|morada|indirizzo|direcci[oó]n|end\.?))"
    r"\s?:\s?"
    rf"((?:{_UNIT}|[\w.'’/-]+)(?:[ ](?:{_UNIT}|{_WORD}|\d[\w/-]*|of|on|upon|the|de|la|le)){{0,4}}"
    rf"(?:,[ ](?:{_UNIT}|(?:{_WORD}|\d[\w/-]*)(?:[ ](?:{_WORD}|\d[\w-]*|of|on|upon)){{0,4}})){{1,6}})"
)
# "lives at 12 Ashgrove, Douglas": where somebody lives, a house's number and capitals.
_LIVES = re.compile(
    r"\b(?i:lives?|living|resid(?:es|ing|ent)|stay(?:s|ing)|moved|house is|home is|address is|discharged) "
    rf"(?:(?:alone |now |back )?(?:at|to"
    rf"|in) )?((?:{_UNIT},? )?(?:{_NUMBER})[ ](?:{_WORD}[ ]?){{1,4}}(?:,[ ]{_WORD}){{0,3}})(?=[.,;)\n]|$| with| and)"
)
_PERSON = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Dr|Mme|Mlle|Herr|Frau|DOB|née?|geb)\b")
_SENTENCE_END = re.compile(
    r"[a-z]{3}(?<!\bapp)(?<!\bapt)(?<!\bste)(?<!\bDist)(?<!\bDistt)(?<!\bHosp)(?<!\bVill)(?<!\bPost)\.\s|\d{4}\.\s"
)


def find_addresses(text: str) -> Iterator[Span]:
    """Yield streets with what belongs to them, boxes, and postcodes that stand alone."""
    for match in _STREET.finditer(text):
        end, has_postcode = _end_after(text, match.end())
        yield Span(_start_before(text, match.start()), end, Kind.ADDRESS, sure=has_postcode)
    for match in _BEFORE_POSTCODE.finditer(text):
        to_postcode = (
            None if _AGED.search(text[max(0, match.start() - 60) : match.start()]) else _TO_PIN.match(text, match.end())
        )
        if to_postcode and not _SENTENCE_END.search(to_postcode[0]) and not _PERSON.search(to_postcode[0]):
            yield Span(_start_before(text, match.start()), to_postcode.end(), Kind.ADDRESS, sure=True)
    for match in _LONE_POSTCODE.finditer(text):
        yield Span(_start_of_place(text, match.start()), match.end(), Kind.ADDRESS)
    for labelled in _LABELLED.finditer(text):
        if not _PERSON.search(labelled[1]) and not _NO_PLACE.search(labelled[1]):
            yield Span(labelled.start(1), labelled.end(1), Kind.ADDRESS, sure=True)
    for lives in _LIVES.finditer(text):
        if not _NO_PLACE.search(lives[1]):
            yield Span(lives.start(1), lives.end(1), Kind.ADDRESS)
    for announced in _ANNOUNCED.finditer(text):
        place = _ANNOUNCED_PLACE.match(text, announced.end())
        if place and not _SENTENCE_END.search(place[0]) and not _PERSON.search(place[0]):
            yield Span(place.start(), place.end(), Kind.ADDRESS, sure=True)


def _end_after(text: str, end: int) -> tuple[int, bool]:
    """Where the address ends whose street ends at `end`, and whether with a postcode."""
    to_postcode = _TO_POSTCODE.match(text, end)
    if to_postcode and not _SENTENCE_END.search(to_postcode[0]):
        return to_postcode.end(), True
    while (part := _PART.match(text, end)) and not _NO_PLACE.match(text, end):
        end = part.end()
    return end, False


def _start_before(text: str, start: int) -> int:
    """Where the address begins whose street begins at `start`."""
    line = text.rfind("\n", 0, start) + 1
    if line and not text[line:start].strip():
        above = text.rfind("\n", 0, line - 1) + 1
        house = _LINE_BEFORE.match(text[max(above, line - 60) : line - 1].strip())
        return above if house and not _NO_HOUSE.search(house[0]) else start
    return _parts_before(text, start)


def _start_of_place(text: str, start: int) -> int:
    """Where the address begins whose postcode begins at `start`, without a street that is known as one."""
    line = max(text.rfind("\n", 0, start) + 1, start - 60)
    town = re.search(rf"(?:{_WORD}\s){{1,3}}$", text[line:start])
    if town and _NO_HOUSE.search(town[0]):
        return start
    return _parts_before(text, line + town.start() if town else start)


def _parts_before(text: str, start: int) -> int:
    """Where the parts begin that stand before `start` and end with a comma."""
    for _ in range(_MOST_PARTS_BEFORE):
        line = max(text.rfind("\n", 0, start) + 1, start - 60)
        before = _BEFORE.search(text[line:start])
        if not before or _NO_HOUSE.search(before[0]) or _OF_PERSON.search(text, line, line + before.start()):
            break
        start = line + before.start()
    if verb := _LEADING.match(text, start):
        return verb.end()
    return start
