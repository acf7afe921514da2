"""Numbers that name nobody: what is measured, counted or given, and the numbers that everybody may know.

Of a number in a clinical text these are the closed part; what numbers a person, a file or a thing is open.
"""

import re

# What is measured or scored. The number that follows one of them, with a sign or a small word between, is a value.
_MEASURED = (
    # vital signs and bodies
    r"bp|sbp|dbp|map|nibp|cvp|hr|fhr|rr|fc|fr|pulse|p|t|temp(?:erature)?|tmax|spo2|sao2|sats?|o2|fio2|peep|vt|tv|pap"
    r"|pcwp|"
    r"weight|wt|bw|ibw|edw|kg|height|ht|length|bmi|bsa|hc|ofc|fh|afi|waist|girth|rate|rhythm|rom|slr|flexion|extension|"
    r"abduction|grip|pefr?|fev1|fvc|dlco|tlco|kco|ahi|odi|cpap|ipap|epap|pip|pain|nrs|vas|gcs|avpu|u/?o|output|intake|"
    r"urine|residual|pvr|ebl|drain|loss|volume|vol|size|diameter|gain|ga|crl|bpd|efw|"
    # blood and other samples
    r"na\+?|k\+?|cl|ca|mg|po4|hco3|be|ph|pco2|po2|paco2|pao2|lac(?:tate)?|gluc(?:ose)?|bgl|bg|bm|bsl|cbg|fbs|ppbs"
    r"|rbs|hgt|"
    r"ogtt|gtt|ketones?|ur(?:ea)?|bun|cr(?:eat(?:inine)?)?|creatinin[ea]?|kreatinin|egfr|gfr|crcl|acr|pcr|urate|hb|hgb|"
    r"haemoglobin|hemoglobin|hct|pcv|mcv|mch|wcc|wbc|tlc|plt|platelets?|plaq|neut(?:s|rophils?)?|anc|lymph\w*|eos\w*"
    r"|retics?|"
    r"blasts?|esr|crp|pct|procalcitonin|inr|pt|ptt|aptt|apttr|fibrinogen|fib|d-?dimers?|trop(?:onin)?(?:[- ][it])?"
    r"|hs-?tn[ti]|"
    r"tn[ti]|bnp|(?:nt-?)?(?:pro-?)?bnp|ck(?:-?mb)?|ldh?|ast|alt|alp|ggt|bili(?:rubin)?|sbr|alb(?:umin)?|amylase"
    r"|lipase|"
    r"ammonia|cholesterol|chol|hdl|ldl|tg|trigs?|triglycerides?|hba1c|a1c|tsh|ft[34]|t[34]|pth"
    r"|vit(?:amin)?(?: [a-z]\d{0,2})?|"
    r"b12|folate|ferritin|tsat|transferrin|iron|cortisol|acth|lh|fsh|amh|afc|prolactin|oestradiol|estradiol"
    r"|testosterone|"
    r"igf-?1|psa|cea|afp|ca-?\d{2,3}(?:-\d)?|b?-?hcg|igg|iga|igm|ige|c3|c4|rf|ccp|anca|asot?|cd4|vl|copies|titre|titer|"
    r"tryptase|level|conc(?:entration)?|tac(?:ro(?:limus)?)?|ciclosporin|lithium|digoxin|phenytoin|valproate"
    r"|gentamicin|"
    r"vancomycin|clozapine|osmolality|osmo?|sodium|potassium|calcium|magnesium|phosphate|chloride|bicarb(?:onate)?|"
    r"base excess|anion gap|gap|creat clearance|clearance|flow|uf|qb|kt/v|"
    # heart, lungs, scans, eyes, ears
    r"ef|lvef|rvsp|pr|qrs|qtc?|rate|st|gradient|grad|vmax|ava|la|lad|rca|lv|tapse|thr|iop|va|cdr?|c/d|pta|srt|cbd|aaa|"
    r"suv(?:max)?|ki-?67|breslow|gleason|psv|ri|pi|abpi|abi|tbi|ffr|auc|mta|bis|"
    # scores and stages
    r"news2?|mews|pews|apgars?|sofa|qsofa|apache|saps|nihss|mrs|cfs|rockwood|barthel|fim|berg|tug|sppb|must|waterlow"
    r"|braden|"
    r"norton|morse|bims|mmse|moca|acer?|ace-iii|m-?ace|amts?|6cit|4at|cam|phq(?:-?\d)?|gad(?:-?\d)?|epds|hads|bdi"
    r"|ham-?d|"
    r"ymrs|panss|honos|audit|cage|ciwa|cows|isi|epworth|ess|dash|oxford|womac|odi|koos|haq|das28|basdai|cdai|sledai"
    r"|pasi|"
    r"dlqi|scorad|easi|mayo|ipss|iief|ibdq|cat|mrc|mmrc|gold|act|acq|timi|grace|heart|cha2ds2-?vasc|has-?bled"
    r"|curb(?:-?65)?|"
    r"wells|perc|meld|pugh|child|ranson|glasgow|blatchford|rockall|alvarado|euroscore|sts|qrisk\d?|frax|p-?possum"
    r"|asa|ecog|"
    r"ps|pps|kps|karnofsky|wagner|sinbad|iddsi|fois|bristol|type|grade|gr|stage|class|nyha|ckd|score[ds]?|scoring"
    r"|scale|"
    r"index|ratio|total|sum|mean|median|average|avg|range|target|goal|normal|max(?:imum)?|min(?:imum)?|peak|trough"
    r"|baseline|"
    r"memory|attention|fluency|language|visuo\w*|orientation|recall|"
    # doses, settings and amounts
    r"dose|dosage|mg/kg|rate|speed|energy|power|frequency|freq|setting|pressure|capacity|usage|reps?|sets?|qty"
    r"|quantity|"
    r"number of|n|count|amount|cost|price|fee|"
    r"age|aged|ages|hours?|hrs?|days?|weeks?|wks?|months?|mins?|minutes?|times?"
)
# Small words and signs between what is measured and its value.
_BETWEEN = (
    r"(?:\s?[=:<>~≈≥≤+-]\s?|\s?\(|\s(?:of|was|is|at|now|today|peaked at|up to"
    r"|down to|from|to|about|approx\.?)\s|\s){1,2}"
)
_BEFORE_VALUE = re.compile(rf"(?<![\w/-])(?:{_MEASURED}){_BETWEEN}[<>~]?$", re.IGNORECASE)
# Values that go on: "Na 118-123-", "trop 1420 -> ", "BP 150/80, "; what is counted: "(N = ".
_VALUE_BEFORE = re.compile(
    r"(?:\d\s?(?:->|→|/|-|to)|[=<>≥≤~]|(?<![A-Za-z])[x×*±£$€]|\b(?:Rs|USD|EUR|GBP)\.?)\s?$", re.IGNORECASE
)

