"""How streets, boxes and postcodes are written in the countries that clinicians of an English tool write from."""

import re

from medpocket.store.deidentify.spans import CAPITALS, DIGIT

_C = CAPITALS
# "12 Elm Dr Springfield IL 62701", and not "23/1 WR Dr Mistry": a title, unless a state and its ZIP code follow.
_DRIVE = r"Dr(?!\.? [A-Z][a-z]+\b(?!(?: [A-Z][a-z]+)?,? [A-Z]{2} \d))"
# The ends of a street's name. Of Royal Mail's and the US Postal Service's lists those that are met in letters.
_STREETS = (
    rf"{_DRIVE}|Street|St|Str|Road|Rd|Avenue|Ave?|Lane|Ln|Drive|Close|Cl|Court|Ct|Place|Pl|Terrace|Ter|Crescent|Cres|Way|Walk|"
    r"Gardens?|Gdns|Square|Sq|Quay|Quayside|Hill|Grove|Gr|Park|Row|Boulevard|Blvd|Parkway|Pkwy|Highway|Hwy|View|Rise"
    r"|Mews|"
    r"Green|Lanes|Parade|Pde|Circle|Cir|Trail|Trl|Heights|Wharf|Yard|Mount|Vale|Drove|Path|Esplanade|Crossing|Xing"
    r"|Loop|"
    r"Alley|Broadway|Common|Fields?|End|Side|Meadows?|Chase|Mansions|Villas|Cottages|Buildings|Apartments|Apts"
    r"|Embankment|"
    r"Promenade|Wynd|Brae|Croft|Almshouses|Cct|Circuit|Cove|Cv|Hollow|Holw|Ridge|Rdg|Bend|Bnd|Plaza|Plz|Pike|Turnpike|"
    r"Fold|Brow|Garth|Gate|Bank|Beeches|Limes|Maltings|Moorings|Rectory|Vicarage"
)
NUMBER = rf"(?:\d{{1,5}}(?:\s\d/\d)?(?:\s?[-/]\s?\d{{1,5}}){{0,2}}\s?[A-Za-z]?|l{DIGIT})"
CAPITALIZED = rf"(?<!\w)(?:(?:[{_C}]\.){{1,3}}|[{_C}][\w'’-]{{0,40}}(?!\w))"
_WORD = CAPITALIZED
UNIT = (
    r"(?:Flat|Apt|Apartment|Appartement|[Aa]pp|[Aa]pto|Unit|Suite|Ste|Room|Block|Blk|Floor|No|House|Plot|Lot|Box"
    r"|Caravan|Chalet|"
    r"Cabin|Villa|Pitch|Berth|Mooring|Site|Comp|Space|Trailer|Level|Tower|Wing|Shop|Concession|Stn|RD|Erf|Door|Phase"
    r"|Sector|"
    r"Road|Section|Bungalow|Hangar)(?:\.?\s?(?:No\.?\s?)?#?\s?|\.?:\s)[\w/-]{1,8}"
)
# "17 Larkspur Close", "1420 W. Maple Blvd.", "U3/18 Cook St"
_ENGLISH = (
    rf"(?:{UNIT},?\s)?(?:(?<!\w)U\d{{1,3}}/|(?<![\w.,/-]))(?:(?:Blk|Block|Unit|Flat|Apt|Plot"
    rf"|Lot)\s)?{NUMBER}\s(?!Dear\b)"
    rf"(?:block\sof\s)?(?:The\s|(?:{_WORD}|\d{{1,3}}(?:st|nd|rd|th))\s)(?:{_WORD}\s){{0,3}}(?:{_STREETS})\b\.?"
    r"(?:\s(?:[NSEW]{1,2}\b|#?\d[\w-]*|#[\w-]+))?"
    r"|(?<![\w.,/-])(?:#?\d{1,5}\s?-\s?)?\d{1,5}\s\d{1,3}(?:st|nd|rd|th|[A-D])?\s(?:St|Street|Ave?|Avenue|Rd|Road"
    r"|Dr)\b\.?"  # 7155 120A St.
)
_SMALL_LETTERS = (
    r"(?<![\w.,/-])\d{1,4}[a-z]?\s(?:[a-z]+\s){1,3}(?:street|st|road|rd|avenue|ave|lane|drive|close|court|crescent"
    r"|terrace|"
    r"gardens|grove|way|place)\b"
)
# A street without a house's number: with its word in full, or between commas.
_NAMED_STREET = (
    rf"(?:\b[NSEW]\d{{3,5}}\s)?\b(?:County|State|Farm|Rural|Forest|US) (?:Road|Route|Highway|Rd|Rte"
    rf"|Hwy) (?:\d{{1,5}}|[A-Z]{{1,2}})\b"
    rf"|(?:{_WORD}\s){{1,3}}(?:Street|Road|Avenue|Lane|Crescent|Terrace|Boulevard)\b"
    rf"|(?:(?<=[a-z],\s)|(?<=[”\"],\s)|(?<=\d,\s))(?:{_WORD}\s){{1,3}}(?:Rd|St|Ave|Ln|Cl|Dr)\b\.?(?!\s[{_C}])"
)
# "Lindenstraße 45", "Am Alten Markt 3a", "Keizersgracht 221", "Storgatan 18"
_NORTHERN = (
    rf"(?<!\w)[{_C}][\w-]{{1,40}}?(?:straße|strasse|str\.|weg|allee|platz|gasse|ring|damm|ufer|gracht|straat|laan"
    rf"|plein|kade|"
    r"gatan|gata|gate|vägen|veien|vej|gade|stræde|katu|tie|utca)\s\d{1,4}(?:[/-]\w{1,4}){0,2}\s?[a-z]?\b"
    rf"|(?:Am|An de[rnm]|Hinter de[rmn]|Vor de[rm]|Bei de[rm]|Beim|Auf de[rn]|Unter der|Über de[rmn]|Im|In der|Auf dem|"
    rf"Unter den|Zum|Zur|Lange|Alte|Neue|Große|Kleine|Obere|Untere)\s(?:{_WORD}\s){{1,3}}\d{{1,4}}\s?[a-z]?\b"
)
_PARTICLES = (
    r"(?:de\s|del\s|des\s|du\s|da\s|do\s|dos\s|das\s|di\s|d['’]|la\s|las\s|le\s|les\s|los\s|l['’]"
    r"|della\s|dei\s|y\s|e\s)"
)
# "14 rue des Marronniers", "1182, boul. des Laurentides", "Rue du Rhône 11"
_FRENCH = (
    rf"(?:\d{{1,5}}(?:\s?(?:bis|ter))?,?\s)?(?<!\w)(?:(?i:rue|avenue|av\.|boulevard|boul\.|bd|chemin|ch\.|impasse"
    rf"|quai|cours|route)|place|allée|Allée)"
    rf"\s{_PARTICLES}{{0,2}}{_WORD}(?:[\s-]{_PARTICLES}{{0,2}}{_WORD}){{0,3}}(?:,?\s\d{{1,4}}\b)?"
)
# "Calle de Alcalá 120", "Via Garibaldi 18", "Rua Augusta 45", "ul. Długa 18", "Jalan Bukit 3/4"
_SOUTHERN = (
    rf"(?<!\w)(?:Calle|C/(?=\s?\w{{3}})|Avda\.?|Avenida|Av\.|Plaza|Pza\.?|Paseo|Pº|Camino|Carrera|Cra\.?|Ronda"
    rf"|Travesía|Carrer|Via|"
    rf"Viale|Piazza|P\.zza|Corso|Largo|Rua|Praça|Travessa|Estrada|[Uu]l\.|[Aa]l\.|[Oo]s\.|Ffordd|Heol|Stryd)\s?"
    rf"{_PARTICLES}{{0,2}}(?:{_WORD}|\d{{1,3}})(?:\s{_PARTICLES}{{0,2}}{_WORD}){{0,3}},?\s(?:n[º°.]\s?"
    rf"|#\s?)?\d{{1,4}}(?:[/-]\d{{1,3}})?\b"
    rf"|(?<![\w.])\d{{1,5}}\s(?:Calle|Camino|Paseo|Avenida|Via|Carrer|Rua"
    rf"|Vía)\s{_PARTICLES}{{0,2}}{_WORD}(?:\s{_WORD}){{0,2}}"
    rf"|(?:\d{{1,4}}[A-Z]?,?\s)?\b(?:Jalan|Jl\.|Lorong)\s(?:{_WORD}\s?|[A-Z]{{0,3}}\d+(?:/\d+)?[A-Z]?){{1,3}}"
)
_BOX = (
    r"\bLieu-?[Dd]it\s[\w'’ -]{2,30}(?=,)|\bP\.?\s?O\.?\s?Box\s[\w-]+|\bPostfach\s\d[\d ]*\d|\bApartado\s\d+"
    r"|\b(?:R\.?\s?R\.?|Rural Route|R\.?F\.?D\.?|RD|Star Route|Highway Contract|HCR?)\s?#?\s?\d{1,4}"
    r"(?:(?:,?\s(?:Box|Site|Comp|Stn|Grp)\.?\s(?:\d{1,5}[A-Z]?|Main)){1,3}|(?=,\s[A-Z][a-z]{3}|,\s[A-Z][a-z]+\s[A-Z]))"
    r"|\b(?:GPO|G\.P\.O\.|CMB|RMB|RSD|PMB|Locked Bag|Private Bag|Mail Bag)(?:\sBox)?\s\d{1,6}"
    r"|\b(?:General Delivery|Poste [Rr]estante)(?=,)|\bFreepost(?:\s[A-Z]{0,4}\d{1,6})?(?=,)"
)
STREET = re.compile("|".join((_ENGLISH, _SMALL_LETTERS, _NORTHERN, _FRENCH, _SOUTHERN, _BOX, _NAMED_STREET)))

