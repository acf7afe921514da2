import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from medpocket.cli import models_recommend
from medpocket.cli.app import run
from medpocket.evaluation.bench.saved import describe, save
from medpocket.evaluation.report.content import Report, Section, Table
from medpocket.evaluation.report.pages import html_page, markdown_page
from medpocket.evaluation.report.plot import Point, accuracy_svg
from medpocket.evaluation.results import NONE, Column, Results, Scored, Setup, TaskFile
from tests.evaluation.bench.test_saved import MEASURED, MODEL

SVG = "{http://www.w3.org/2000/svg}"
SETUP = Setup(
    model="a <b>model</b> | of mine", model_sha256="a" * 64, fingerprint=MODEL.fingerprint, architecture="llama",
    quantization="Q8_0", parameters=10_900_000, size_bytes=11, demonstration=False, experts="cardiology",
    columns=(Column(NONE, None, ""), Column("cardiology", "c" * 64, "a line")), router_sha256=None,
    tasks=(TaskFile("questions.jsonl", "d" * 64),), limit=None, shots=0, seed=1, questions=40, left_out={},
    prompt_version=1, medpocket="0", llama_cpp="0", machine={}, threads=1, batch=512, context=512, gpu_layers=0,
)  # fmt: skip


def scored(number: int, expert: str, *, right: bool) -> Scored:
    letters = (-0.1, -3.0, -3.0, -3.0) if right else (-3.0, -0.1, -3.0, -3.0)
    return Scored(
        id=str(number), set="medqa", characters=9, accepted=(0,), shown=(0, 1, 2, 3), bytes=(4, 4, 4, 4), routed=None,
        expert=expert, letters=letters, answers=letters,
    )  # fmt: skip


@pytest.fixture
def unprobed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No speed is expected of this machine, so nothing is measured for it."""
    monkeypatch.setattr(models_recommend, "rates_here", lambda *_, **__: None)


@pytest.fixture
def measured() -> None:
    """A run in which the base is right 10 times of 40 and the expert 30 times, and a measurement of the same model."""
    with Results() as results:
        made = results.begin(SETUP)
        rows = {
            number: [scored(number, NONE, right=number < 10), scored(number, "cardiology", right=number < 30)]
            for number in range(40)
        }
        results.add(made.id, rows, seconds=1.0, tokens_evaluated=10, peak_memory_bytes=10**8)
        results.finish(made.id)
    save(describe(MEASURED, {"processor": "x", "cores": 1, "memory_gb": 1, "system": "y"}))


def test_the_report_tells_what_was_measured_beside_what_was_published(measured: None, tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    assert run(["eval", "report", str(out)]) == 0
    data = json.loads(out.read_text())
    systems = {one["title"]: one for one in data["systems"]}
    mine = systems[SETUP.model]
    assert mine["accuracy"]["value"] == 0.25
    assert mine["accuracy"]["low"] < 0.25 < mine["accuracy"]["high"]
    assert mine["guessing"] == 0.25
    assert (mine["decode_tokens_s"], mine["speed_is"]) == (5.0, "measured")
    large = systems["Llama3-OpenBioLLM-70B Q4_K_M"]
    assert large["accuracy"] is None
    assert large["published"]["scores"]["MedQA"] == 78.2
    assert large["published"]["source"]
    (column,) = [one for one in data["runs"][0]["columns"] if one["expert"] == "cardiology"]
    assert column["over_base"]["difference"] == 0.5
    assert column["over_base"]["p"] < 0.001
    assert {one["use"] for one in data["uses"]} == {"chatbot", "diagnosis", "edge", "research"}


def test_every_form_is_one_file_that_holds_names_as_text(measured: None, unprobed: None, tmp_path: Path) -> None:
    for name, options in (("a.html", []), ("b.htm", ["--pdf-ready"]), ("c.md", [])):
        out = tmp_path / name
        assert run(["eval", "report", str(out), *options]) == 0
        page = out.read_text()
        assert "<b>model" not in page
        assert not re.search(r"<script|(?:src|href)=|url\(|@import", page)
        assert "25.0 % (14.2 to 40.2)" in page
        assert "+50.0 points" in page
        assert "guessing" in page.lower()
    assert "@page { size: A4" in (tmp_path / "b.htm").read_text()
    assert "\\<b\\>model\\</b\\> \\| of mine" in (tmp_path / "c.md").read_text()
    page = (tmp_path / "a.html").read_text()
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) == 2
    for picture in pictures:
        texts = [one.text or "" for one in ElementTree.fromstring(picture).iter(f"{SVG}text")]
        assert SETUP.model in texts
        assert "guessing, 25.0 %" in texts


def test_a_report_with_nothing_measured_says_so(unprobed: None, tmp_path: Path) -> None:
    out = tmp_path / "empty.md"
    assert run(["eval", "report", str(out)]) == 0
    assert "medpocket eval run" in out.read_text()
    assert "medpocket bench" in out.read_text()


@pytest.mark.parametrize(("name", "said"), [("report.txt", "what form"), ("no/such/folder.md", "cannot be written")])
def test_a_report_that_cannot_be_written_is_refused(
    tmp_path: Path, name: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["eval", "report", str(tmp_path / name)]) == 2
    assert said in capfd.readouterr().err
    assert not (tmp_path / name).exists()


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "mine.html"
    out.write_text("mine")
    assert run(["eval", "report", str(out)]) == 2
    assert out.read_text() == "mine"
    assert "already" in capfd.readouterr().err


def test_points_stand_where_they_should_and_published_ones_are_hollow() -> None:
    picture = ElementTree.fromstring(
        accuracy_svg(
            [Point("small", 1.0, 30.0, 25.0, 35.0), Point("large \x1b[1m", 10.0, 80.0)],
            across="memory, GB",
            guessing=25.0,
            guessing_note="of four options",
        )
    )
    circles = [one for one in picture.iter(f"{SVG}circle") if one.get("r") == "4.5"][-2:]
    assert [one.get("fill") for one in circles] == ["black", "white"]
    small, large = ((float(one.get("cx", "nan")), float(one.get("cy", "nan"))) for one in circles)
    assert small[0] < large[0]
    assert small[1] > large[1]
    dashed = next(one for one in picture.iter(f"{SVG}line") if one.get("stroke-dasharray"))
    assert small[1] < float(dashed.get("y1", "nan"))


def test_a_cell_cannot_break_the_table_nor_the_page() -> None:
    wild = "a | b\nc `d` <img src=x> [link](http://x) *e* \x1b[31m"
    report = Report("made", (Section("s", (Table(("h",), ((wild,),)),)),), {})
    row = markdown_page(report).splitlines()[-1]
    assert row.count("|") - row.count("\\|") == 2
    assert "\x1b" not in markdown_page(report) + html_page(report)
    assert "<img" not in html_page(report)
    assert "\\<img src=x\\> \\[link\\]" in row
