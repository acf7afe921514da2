from medpocket.forge.router_vocabulary import vocabulary_content
from medpocket.router.language import is_foreign
from medpocket.router.negation import DENIED, DISTANT, NORMAL, PAST, weigh
from medpocket.router.normalise import tokens_of
from medpocket.router.reading import as_vocabulary, read
from medpocket.router.spelling import Speller, is_one_slip, skeleton

TERMS = ["chest pain", "fever", "rash", "knee", "kidney stone", "diarrhea", "pneumonia", "no fetal movement", "stroke"]
VOCABULARY = as_vocabulary(
    vocabulary_content(sorted({word for term in TERMS for word in term.split()}), TERMS, ["strike"])
)


def terms_in(text: str) -> dict[str, float]:
    reading = read(text, VOCABULARY)
    return {" ".join(reading.words[term.start : term.end]): term.weight for term in reading.terms}


def weights_of(text: str) -> dict[str, float]:
    words = tokens_of(text)
    return dict(zip(words, weigh(words, [False] * len(words)), strict=True))


def test_british_and_american_spelling_are_one() -> None:
    british = "haematuria, oedema, anaemia, diarrhoea, tumour, oesophagus, paediatric, caesarean, ischaemia, leukaemia"
    american = "hematuria, edema, anemia, diarrhea, tumor, esophagus, pediatric, cesarean, ischemia, leukemia"
    assert tokens_of(british) == tokens_of(american)


def test_singular_plural_case_and_possessives_are_one() -> None:
    assert tokens_of("Kidney STONES, Crohn's biopsies") == tokens_of("kidney stone, crohn biopsy")


def test_ages_become_words() -> None:
    for text in ("a 5-year-old", "a 5 yr old", "5 y/o", "5yo", "aged 5"):
        assert "agechild" in tokens_of(text), text
    assert "ageteen" in tokens_of("a 15 year old")
    assert tokens_of("62M s/p CABG") == ["ageadult", "male", "s/p", "cabg"]
    assert "agebaby" in tokens_of("a 3 month old")
    assert "ageold" in tokens_of("81F")
    assert tokens_of("fever for 3 days") == ["fever", "for", "day"]


def test_a_wrapped_line_goes_on_and_a_new_line_does_not() -> None:
    assert list(terms_in("my chest\n  pain")) == ["chest pain"]
    assert terms_in("no fever\nRash") == {"rash": 1.0}


def test_a_term_is_found_at_its_longest_and_over_determiners() -> None:
    assert list(terms_in("Chest pain; my knee; the kidney stones")) == ["chest pain", "knee", "kidney stone"]


def test_denied_findings_do_not_count() -> None:
    assert terms_in("no chest pain, fever or rash") == {}
    assert terms_in("denies fever. Rash on the knee") == {"rash": 1.0, "knee": 1.0}
    assert terms_in("fever was ruled out, but rash") == {"rash": 1.0}


def test_what_looks_like_a_denial_and_is_none_counts() -> None:
    assert weights_of("no periods for months")["period"] == 1.0
    assert weights_of("I can't sleep")["sleep"] == 1.0
    assert terms_in("no fetal movement since morning") == {"no fetal movement": 1.0}


def test_a_denial_ends_with_its_sentence_and_at_but() -> None:
    assert weights_of("No fever. Rash")["rash"] == 1.0
    assert weights_of("no fever but rash")["rash"] == 1.0
    assert weights_of("no fever but rash")["fever"] == DENIED


def test_relatives_the_past_and_normal_findings_count_less() -> None:
    assert weights_of("family history of stroke")["stroke"] == DISTANT
    assert weights_of("history of stroke")["stroke"] == PAST
    assert weights_of("kidney normal, rash")["kidney"] == NORMAL
    assert weights_of("kidney normal, rash")["rash"] == 1.0


def test_a_term_that_is_said_again_counts_less() -> None:
    reading = read("fever, fever", VOCABULARY)
    assert [term.weight for term in reading.terms] == [1.0, 0.3]


def test_slips_of_the_hand_and_words_written_by_ear_are_repaired() -> None:
    known = {"pneumonia": 0, "diarrhea": 1, "arthritis": 2, "psoriasis": 3}
    speller = Speller(known, {skeleton(word): word for word in known})
    for wrong, right in {
        "pnuemonia": "pneumonia",
        "numonia": "pneumonia",
        "arthritus": "arthritis",
        "artritis": "arthritis",
        "soriasis": "psoriasis",
        "diarrea": "diarrhea",
    }.items():
        assert speller.repair(wrong) == right, wrong


def test_an_everyday_word_is_no_slip_of_a_medical_one_and_is_counted() -> None:
    assert terms_in("a strokke last year") == {"stroke": 1.0}
    assert terms_in("a strike last year") == {}
    assert read("a strike last year", VOCABULARY).everyday == 1


def test_short_words_numbers_and_strangers_are_left_alone() -> None:
    speller = Speller({"gout": 0, "pneumonia": 1}, {skeleton("pneumonia"): "pneumonia"})
    assert [speller.repair(word) for word in ("goat", "b12345", "bicycle", "panorama")] == [None] * 4


def test_one_slip_is_one_letter_more_less_or_other_or_two_in_the_other_order() -> None:
    assert all(is_one_slip("angina", other) for other in ("anginal", "agina", "angima", "anigna", "angina"))
    assert not any(is_one_slip("angina", other) for other in ("angin al", "agna", "ngiana", "angelina"))


def test_other_languages_are_told_from_english() -> None:
    for text in (
        "tengo dolor de cabeza desde hace tres dias",
        "j'ai mal au ventre depuis hier et je vomis",
        "ich habe seit gestern starke Schmerzen in der Brust",
        "у меня болит голова",
        "我头痛",
        "عندي صداع",
    ):
        assert is_foreign(text), text
    for text in ("62M s/p CABG", "my knees hurt", "El Salvador travel, fever", "β-blocker dose in AF"):
        assert not is_foreign(text), text


def test_random_text_never_fails() -> None:
    import random

    dice = random.Random(1)
    letters = "ab c's-/.,?!;:()\n\t19éÀß😀中no not without '"
    for _ in range(500):
        text = "".join(dice.choice(letters) for _ in range(dice.randrange(60)))
        reading = read(text, VOCABULARY)
        assert len(reading.rows) == len(reading.counts) == len(reading.places)
        assert all(0 <= place < len(reading.words) for place in reading.places)
