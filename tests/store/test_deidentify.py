"""De-identification: what it reaches on marked notes, and how it replaces."""

import time
from pathlib import Path

import pytest

from medpocket.store.deidentify import deidentify
from tests.store.deidentify_figures import KINDS, NOTES, measure, read_notes

REACHED = 0.95
PRECISE = 0.95
# Sets with care homes' names before addresses, and words of medicine with a capital.
LESS_PRECISE = {"blind_seventh": 0.92, "blind_eighth": 0.89, "blind_ninth": 0.88}
PROMISED = [code for code in KINDS if code != "L"]  # a name that nothing announces is found by chance
SETS = {path.stem: measure(list(read_notes(path))) for path in sorted(NOTES.glob("*.txt"))}


@pytest.mark.parametrize("code", PROMISED)
@pytest.mark.parametrize("name", SETS)
def test_it_finds_of_each_type_nineteen_in_twenty_in_every_set_of_notes(name: str, code: str) -> None:
    figures = SETS[name]
    assert figures.wanted[code] >= (30 if name == "set_aside" else 6)
    assert figures.recall(code) >= REACHED, figures.missed
    assert figures.precision(code) >= LESS_PRECISE.get(name, PRECISE), figures.wrong


def test_the_manual_has_the_least_that_is_found_of_each_type() -> None:
    manual = (Path(__file__).parents[2] / "docs/export.md").read_text("utf-8")
    least = (min(figures.recall(code) for figures in SETS.values()) for code in "NDPRAG")
    assert "| now, the least of all sets | " + " | ".join(f"{recall:.3f}" for recall in least) + " |" in manual


def test_there_are_a_hundred_notes() -> None:
    assert len(list(read_notes(NOTES / "set_aside.txt"))) == 100


def test_the_same_has_the_same_placeholder_in_all_texts() -> None:
    texts, replaced = deidentify(["Mr John Carver, tel 07700 900142.", "Carver rang from 07700-900-142. Mr Pike came."])
    assert texts == ["Mr [NAME-1], tel [PHONE-1].", "[NAME-1] rang from [PHONE-1]. Mr [NAME-2] came."]
    assert [(one.placeholder, one.originals, one.count) for one in replaced] == [
        ("[PHONE-1]", ("07700 900142", "07700-900-142"), 2),
        ("[NAME-1]", ("John Carver", "Carver"), 2),
        ("[NAME-2]", ("Pike",), 1),
    ]


def test_a_name_that_is_a_word_too_is_left_where_it_is_the_word() -> None:
    texts, _ = deidentify(["Mrs Young saw a young woman. Young age matters."])
    assert texts == ["Mrs [NAME-1] saw a young woman. Young age matters."]


