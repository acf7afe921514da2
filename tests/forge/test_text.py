import pytest

from medpocket.forge.text import clean, normalised, sentences, shorten


def test_run_on_list_becomes_lines() -> None:
    items = "Fever - Dry cough - Chest pain"
    text = f"Symptoms include - {items} Your doctor can tell you whether you have pneumonia, which is common."
    assert clean(text) == (
        "Symptoms include\n- Fever\n- Dry cough\n- Chest pain\n\n"
        "Your doctor can tell you whether you have pneumonia, which is common."
    )


def test_lower_case_list_after_a_colon_becomes_lines() -> None:
    text = "The risk factors are: - older age - smoking - working with certain chemicals"
    assert clean(text) == "The risk factors are:\n- older age\n- smoking\n- working with certain chemicals"


def test_a_dash_in_a_sentence_stays() -> None:
    text = "The lobes of the brain - the front and the rear ones - are enlarged in this condition."
    assert clean(text) == text


def test_second_copy_of_a_list_is_dropped() -> None:
    text = (
        "Take care of your arm. - Keep your skin clean every day. - Wear loose clothing on your arms. "
        "Keep your skin clean every day. Wear loose clothing on your arms."
    )
    assert clean(text).count("Keep your skin clean") == 1
    assert clean(text).count("Wear loose clothing") == 1


def test_repeated_question_is_dropped() -> None:
    text = "What are the signs and symptoms of Anencephaly? Babies are born without parts of the brain and skull."
    assert clean(text) == "Babies are born without parts of the brain and skull."


def test_phenotype_table_is_dropped() -> None:
    text = (
        "People with it have small eyes. The Human Phenotype Ontology provides the following list of signs. "
        "Signs and Symptoms Approximate number of patients (when available) Long face 16/16"
    )
    assert clean(text) == "People with it have small eyes."


@pytest.mark.parametrize(
    "boilerplate",
    [
        "These resources address the diagnosis or management of it: - Gene Review: something",
        "The NINDS conducts and supports research on this disorder.",
        "For more information, go to the page on asthma.",
        "(Watch the video to learn more. To enlarge the video, click the brackets.)",
        "Patients may want to think about taking part in a clinical trial.",
    ],
)
def test_boilerplate_is_dropped(boilerplate: str) -> None:
    assert (
        clean(f"Asthma makes breathing hard for many people. {boilerplate}")
        == "Asthma makes breathing hard for many people."
    )


def test_key_points_that_are_said_again_are_dropped() -> None:
    points = "Key Points\n - It is a cancer. - It is rare. - It can be treated."
    text = f"{points}\n \n \nIt is a cancer of the eye, and it is rare."
    assert clean(text) == "It is a cancer of the eye, and it is rare."


def test_headings_spoken_forms_and_references_are_dropped() -> None:
    text = "Overview\n \nVaricose (VAR-i-kos) veins are swollen veins [1, 2] under the skin.\n \nOther Names\n"
    assert clean(text) == "Varicose veins are swollen veins under the skin."


def test_lost_apostrophes_come_back() -> None:
    assert clean("The cause isnt known and doctors dont agree about it at all.").startswith("The cause isn't known")


def test_sentences_do_not_end_at_abbreviations() -> None:
    assert sentences("Infections, e.g. Lyme disease, are common. See Dr. Gower first.") == [
        "Infections, e.g. Lyme disease, are common.",
        "See Dr. Gower first.",
    ]


def test_shortened_text_ends_with_a_sentence_and_loses_nothing() -> None:
    text = "One sentence stands here. Another one stands here too. A third is too long for the limit."
    kept, rest = shorten(text, 60)
    assert kept == "One sentence stands here. Another one stands here too."
    assert rest == "A third is too long for the limit."


def test_text_within_the_limit_is_not_cut() -> None:
    assert shorten("Short. Text", 60) == ("Short. Text", "")


def test_text_is_not_cut_before_its_list() -> None:
    text = "A first sentence.\n\nThe symptoms are:\n- fever and chills\n- pain in the chest and in the back"
    assert shorten(text, 50)[0] == "A first sentence."
    assert shorten(text, 60)[0] == "A first sentence.\n\nThe symptoms are:\n- fever and chills"


def test_normalised_ignores_case_punctuation_and_accents() -> None:
    assert normalised("Birt-Hogg-Dub\u00e9's  SYNDROME!") == "birt hogg dubes syndrome"
