"""Turn the sources' text into plain paragraphs and lists: no layout remnants, no boilerplate."""

import re
import unicodedata
from itertools import takewhile

# Sentences that speak of the web page they stood on, or that hundreds of answers share: one that has any of these
# is dropped. Looked for in lower case.
BOILERPLATE = re.compile(
    "|".join(
        (
            # GARD's tables of symptoms and GHR's lists of links
            r"human phenotype ontology|medlineplus medical dictionary|\borphanet\b|last updated|\bgard\b",
            r"approximate number of patients|frequency of a sign or symptom|frequency may also be listed",
            r"these resources (?:address|from medlineplus)|genetic testing registry|\bgene review",
            r"genetics home reference",
            # who pays for research
            r"ninds|national institute|national cancer institute|national eye institute|\bnih\b|nci-supported",
            r"office of (?:rare|dietary)|conduct(?:s|ed|ing)? (?:and|or) supports?",
            r"supports? (?:and conducts? )?research",
            # the same words on clinical trials in every CancerGov answer
            r"information about clinical trials|refine the search|retrieved from nci|clinicaltrials\.gov",
            r"clinical trials? (?:are|is|that|may|search|only|include|web)|taking part in a clinical",
            r"enter clinical trials|take part in (?:a )?clinical trials|in clinical trials|treatment clinical trial",
            r"treatment options section|pdq",
            # where to read, watch and click
            r"for more (?:information|specific|details?)|to learn more|click (?:here|on|the)|this summary",
            r"watch (?:the|this|a) (?:short )?video|enlarge the video|reduce the video|\(esc\)",
            r"see (?:this|the) (?:graphic|figure|picture|image|following|section|chart|table|fact)",
            r"^see (?:the|also|common|general)\b|health topics?\b|fact sheet|website|web site|\bwww\.|https?:",
            r"\bvisit (?:this|the|our)|the following (?:summar|list of)y?|\banimation",
            r"illustration shows|figure [a-z0-9]",
            r"\[link\]|listed below (?:are|is) |external web|please (?:note|visit|see|contact)|interactive link",
            r"contact (?:us|the|your local)|separate window|opens? in (?:a )?new",
            r"this (?:brochure|booklet|publication)|the drug names listed|\bfda\b.*\bapproved uses?\b|disclaimer",
        )
    )
)
CUT_FROM = re.compile(
    r"The Human Phenotype Ontology provides|These resources address the diagnosis|These resources from MedlinePlus"
    r"|Check the list of NCI-supported|Genetics Home Reference provides|Figure \d+\.|Table \d+\.",
)
SPOKEN = re.compile(  # (VAR-i-kos)
    r"\s*\((?:also )?(?:[a-zA-Z]+-)*[A-Z]{2,}(?:-[a-zA-Z]+)+\)|\s*\((?:[a-z]+-)+[A-Z]{2,}(?:-[a-zA-Z]+)*\)"
)
ASIDE = re.compile(
    r"\s*\((?:watch|see|click|to (?:enlarge|learn)|for more|this photo|refer|go to)\b[^()]*(?:\([^()]*\)[^()]*)*\)",
    re.IGNORECASE,
)
REFERENCE = re.compile(r"\s*\[\d+(?:[-,; ]+\d+)*\]")
ECHO = re.compile(r"^(?:What|How|Is|Are|Who|Can|Does|Do|Why|Which)\b[^.?!]{3,160}\?\s+")
OPENER = re.compile(r"^(?:Summary\s*:\s*|Espa\W?ol\s+|Key Points\s*|Overview\s+|Note\s*:\s*)+")
SENTENCE = re.compile(r"(?<=[.!?])[\"')\]]?\s+(?=[\"'(]?[A-Z0-9])")
ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|vs|Dr|Mr|Mrs|approx|etc|St|spp|sp|[A-Z])\.$")
# Words that begin the sentence after a list whose last item has lost its line break.
RESUMES = (
    "A|An|The|If|Your|You|Doctors|Treatment|Treatments|There|This|These|Those|It|They|Some|Other|Others|Most|Many|To|In|For|"
    "People|Medicines|No|Not|Women|Men|Symptoms|Sometimes|Although|When|Call|Talk|See|But|With|Because|As|Once|After|Before|"
    "Without|What|How|Health|Children|Babies|Tests|Researchers|Scientists|At|Anyone|However|Both|Each|Even|Different|Any|Also|"
    "Although|Having|Certain|Signs|Patients|Since|While|Usually|Often|Only|One|Two|Three|Several|Is|Are|Early|His|Her|We|Do"
)
LOST_APOSTROPHE = re.compile(r"\b(is|does|do|are|was|were|have|has|did|could|would|should)nt\b")
VERB = "is|are|can|may|have|has|often|include|includes|should|causes|cause"
RESUMED = re.compile(rf"(?<=[a-z0-9)]) (?=(?:{RESUMES}) [a-z']|[A-Z][a-z]+ (?:[a-z]+ ){{0,2}}(?:{VERB})\b)")


def sentences(text: str) -> list[str]:
    """Split a paragraph at sentence ends, not after common abbreviations."""
    parts: list[str] = []
    for piece in SENTENCE.split(text):
        if parts and ABBREVIATION.search(parts[-1]):
            parts[-1] += " " + piece
        else:
            parts.append(piece)
    return [part.strip() for part in parts if part.strip()]