UNITS = (
    r"(?:%|°|‰|mm?ol|[mµun]?mol|pmol|mm(?:hg)?|cmh2o|cm2?|mcg|µg|ug|ng|pg|mg|kg|g|gm|gms|grams?|ml|mls|dl|cc|fl|l"
    r"|lit(?:re|er)s?|iu|miu|"
    r"u|units?|meq|kpa|bpm|hz|khz|mhz|db|gy|cgy|msv|lbs?|oz|st|feet|foot|ft|inch(?:es)?|yards?|yds?|m|km|miles?|"
    r"met(?:re|er)s?|w|watts?|v|ma|j|kcal|cal(?:ories)?|kj|k|ch|fr|f|gauge|degrees?|deg|c|per|steps?|reps?|sets?"
    r"|doses?|"
    r"tabs?|tablets?|caps|capsules?|puffs?|drops?|sprays?|amps?|ampoules?|vials?|sachets?|patches|cells?|copies|cfu|"
    r"patients?|people|participants?|subjects|cases|women|men|adults|children|infants|sec(?:ond)?s?|s|min(?:ute)?s?"
    r"|h|hrs?|"
    r"hours?|hourly|days?|d|wks?|weeks?|mths?|months?|times|x|beats|breaths|paces|points?|pts|pack|py|words|events|"
    r"bd|bid|tds|tid|qds|qid|od|qd|prn|nocte|mane|stat|daily|centile|percentile|per\s?cent|percent|ra\b|on air|"
    r"pence|pounds|dollars|euros?|rupees|sats)"
)
_UNIT_AFTER = re.compile(
    rf"[ \u00a0]?-?{UNITS}(?!\w|[/-]?\d)|\s?[%°]|\s?/\s?(?:min|h|hr|kg|l|dl|ml|mm3|hpf|ul|day|week|nl|24)\b",
    re.IGNORECASE,
)

