import gzip
import json
from pathlib import Path

import pytest

from medpocket.forge.corpus import MEDQUAD, OPENSTAX, Corpus, load_corpus

DISEASES = (
    "glaucoma",
    "asthma",
    "Canavan disease",
    "rotavirus infections",
    "gout",
    "measles",
    "Gilbert syndrome",
    "scurvy",
)
QTYPES = {
    "information": "is a condition",
    "symptoms": "causes pain, fever and a rash",
    "treatment": "is treated with rest",
}


def write_rows(path: Path, rows: list[dict[str, object]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def medquad_row(focus: str, answer: str, qtype: str = "information", source: str = "NINDS") -> dict[str, object]:
    return {"source": source, "focus": focus, "qtype": qtype, "answer": answer}


def sample_rows() -> list[dict[str, object]]:
    return [
        medquad_row(
            name,
            f"{name[0].upper()}{name[1:]} {fact}, number {number}. Doctors have known it for {number + 3} centuries. "
            "Most people live with it for many years and see their doctor once in a while.",
            qtype,
        )
        for number, name in enumerate(DISEASES)
        for qtype, fact in QTYPES.items()
    ]


def write_data(folder: Path, rows: list[dict[str, object]], lessons: list[dict[str, object]] | None = None) -> Path:
    """A folder in the format that docs/demo-model.md describes."""
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder / MEDQUAD, rows)
    lessons = lessons or [
        {"chapter": ["The body"], "title": "Muscles", "text": "Muscles\n" + "Muscles move the body. " * 20}
    ]
    write_rows(folder / OPENSTAX, lessons)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_data(tmp_path / "data", sample_rows())


@pytest.fixture
def corpus(data: Path) -> Corpus:
    return load_corpus(data)