def normalised(text: str) -> str:
    """Lower-case words and numbers with single spaces: what comparisons for equality look at."""
    plain = text.lower().replace("'", "").replace("\u2019", "")
    if not plain.isascii():
        plain = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[a-z0-9]+", plain))


def is_boilerplate(sentence: str) -> bool:
    return bool(BOILERPLATE.search(sentence.lower()))


def clean(text: str) -> str:
    """Paragraphs separated by an empty line, list items as lines that begin with `- `."""
    text = CUT_FROM.split(text.replace("\u00a0", " ").replace("\r", "\n"), maxsplit=1)[0]
    text = "\n".join(_without_controls(line) for line in text.split("\n"))
    text = ECHO.sub("", text.lstrip() + " ").strip()
    blocks: list[str] = []
    for raw in re.split(r"\n[ \t]*\n\s*", text):
        paragraph = OPENER.sub("", re.sub(r"\s+", " ", raw).strip())
        paragraph = LOST_APOSTROPHE.sub(r"\1n't", paragraph.replace(" :", ":").replace(" ,", ","))
        paragraph = REFERENCE.sub("", SPOKEN.sub("", ASIDE.sub("", paragraph)))
        if paragraph:
            _append_block(blocks, paragraph)
    lead = sum(1 for _ in takewhile(lambda block: block.startswith("- "), blocks))
    if 1 < lead < len(blocks):
        blocks = blocks[lead:]  # "Key points" that the paragraphs after them say again
    while blocks and (blocks[-1].endswith(":") or _is_heading(blocks[-1])):
        blocks.pop()
    joined = "\n\n".join(blocks)
    return re.sub(r"\n\n(?=- )", "\n", joined).strip()


def _without_controls(line: str) -> str:
    return line if line.isprintable() else "".join(c for c in line if unicodedata.category(c)[0] != "C")


def _is_heading(block: str) -> bool:
    return not block.startswith("- ") and len(block) < 90 and block[-1] not in '.!?:;")'


def _append_block(blocks: list[str], paragraph: str) -> None:
    lead, items = _split_list(paragraph)
    kept = " ".join(s for s in sentences(lead) if not is_boilerplate(s))
    if kept and _is_heading(kept) and not items:
        # A short line without an end is an item where a list is open, and a heading elsewhere.
        if blocks and (blocks[-1].endswith(":") or blocks[-1].startswith("- ")) and not blocks[-1].endswith("."):
            blocks.append("- " + kept)
        return
    if kept:
        blocks.append(kept)
    items, tail = _close_list(items)
    if len(items) == 1 and not kept.endswith(":"):
        blocks.append(items[0])
    else:
        blocks.extend("- " + item for item in items if not is_boilerplate(item))
    tail = " ".join(s for s in sentences(tail) if not is_boilerplate(s))
    if tail and not _is_heading(tail):
        blocks.append(tail)


def _split_list(paragraph: str) -> tuple[str, list[str]]:
    """Part a paragraph from the ` - ` list that runs on in it."""
    first = re.search(r"(?:^|(?<=[:.;?!)]) |(?<=[a-z]) (?=- [A-Z]))-\s+(?=\S)", paragraph)
    if not first:
        return paragraph, []
    lead, rest = paragraph[: first.start()].strip(), paragraph[first.end() :]
    lower_case = rest[:1].islower()
    items = re.split(r"\s-\s+" if lower_case else r"\s-\s+(?=[A-Z0-9\"'(])|(?<=[.;:])\s-\s+", rest)
    return lead, [item.strip(" -;") for item in items if item.strip(" -;")]


def _close_list(items: list[str]) -> tuple[list[str], str]:
    """Part the last item from the text that follows it without a line break, and from a second copy of the list."""
    if not items:
        return items, ""
    *others, last = items
    if others:
        again = last.find(others[0], 1)
        if again > 0:
            tail = last[again:]
            last = last[:again].strip()
            for item in [*others, last]:
                tail = tail.replace(item, "", 1).strip()
            return [*others, last], tail.lstrip(". ")
    if len(last) > 60:
        ends = RESUMED.search(last)
        if ends:
            return [*others, last[: ends.start()]], last[ends.end() :]
        parts = sentences(last)
        if len(parts) > 1 and others and max(len(sentences(o)) for o in others) == 1:
            return [*others, parts[0]], " ".join(parts[1:])
    return items, ""


def shorten(text: str, limit: int) -> tuple[str, str]:
    """Cut `text` at the last end of a paragraph, item or sentence within `limit` characters: (kept, rest)."""
    if len(text) <= limit:
        return text, ""
    ends = [m.end() for m in re.finditer(r"[.!?](?=\s|$)|(?<=\S)(?=\n)", text[: limit + 1])]
    ends = [end for end in ends if not ABBREVIATION.search(text[:end])]
    cut = ends[-1] if ends else 0
    kept = text[:cut].rstrip()
    while kept and (kept.endswith(":") or _is_heading(kept.split("\n")[-1])):
        kept = kept[: max(kept.rfind("\n"), 0)].rstrip()
    return kept, text[len(kept) :].strip()