# Numbers that everybody may know: of papers, trials, terms, batches, guidelines and pages.
_PUBLIC = re.compile(
    r"\b(?:PMID|PMCID|PMC|NCT|ISRCTN|EudraCT|CTRI|ACTRN|doi|SNOMED(?:[- ]CT)?|LOINC|ICD(?:-?\d+)?(?:-CM)?|CPT|HCPCS"
    r"|OPCS4?|Read code|"
    r"ATC|RxCUI|MeSH|ISBN|ISSN|OMIM|lot|batch|B/N|NICE|SIGN|HGVS|ISO|version|build|pages?|pp?\.|"
    r"vol(?:ume)?|issue|chapter|section|§|fig(?:ure)?|table|appendix|item|paragraph|step|image|series|slice)"
    r"(?:\s?(?:no|number|code|codes|id)\b\.?)?[\s:.#(-]{0,3}$",
    re.IGNORECASE,
)
_PUBLIC_NUMBER = re.compile(
    r"(?:NCT|ISRCTN|PMC|PMID|ACTRN|CTRI|(?:TA|NG|CG|QS|DG|IPG|rs)\d{1,4}$|doi|N[MPC]_|10\.\d{4,5}/)\d?", re.IGNORECASE
)
# Diagnoses, stages, genes and lines of products: "S72.001A", "T2N1M0", "CA19-9", "XBB.1.5", "D5050", "c.5946delT".
_CODE_OF_ALL = re.compile(
    r"[A-TV-Z]\d{2}(?:\.[\dA-Z]{1,4})?|[cgmpr]\.\S+|[pcy]{0,2}T[\dXis]\w{0,2}N\w{1,2}M?\w{0,2}|CA-?\d{2,3}(?:-\d)?"
    r"|[A-Z]{2,4}(?:\.\d{1,2}){1,4}"
    r"|D\d{2,4}(?=\s?\d?\s?(?:amp|%|W|NS))|(?:COVID|SARS-CoV|IL|TNF|CD|HLA|HER|BRCA|CYP|SGLT|GLP|DPP|PD|CTLA|COX"
    r"|PDE)-?\d\w{0,3}|G\d+P\d+\w?|H\d{1,2}N\d{1,2}"
    r"|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+(?:[-/–]\d+(?:\.\d+)?)?|\d{1,3}(?:[x×]\d{1,4})+|\d+[x×]\d+|\d{1,2}w\d?d?"
)
_TIME = re.compile(r"T?(?:[01]?\d|2[0-4])[:.h]?[0-5]\d(?:h|hrs?|Z|L)?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_WIDTH_BEFORE = 32


def is_measured(text: str, start: int, end: int) -> bool:
    """Whether the number from `start` to `end` is a value: a unit follows it, or what is measured stands before."""
    before = text[max(0, start - _WIDTH_BEFORE) : start]
    return bool(has_unit(text, end) or names_measure(before) or goes_on(before))


def has_unit(text: str, end: int) -> bool:
    """Whether a unit follows at `end`."""
    return _UNIT_AFTER.match(text, end) is not None


def names_measure(before: str) -> bool:
    """Whether a text ends with what is measured, ready for its value."""
    return _BEFORE_VALUE.search(before) is not None


def goes_on(before: str) -> bool:
    """Whether a text ends with a value, or a sign, after which another value stands."""
    return _VALUE_BEFORE.search(before) is not None


def is_public(text: str, start: int, end: int) -> bool:
    """Whether what stands there is a number that everybody may know: of a paper, a batch, a diagnosis, a page."""
    value = text[start:end]
    if _PUBLIC_NUMBER.match(value) or _CODE_OF_ALL.fullmatch(value):
        return True
    return _PUBLIC.search(text[max(0, start - _WIDTH_BEFORE) : start]) is not None


def is_time_or_year(value: str) -> bool:
    """Whether figures may be a time of day or a year."""
    return bool(_TIME.fullmatch(value) or _YEAR.fullmatch(value))
