"""How much each word counts: nothing where it is denied, little where it is normal, another person's, or long past.

After NegEx (Chapman et al., J Biomed Inform 34:301, 2001): a trigger, a scope in words, and what ends a scope.
"""

from collections.abc import Sequence

from medpocket.router.normalise import CLAUSE_END, SENTENCE_END, word_set

DENIED = 0.0
DISTANT = 0.3  # a relative's
PAST = 0.6  # the patient's own history, and what is taken for it
NORMAL = 0.35  # looked at, and found in order

# Longest first. A scope is a number of words; a list that goes on with commas, "or" and "and" carries it further.
_BEFORE: dict[tuple[str, ...], tuple[float, int]] = {
    tuple(trigger.split()): (weight, scope)
    for weight, scope, triggers in (
        (DENIED, 6, "no evidence of|no sign of|no history of|no known|no complaint of|no symptom of|negative for"),
        (DENIED, 6, "denied|deny|denying|without|w/o|absence of|free of|rule out for|ruled out for"),
        (DENIED, 4, "no|nor|neither|never had|not have|not had|not having|not have any|lack of|rather than"),
        (DENIED, 1, "not"),
        (DISTANT, 8, "family history of|family history|mother had|father had|brother had|sister had|mother has"),
        (DISTANT, 8, "father has|runs in family|run in family|fh|fhx|father died of|mother died of|brother has"),
        (DISTANT, 8, "sister has|husband has|wife has"),
        (PAST, 8, "history of|h/o|hx of|hx|pmh|pmhx|past medical history|known|s/p|status post|background of"),
        (NORMAL, 2, "normal|unremarkable"),
        (PAST, 8, "take|taking|medication|med|current medication|on treatment with"),
    )
    for trigger in triggers.split("|")
}
_STARTS: dict[str, list[tuple[str, ...]]] = {}
for _trigger in sorted(_BEFORE, key=len, reverse=True):
    _STARTS.setdefault(_trigger[0], []).append(_trigger)

# What looks like a denial and is none, or is the complaint itself.
_NO_DENIAL = {
    "no": word_set(
        "longer better change improvement relief response one idea period menses menstruation sleep energy appetite "
        "interest feeling sensation erection sperm urine motivation libido voice increase doubt matter more other "
        "bowel way need"
    ),
    "without": word_set("contrast sleep treatment help medication"),
    "not": word_set(
        "only sure sleep sleeping eating eat feeding breathing breathe able see hear feel seeing hearing feeling "
        "moving move working work walking walk talking talk gaining growing passing pass getting going responding "
        "respond improving want be been to know help helping tolerate swallow urinate respond in on allowed"
    ),
}
_ENDS = word_set("but however although though except yet still because presents presenting now which who")
_LISTED = frozenset(("or", "and", "nor", "and/or", "any"))
# What stands behind the words that it takes back, in the same clause.
_AFTER = {
    **dict.fromkeys(("absent", "denied", "unlikely", "excluded", "ruled"), DENIED),
    **dict.fromkeys(word_set("normal unremarkable fine clear clean stable negative flat intact controlled ok"), NORMAL),
    **dict.fromkeys(("resolved", "settled", "cured", "healthy"), NORMAL),
}
_AFTER_REACH = 5


def weigh(words: Sequence[str], protected: Sequence[bool]) -> list[float]:
    """Return how much each of `words` counts, from 0 to 1.

    `protected` marks the words of a term of the lexicon: "no fetal movement" is a term, and its "no" denies nothing.
    """
    weights = [1.0] * len(words)
    position = 0
    while position < len(words):
        trigger = None if protected[position] else _trigger_at(words, position)
        if trigger is None:
            if words[position] in _AFTER and not protected[position]:
                _take_back(words, position, weights)
            position += 1
            continue
        weight, scope = _BEFORE[trigger]
        if weight == NORMAL:
            _take_back(words, position, weights)
        position += len(trigger)
        for place in _reach(words, position, scope, lists=weight != NORMAL):
            weights[place] = min(weights[place], weight)
    return weights


def _trigger_at(words: Sequence[str], position: int) -> tuple[str, ...] | None:
    for trigger in _STARTS.get(words[position], ()):
        if tuple(words[position : position + len(trigger)]) == trigger:
            following = words[position + len(trigger)] if position + len(trigger) < len(words) else ""
            return None if following in _NO_DENIAL.get(words[position], ()) and len(trigger) == 1 else trigger
    return None


def _reach(words: Sequence[str], position: int, scope: int, *, lists: bool) -> list[int]:
    """The places of a scope: so many words, and with `lists` as many again from each comma or conjunction."""
    found: list[int] = []
    left = scope
    while position < len(words) and left > 0:
        word = words[position]
        if word == SENTENCE_END or word in _ENDS:
            break
        if word in (CLAUSE_END, *_LISTED):
            left = min(scope, left + 2) if lists and scope > 1 else 0
        else:
            found.append(position)
            left -= 1
        position += 1
    return found


def _take_back(words: Sequence[str], position: int, weights: list[float]) -> None:
    """Lower what stands before a word such as "normal", back to the beginning of its clause."""
    weight = _AFTER[words[position]]
    for place in range(position - 1, max(-1, position - 1 - _AFTER_REACH), -1):
        if words[place] in (SENTENCE_END, CLAUSE_END, "and", "but"):
            return
        weights[place] = min(weights[place], weight)