@pytest.mark.parametrize(
    "text",
    [
        "BP 120/80, HR 93, sats 94%, T 38.2, wt 91.5 kg, GCS 14/15, pain 7/10 for 3/7 and 5/52.",
        "Parkinson's disease, Grey Turner's sign, a Foley catheter and a St Jude valve.",
        "MR angiography of the brain; MS was excluded; she may march on; 89 years old.",
        "Hb 134 g/dL (ref: 11.5-14.5), Na 118-123-129, platelets 250000, ICD I48.91, E87.1, VA 6/9, TA 14/8.",
        "NCT01206062, PMID 26551272, NEJM 2014;371:993-1004, section 1.4.22, page 1012 of 1240, 2 x 500 mg.",
        "Sats 94 on air, HR (92), loading 300 mg then 90 mg bd for 28/7, ninety minutes, people aged 90 or over.",
        "Aspirin 75 mg, ticagrelor 90 mg, metformin 1000 mg, 25,000 units; LDL 2.6; 2019.",
        "Creatinine, Serum 91 umol/L\nGlucose, Fasting 95 mg/dL; CA-125 35 U/mL; E11.649; S72.001A; GLP-1; 500000IU.",
        "PS 10/5, PEEP 8. Lactate 4.1. 30 mL/kg. Creatinine was 98 last month. The pH was on 7.1. OK.",
        "User: Is aspirin safe?\nAssistant: Yes, mostly. CLTI, Rutherford 5. LGIB, Hgb 7.1. Seen by Neurologist.",
        "What is the dose of amoxicillin in an adult with otitis media?",
        "She is 94 kg, he was 98 mmHg, patient at 95 degrees, client did 95 steps, I am 92 kg, pt 93 sats on 2 L.",
        "At 94 the MAP was fine. CRP rising 93, HR reached 110, reached 100 m, her 95th centile, ages 90 to 99.",
        "Booking 9/40, EDD 38/40, Barthel 8/20, AMT 8/10, GCS 13/15, pain was 9/10, commenced 3/7, Oxford 22/48.",
        "VA R 6/9 L 6/18, ACE: attention 12/18, memory 11/26, fluency 9/14; MMSE 12/28, MoCA was 11/29, 18/12 ago.",
        "Vitamin B-12, folate; unit 2, block 3 done; lower leg cross section 3 cm; HEP x 10 reps, 3 sets x 12.",
        "CNS lymphoma, CNS depression, OT Equipment provided, MD Anderson protocol, easter egg, St George's score 41.",
        "FiO2 0.45, P/F 180, QTc 490, FEV1 91, DASH 94, FIM 98, 93 ml/h, 90 mcg, 95 Gy, CD4 120/24, INR 2.4 (98).",
        "TKR 5-92 deg. Echo 2.4: normal. Visit 3.5 h. CT 1.5 mm slices. The time was 9.20. Ring the bell.",
        "NT-proBNP: 2940, BNP 1182, D-dimer 4418, CK 10450, lipase 3301, trop 1420 -> 2210, ferritin: 2014.",
        "Vancomycin 1250 mg, vitamin D 20000 IU, heparin 25,000 units/500 mL, 2-2-1-1, 1-0-1, oxycodone 5-10 mg q4h.",
        "A total of 8442 patients; n = 4418; over 1182 days; 10450 cells/mm3; 2000 kcal; Rs 68,000; £1188; at 0340.",
        "SNOMED 84114007, lot 88120B, batch AD2291, CPT 99213, NG106, doi 10.1056/NEJMoa1409077, c.5946delT.",
        "Bed 14, bay 6, ward 7B, room 114, level 4 diet, 22G cannula, 3-0 Monocryl, series 4, image 112, grade 2.",
        "T2N1M0, ER 8/8, Gleason 4+4=8, L4/5, C5-6, NYHA III, PI-RADS 4, HbA1c 94, EQ-5D, SpO2 91%, 38+2, 31/40.",
        "Attended 10/12 sessions, scored 9/10, reduced 3/7 ago, over 90 minutes, 90-day mortality, 95 dB, 911.",
        "Seen in Cardiology Clinic at the Royal Infirmary. European Society of Cardiology. Wells Score. Charcot foot.",
        "Start Apixaban, stop Ramipril; Ventolin, Symbicort. Kenalog 40 mg with Clexane 20 mg.",
        "Nurse informed. Doctor aware. Mother says well. Consultant to review. Daughter visiting. Physio to see.",
        "",
    ],
)
def test_figures_eponyms_and_drugs_stay(text: str) -> None:
    assert deidentify([text]) == ([text], [])


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("bleep 1234", "bleep [PHONE-1]"),
        ("tel:07700900123 ext. 44", "tel:[PHONE-1]"),
        ("ring +44 (0)7700 900 123 or 0161.496.0123", "ring [PHONE-1] or [PHONE-2]"),
        ("Hospital No. K 110-482, NHS no is 943 476 5919", "Hospital No. [RECORD-1], NHS no is [RECORD-2]"),
        ("visit # V0038117, policy no WQ-88213-04", "visit # [RECORD-1], policy no [RECORD-2]"),
        ("aged ninety-two; 92-year-old; 92yo; 92 y/o; 92M", "aged {0}; {0}-year-old; {0}yo; {0} y/o; {0}M"),
        ("in her early nineties", "in her early {0}"),
        ("Mr Tsoukalas 90 NOF; her 103rd birthday; 94yoF", "Mr [NAME-1] {0} NOF; her {0} birthday; {0}yoF"),
        ("mother died at 98, she'll be 100 in", "mother died at {0}, she'll be {0} in"),
        ("Age (yrs): 94; a lady of 96; Age/Sex: 91/F", "Age (yrs): {0}; a lady of {0}; Age/Sex: {0}/F"),
        ("to 12 The Maltings, Ware SG12 9AB", "to [ADDRESS-1]"),
        ("HC 3 Box 59, Rio Grande City, TX 78582", "[ADDRESS-1]"),
        ("Door No. 14/3, 2nd Cross Street, Chennai - 600 020", "[ADDRESS-1]"),
        ("#204 - 7155 120A St., Surrey, BC V3W 1N4", "[ADDRESS-1]"),
        ("Wirrilyerna Station, via Boulia QLD 4829", "[ADDRESS-1]"),
        ("Apt 4, Block B, Clancy Quay, Dublin 8", "[ADDRESS-1]"),
        ("CXR 9/28; scan 19/12; TKR 16/7; LMP 14/3", "CXR [DATE-1]; scan [DATE-2]; TKR [DATE-3]; LMP [DATE-4]"),
        ("the 18 Hydref; 2ú Nollaig; Boxing Day", "[DATE-1]; [DATE-2]; [DATE-3]"),
        # Words that are in no list announce too: any word before a sign, any role, any unknown capitalised words.
        ("Locator: QT7719, tag K-1188, drawer no. 118", "Locator: [RECORD-1], tag [RECORD-2], drawer no. [RECORD-3]"),
        ("number four four one eight two zero", "number [RECORD-1]"),
        ("slip no. QX 118 204, MN.4471.22, 3301 11822 7/1", "slip no. [RECORD-1], [RECORD-2], [RECORD-3]"),
        ("CRC Ottilie Brandvold and her perfusionist Skerritt", "CRC [NAME-1] and her perfusionist [NAME-2]"),
        ("we saw Thandeka Mkhize; told Gwenllian, who", "we saw [NAME-1]; told [NAME-2], who"),
        ("Mbeki^Thulani| and AUBERTIN Delphine", "[NAME-1]| and [NAME-2]"),
        ("from 4 Upper Bayble, Isle of Lewis HS2 0QH.", "from [ADDRESS-1]."),
        ("at 9 Sandymount Strand, Dublin 4.", "at [ADDRESS-1]."),
        ("Address: Quern, Back Hill, Reay. Seen", "Address: [ADDRESS-1]. Seen"),
        ("age_years: 95; who'll be 90 in; T118204 91 R hip", "age_years: {0}; who'll be {0} in; [RECORD-1] {0} R hip"),
        ("Seen 12/11 at 03:10, attended 9/3.", "Seen [DATE-1] at 03:10, attended [DATE-2]."),
    ],
)
def test_it_knows_how_numbers_and_ages_are_written(text: str, kept: str) -> None:
    assert deidentify([text])[0] == [kept.format("[AGE OVER 89]")]


def test_a_long_text_takes_time_in_proportion() -> None:
    started = time.process_time()
    deidentify(["A" * 50_000, "9 " * 10_000, "Ab " * 10_000, "1-" * 10_000, "4" * 50_000, " " * 50_000])
    deidentify(["ABCD EFGH " * 2_000, "12 Zqrt Rd, " * 2_000, "one " * 5_000, "she is 94 " * 2_000])
    assert time.process_time() - started < 10


def test_any_text_is_read() -> None:
    odd = ["\ud800 Mr \ud800", "Mr", "Dr.", "[NAME-1]", "\0\n\n", "Mr " * 50, "9" * 500, "a@" * 50, "Ab, " * 50]
    assert len(deidentify(odd)[0]) == len(odd)