_UK = r"\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b"
_EIRCODE = r"\b[AC-FHKNPRTV-Y]\d[\dW]\s[AC-FHKNPRTV-Y\d]{4}\b"
_CANADA = r"\b[ABCEGHJ-NPRSTVXY]\d[A-Z][ ]{1,2}\d[A-Z]\d\b"
_STATES = r"(?:NSW|VIC|QLD|WA|SA|TAS|ACT|NT)"
_US_STATES = (
    r"(?:A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[TA]"
    r"|W[AVIY]|"
    rf"(?<=,\s)[{_C}][a-z]{{2,}}(?:\s[{_C}][a-z]{{3,}})?)"
)
# A postcode that is one wherever it stands.
SURE_POSTCODE = re.compile(
    rf"{_UK}|\b(?i:[a-z]{{1,2}}\d[a-z\d]?[ ]\d[a-z]{{2}})(?=[.,;)\s]|$)|{_EIRCODE}|{_CANADA}"
    rf"|\b{_STATES}[ ]\d{{4}}\b|(?:(?<=,\s)|\b(?!Card|No|Ref|Reg|ID|Policy|Group|Code|Case"
    rf"|Chart){_WORD}[ ]){_US_STATES}[ ]{{1,2}}\d{{5}}(?:-\d{{4}})?\b(?![ -]\d)|\bS\(\d{{6}}\)"
    rf"|\bCEP[ ]\d{{5}}-?\d{{3}}\b"
    rf"|(?<=,\s)(?:[A-Z]{{2}}\s|[{_C}][a-z]{{2,20}}\s?)[-–]?\s?[1-9]\d{{2}}[ ]?\d{{3}}\b(?![ -]\d)"  # Chennai - 600 020
)
# One that ends an address, and by itself may be anything: "50674 Köln", "Goomeri 4601", "Dublin 8", "Singapore 560123".
POSTCODE = re.compile(
    rf"{SURE_POSTCODE.pattern}|\b{_WORD}[ ]\d{{5,6}}\b|\b{_WORD}[ ]\d{{4}}(?=[.,;)\n]|$)|\b(?:Dublin|Colombo"
    rf"|Brussels)[ ]\d{{1,2}}W?\b"
    rf"|\b(?:[A-Z]{{1,2}}-)?\d{{2,5}}(?:[- ]\d{{2,3}})?[ ](?!(?:Mon|Tue|Wed|Thu|Fri|Sat"
    rf"|Sun)){_WORD}(?:[ ]{_PARTICLES}?{_WORD}){{0,2}}"
    rf"(?:[ ](?:am|an der|im|ob der|bei)[ ]{_WORD})?(?:[ ]\({_WORD}\))?"
    rf"|\b\d{{4}}\s[A-Z]{{2}}[ ]{_WORD}|\b[A-Z]{{1,2}}\d{{1,2}}[A-Z]?(?=[.,;)\n]|$)"
    rf"|\b{_WORD}[ ]?[-–][ ]?[1-9]\d{{2}}[ ]?\d{{3}}\b"
)
