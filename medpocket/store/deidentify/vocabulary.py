"""Which words are words, and so no names: those that the router knows, and those that only clinical notes have."""

import unicodedata
from functools import lru_cache

from medpocket import paths
from medpocket.router.normalise import usual_form
from medpocket.router.route import FILE_NAME
from medpocket.router.weights import read_weights

# The router has them from eponyms and authors, but beside another name each is one: "John Aubert", "Anna Smith".
_NAMES_TOO = frozenset(
    """
    aaron adam alexander alvarado anderson ann armstrong bennett bowman bruce bryant butler campbell carlson carol
    carpenter chapman clark cohen cooper cox dennis edward ellis fisher florence foster fowler freeman garcia
    gardner george gilbert goldberg gordon gupta hamilton hansen harper harris heather henderson henry hoffman
    howell hunter jackson jean jensen john johnson johnston joseph keith kelley kennedy kim lawrence levy lewis li
    lisa maria marie marshall martin martinez mary matthew mccarthy mcdonald meyer miller montgomery morgan morrison
    murphy nelson oliver palmer patterson perry peter porter richardson riley robert robertson robinson ross russell
    sanchez schmidt scott shapiro silva simpson smith snyder soto steven thompson timothy tran tucker turner vera
    vincent wagner walker wallace warren weaver webber william willis wilson wright simon thomas rosemary robin
    leopold marcus ivy grace hazel stella rose olive pearl ruby daisy lily frank jack dean amy joan ken tom dolores
    blessing clement charles bernard anton
    """.split()
)

# Short forms and foreign words of clinical notes that the router never read.
_OF_NOTES = frozenset(
    """
    acc acct addr adj adm adv anaes anaesth appt appts auth bloods blk cert coll creat dept dtr dx est ext flexi
    fluoro gluc handover hosp hx immunisations initials keysafe keyworker macro micro majors msg neurovasc neut
    neuts obs pharm plt pre prev px qty reg req resus rm rpt rv rx spec tel tele temp trachy unwitnessed
    uncontrolled whats mon tue tues wed weds thu thur thurs fri sat sun jan feb mar apr jun jul aug sep sept oct nov
    dec mr mrs ms mx dr prof re ref cc tech crew scrub biochem haem histo radiol states denies prefers departs wants
    lives returns thanks regards yours filled attendees neighbour carers veterans authorised endoscopist adjuster
    discs goals rails rooms claims appeals cases belongings implants relatives questions photographs photos carotids
    cashless unresp disp afternoon evening morning tonight hello hi hey ok dear kind kindly monday tuesday wednesday
    thursday friday saturday sunday january february march april may june july august september october november
    december christmas easter english british irish scottish welsh american canadian australian german french
    spanish italian dutch polish russian ukrainian chinese japanese korean vietnamese arabic turkish indian nigerian
    african asian european caucasian england scotland wales ireland britain america canada australia germany france
    spain italy poland india china japan nigeria kenya austria singapore london dublin paris berlin hong kong royal
    saint north south east west upper lower great little new old adresse anschrift aufnahme patientin patiente
    paciente paziente hasta sehr geehrter geehrte herr frau herrn mit freundlichen tochter sohn bruder mutter vater
    jahre jahr entlassung einweisung verdacht beginn diagnosen diagnose behandlung wegen unter nach vom wohnhaft
    geboren arzt praxis station klinik krankenhaus hausbesuch vorstellung verlauf befund medikamente dosis therapie
    chirurgie innere rufnummer telefon handy kollege kollegin fille fils mari madame monsieur cher chambre entré
    entrée sortie adressé vue examen hôpital médecin docteur traitement acude ingreso alta fecha hija hijo madre
    padre urgencias domicilio residente consulta valorada hospital servicio visita morada internada utente figlio
    figlia ricovero cartella medico dottore betreft geachte huisarts vader moeder dochter zoon contactpersoon
    polikliniek opgenomen leeftijd dhr mevr mevrouw meneer annwyl diolch sincerely faithfully truly trust
    """.split()
)


def is_word(word: str) -> bool:
    """Whether a word, however it is written, is known as one that is no name."""
    folded = word.casefold().removesuffix("'s").removesuffix("’s").strip("'’-.")
    if folded in _NAMES_TOO:
        return False
    if folded in _OF_NOTES:
        return True
    plain = "".join(one for one in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(one))
    words = _words()
    return plain in words or usual_form(plain) in words


@lru_cache(maxsize=1)
def _words() -> frozenset[str]:
    """The router's words. Raises RouterError where its file is missing or damaged."""
    content = read_weights(paths.assets_folder() / FILE_NAME)
    return frozenset(f"{content['words']}\n{content['everyday']}".split("\n"))
