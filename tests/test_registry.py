import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jinja2
import pytest

from medpocket import paths
from medpocket.errors import SettingsError, UnknownNameError
from medpocket.registry import ExpertSpec, ModelSpec, PublishedAccuracy, load_registry
from medpocket.toml_file import LARGEST_FILE, is_required, keys_of

EXPERTS = [
    "cardiology",
    "pulmonology",
    "neurology",
    "oncology",
    "radiology",
    "gastroenterology",
    "nephrology_urology",
    "endocrinology",
    "infectious_disease",
    "psychiatry",
    "womens_health",
    "pediatrics",
    "dermatology",
    "musculoskeletal",
    "eye_ent",
    "pharmacology",
    "general",
]
DOCS = Path(__file__).parent.parent / "docs"

ROW = """
[models.ward]
title = "Ward"
parameters = "7B"
architecture = "Mistral"
quantization = "Q4_K_M"
licence = "Apache-2.0"
prompt = "mistral"
trained_context = 8192
repository = "hospital/ward-gguf"
file = "ward.gguf"
"""


@pytest.fixture
def user_file(home: Path) -> Path:
    path = home / "config" / "models.toml"
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def machine_file(home: Path, tmp_path: Path) -> Path:
    path = tmp_path / "machine" / "models.toml"
    path.parent.mkdir()
    return path


def refused(*files: Path) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load_registry(*files)
    assert "\n" not in caught.value.message + caught.value.hint
    return caught.value


# --- what ships -----------------------------------------------------------------------------------


def test_every_expert_of_the_design_is_there_in_its_order() -> None:
    assert list(load_registry().experts) == EXPERTS


def test_an_experts_line_is_short_and_only_general_has_none() -> None:
    for expert in load_registry().experts.values():
        assert len(expert.system) <= 160, expert.id
        assert len(re.findall(r"[.?!](?: |$)", expert.system)) <= 3, expert.id
        assert bool(expert.system) == (expert.id != "general")


def test_every_expert_has_a_sentence_of_description_and_keywords_of_its_own() -> None:
    for expert in load_registry().experts.values():
        assert expert.title and expert.description.endswith(".")
        words = expert.keywords
        assert len(set(words)) == len(words), expert.id
        assert all(word == word.lower().strip() for word in words)
        assert words == () if expert.id == "general" else 15 <= len(words) <= 40, expert.id


def test_all_five_systems_of_the_report_have_their_row_and_every_use_a_model_that_runs() -> None:
    models = load_registry().models.values()
    assert {model.report_system for model in models if model.report_system} == {
        "BioMistral-7B",
        "Llama3-OpenBioLLM-70B",
        "ClinicalCamel-70B",
        "BioMistral-7B.Q4_K_M.gguf",
        "TheBloke/qCammel-13-AWQ",
    }
    assert {use for model in models if model.runs_here for use in model.uses} == {
        "chatbot",
        "diagnosis",
        "edge",
        "research",
    }


def test_systems_repositories_and_figures_are_those_that_were_collected(shared: Path) -> None:
    facts = (shared / "facts.md").read_text(encoding="utf-8")
    report = "".join(path.read_text(encoding="utf-8") for path in sorted((shared / "seeds").glob("*.txt")))
    report = report.replace("\\_", "_")
    for model in load_registry().models.values():
        if model.demonstration:
            continue
        assert model.report_system is None or model.report_system in report
        whole = [f"{place.rsplit('/', 1)[0]}` `{place.rsplit('/', 1)[1]}`" for place in model.alternatives]
        for text in filter(None, [model.repository, model.file, model.original, *whole]):
            assert text in facts, text
        assert model.licence in facts
        assert f"{model.trained_context:,}" in facts
        if model.size_gb_estimate is not None:
            assert f"{model.size_gb_estimate}" in facts
        figures = list(model.accuracy.scores.values()) if model.accuracy else []
        for figure in figures:
            assert re.search(rf"\b{re.escape(str(figure))}\b", facts), (model.id, figure)


def test_no_hash_is_written_down() -> None:
    text = paths.registry_file().read_text(encoding="utf-8")
    assert not re.search(r"[0-9a-fA-F]{40}", text)


def test_the_default_is_biomistral_and_the_demonstration_model_is_marked() -> None:
    registry = load_registry()
    assert registry.default_model == "biomistral-7b-q4"
    assert [model.id for model in registry.models.values() if model.demonstration] == ["demo"]
    assert registry.model("demo").asset == "demo.gguf"
    assert "not a clinical" in (registry.model("demo").advisory or "")


def test_both_files_of_biomistral_carry_their_authors_advice() -> None:
    for name in ("biomistral-7b-q4", "biomistral-7b-f16"):
        assert "advise against professional medical use" in (load_registry().model(name).advisory or "")


def test_a_file_that_llama_cpp_cannot_run_names_what_runs_it_and_a_row_that_runs() -> None:
    registry = load_registry()
    awq = registry.model("qcammel-13-awq")
    assert not awq.runs_here and "vLLM" in (awq.runtime_note or "")
    assert awq.instead is not None and registry.model(awq.instead).runs_here


def test_memory_estimates_are_what_they_say_they_are_made_of() -> None:
    for model in load_registry().models.values():
        if model.memory_gb_estimate is None:
            continue
        parts = re.findall(r"([0-9.]+) GB", model.memory_basis or "")
        assert f"{model.size_gb_estimate:g}" in f"{float(parts[0]):g}"
        assert sum(map(float, parts)) == pytest.approx(model.memory_gb_estimate, abs=0.006), model.id


def render(template: str, *texts: str, generate: bool = True, **options: Any) -> str:
    messages = [{"role": "assistant" if n % 2 else "user", "content": text} for n, text in enumerate(texts)]
    rendered: str = (
        jinja2.Environment(**options)
        .from_string(template)
        .render(messages=messages, bos_token="<s>", eos_token="</s>", add_generation_prompt=generate)
    )
    return rendered


HEADER = "<|start_header_id|>{}<|end_header_id|>\n\n"
VICUNA = (
    "<s>A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
    "detailed, and polite answers to the user's questions. "
)


@pytest.mark.parametrize("options", [{}, {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mistral", "<s>[INST] a [/INST] b </s>[INST] c\n [/INST]"),
        ("llama2", "<s>[INST] a [/INST] b  </s><s>[INST] c\n [/INST]"),
        (
            "llama3",
            f"<s>{HEADER.format('user')}a<|eot_id|>{HEADER.format('assistant')} b <|eot_id|>"
            f"{HEADER.format('user')}c\n<|eot_id|>{HEADER.format('assistant')}",
        ),
        ("vicuna", f"{VICUNA}USER: a ASSISTANT: b </s>USER: c\n ASSISTANT:"),
    ],
)
def test_a_template_gives_the_format_of_its_family(name: str, expected: str, options: dict[str, Any]) -> None:
    assert render(load_registry().prompts[name], "a", " b ", "c\n", **options) == expected


@pytest.mark.parametrize("name", ["mistral", "llama2", "llama3", "vicuna"])
def test_an_answer_stands_right_behind_the_prompt_that_it_answered(name: str) -> None:
    template = load_registry().prompts[name]
    prompt = render(template, "first")
    assert render(template, "first", "ANSWER", "second").startswith(f"{prompt}ANSWER")


# --- a user's file --------------------------------------------------------------------------------


def test_a_users_file_adds_rows_behind_the_others(user_file: Path) -> None:
    before = list(load_registry().models)
    user_file.write_text(ROW)
    registry = load_registry()
    assert list(registry.models) == [*before, "ward"]
    ward = registry.model("ward")
    assert (ward.id, ward.trained_context, ward.repository) == ("ward", 8192, "hospital/ward-gguf")
    assert (ward.runs_here, ward.demonstration, ward.accuracy, dict(ward.sampling)) == (True, False, None, {})


def test_a_users_file_changes_only_the_keys_that_it_names(user_file: Path) -> None:
    before = load_registry().model("biomistral-7b-f16")
    user_file.write_text(
        '[models.biomistral-7b-f16]\ntitle = "Ours"\nsampling = { top_k = 5 }\n'
        "[models.biomistral-7b-f16.accuracy.scores]\nMedQA = 51\n"
    )
    after = load_registry().model("biomistral-7b-f16")
    assert (before.title, after.title) == ("BioMistral-7B F16", "Ours")
    assert after.repository == before.repository and after.file_pattern == before.file_pattern
    assert dict(after.sampling) == {"top_k": 5}
    assert before.accuracy is not None and after.accuracy is not None
    assert dict(after.accuracy.scores) == {**before.accuracy.scores, "MedQA": 51}
    assert after.accuracy.note == before.accuracy.note


def test_the_users_file_goes_over_the_machines(user_file: Path, machine_file: Path) -> None:
    machine_file.write_text('[models.demo]\ntitle = "M"\nlicence = "M"\n' + ROW)
    user_file.write_text('default_model = "ward"\n[models.demo]\ntitle = "U"\n')
    registry = load_registry()
    assert (registry.model("demo").title, registry.model("demo").licence) == ("U", "M")
    assert registry.default_model == "ward"


def test_a_users_file_gives_an_expert_an_adapter_and_a_line(user_file: Path) -> None:
    user_file.write_text(
        '[experts.cardiology]\nsystem = "Be brief."\nadapters = { demo = "c.gguf" }\n'
        '[experts.sports]\ntitle = "Sports"\ndescription = "Sport."\nsystem = ""\n'
    )
    registry = load_registry()
    heart = registry.expert("cardiology")
    assert (heart.system, dict(heart.adapters), heart.title) == ("Be brief.", {"demo": "c.gguf"}, "Cardiology")
    assert list(registry.experts) == [*EXPERTS, "sports"]
    assert registry.expert("sports").keywords == ()


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_is_read(user_file: Path) -> None:
    user_file.write_bytes(b"\xef\xbb\xbf[models.demo]\r\ntitle = 'T'\r\n")
    assert load_registry().model("demo").title == "T"


def test_rows_cannot_be_changed_and_are_hashable() -> None:
    registry = load_registry()
    with pytest.raises(TypeError):
        registry.models["x"] = registry.model("demo")  # type: ignore[index]
    with pytest.raises(TypeError):
        registry.model("demo").sampling["top_k"] = 1  # type: ignore[index]
    assert len({*registry.models.values(), *registry.experts.values()}) == len(registry.models) + len(EXPERTS)


# --- what is broken -------------------------------------------------------------------------------


def changed(line: str, new: str) -> str:
    assert line in ROW
    return ROW.replace(line, new)


@pytest.mark.parametrize(
    ("text", "key", "reason"),
    [
        ("colour = 1", "colour", "there is no such key"),
        ("models = 3", "models", "must be a table whose every entry is a table of title"),
        ("[models.demo]\nsize = 1", "models.demo.size", "there is no such key"),
        ("[models.demo.sampling]\nheat = 1", "models.demo.sampling.heat", "there is no such key"),
        ("[models]\ndemo = 'x'", "models.demo", "must be a table of title"),
        ("[models.demo]\nsize_bytes = 'big'", "models.demo.size_bytes", "must be a whole number from 1 to"),
        ("[models.demo]\nsize_bytes = 1.5", "models.demo.size_bytes", "not 1.5"),
        ("[models.demo]\nsize_bytes = true", "models.demo.size_bytes", "not true or false"),
        ("[models.demo]\nsize_bytes = 0", "models.demo.size_bytes", "not 0"),
        ("[models.demo]\nsize_gb_estimate = nan", "models.demo.size_gb_estimate", "not nan"),
        ("[models.demo]\nsize_gb_estimate = inf", "models.demo.size_gb_estimate", "not inf"),
        ("[models.demo]\ntrained_context = 5", "models.demo.trained_context", "from 128 to 16,777,216, not 5"),
        (f"[models.demo]\ntrained_context = 0x{'f' * 5000}", "models.demo.trained_context", "not a number"),
        ("[models.demo]\ntrained_context = 1979-05-27", "models.demo.trained_context", "not a date or time"),
        ("[models.demo]\ntitle = 7", "models.demo.title", "must be one line of text, not 7"),
        ("[models.demo]\ntitle = ''", "models.demo.title", "must be one line of text"),
        ('[models.demo]\ntitle = "a\\u001b[31mb"', "models.demo.title", "must be one line of text"),
        ('[models.demo]\ntitle = "a\\nb"', "models.demo.title", "must be one line of text"),
        ("[models.demo]\nparameters = 'seven'", "models.demo.parameters", "must be a size such as 7B"),
        ("[models.demo]\nrepository = 'x'", "models.demo.repository", "OWNER/NAME"),
        ("[models.demo]\nasset = '../secret'", "models.demo.asset", "without '..'"),
        ("[models.demo]\nfile = '/etc/passwd'", "models.demo.file", "not starting with '/'"),
        ("[models.demo]\nfile = 'C:\\x'", "models.demo.file", "must be a file's path"),
        ("[models.demo]\nalternatives = 'x'", "models.demo.alternatives", "must be a list"),
        ("[models.demo]\nalternatives = ['a/b/c', 4]", "models.demo.alternatives, entry 2", "not 4"),
        ("[models.demo]\nuses = ['all']", "models.demo.uses, entry 1", '"chatbot" or'),
        ("[models.demo]\nruns_here = 'no'", "models.demo.runs_here", "must be true or false, not text"),
        ("[models.demo]\nprompt = 'alpaca'", "models.demo.prompt", "there is no 'alpaca' in prompts"),
        ("[models.demo]\ninstead = 'gone'", "models.demo.instead", "there is no 'gone' in models"),
        ("[models.demo.sampling]\ntop_p = 0", "models.demo.sampling.top_p", "above 0 and at most 1, not 0"),
        ("[models.demo.accuracy]\nnote = 'x'", "models.demo.accuracy.scores", "is missing"),
        ("[models.demo.accuracy.scores]\nMedQA = 101", "models.demo.accuracy.scores.MedQA", "from 0 to 100"),
        ("[models.Ward]", "models.Ward", "a name here must be a name of small letters"),
        ("[models.'a b']", 'models."a b"', "a name here must be"),
        ('[models."a\\nb"]', 'models."a\\nb"', "a name here must be"),
        ("[models.'x.gguf']", 'models."x.gguf"', "not ending in '.gguf'"),
        ("[models.ward]", "models.ward.title", "is missing"),
        (changed('licence = "Apache-2.0"\n', ""), "models.ward.licence", "is missing"),
        (changed('file = "ward.gguf"\n', ""), "models.ward", "needs `asset`, or `repository` with"),
        ("default_model = 'nobody'", "default_model", "there is no 'nobody' in models"),
        ("default_model = 'qcammel-13-awq'", "default_model", "does not run here"),
        ("[prompts.new]", "prompts.new.template", "is missing"),
        ("[prompts.new]\ntemplate = 1", "prompts.new.template", "must be a Jinja chat template"),
        ("[prompts.new]\ntemplate = 'hello'", "prompts.new.template", "`messages`"),
        ("[experts.none]\ntitle = 'x'", "experts.none", "other than 'none'"),
        ("[experts.'a+b']", 'experts."a+b"', "a name here must be"),
        ("[experts.sports]\ntitle = 'x'", "experts.sports.description", "is missing"),
        (f"[experts.general]\nsystem = '{'a' * 401}'", "experts.general.system", "at most 400 characters"),
        ("[experts.general]\nkeywords = [1]", "experts.general.keywords, entry 1", "must be one line of text"),
        ("[experts.general.adapters]\nnobody = 'x'", "experts.general.adapters.nobody", "there is no 'nobody'"),
    ],
)
def test_a_broken_value_is_named_by_file_key_and_reason(user_file: Path, text: str, key: str, reason: str) -> None:
    user_file.write_text(text)
    error = refused()
    assert error.message.startswith(f"{user_file}: {key}: "), error.message
    assert reason in error.message
    assert error.hint and error.code == "settings"


def test_a_misspelt_key_names_the_nearest(user_file: Path) -> None:
    user_file.write_text("[models.demo]\nsize_byte = 1")
    assert refused().hint == "did you mean 'size_bytes'?"


def test_the_file_that_holds_the_broken_value_is_named_not_the_one_above_it(
    user_file: Path, machine_file: Path
) -> None:
    user_file.write_text('[models.demo]\ntitle = "fine"\n')
    machine_file.write_text('[models.demo]\nprompt = "alpaca"\n')
    assert refused().message.startswith(f"{machine_file}: models.demo.prompt: ")


def test_what_no_file_says_is_missing_from_the_first(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("")
    assert refused(path).message == f"{path}: default_model: is missing"
    path.write_text(f'default_model = "ward"\n[prompts.mistral]\ntemplate = "{{{{ messages }}}}"\n{ROW}')
    assert refused(path).message.startswith(f"{path}: experts.general: is missing")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[models.demo]\ntitle = ", "not TOML: Invalid value (at line 2, the end of the file)"),
        (b"[models.demo]\n[models.demo]\n", "line 2"),
        (b"a = 1\na = 2\n", "line 2"),
        (b"# one\ntitle = '\xff'\n", "line 2 is not UTF-8 text"),
        (b"\x00", "not TOML"),
        (b"a = " + b"9" * 5000, "not TOML"),
        (b"a = " + b"[" * 20_000, "nested too deeply"),
        (b"#" * (LARGEST_FILE + 1), "larger than 1 MiB"),
    ],
)
def test_a_file_that_is_not_toml_is_named_with_the_reason(user_file: Path, content: bytes, reason: str) -> None:
    user_file.write_bytes(content)
    error = refused()
    assert error.message.startswith(f"{user_file}: ")
    assert reason in error.message


def test_a_folder_in_a_files_place_is_refused(user_file: Path) -> None:
    user_file.mkdir()
    assert refused().message == f"{user_file}: cannot be read: it is a folder"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_in_a_files_place_is_refused_and_not_waited_for(user_file: Path) -> None:
    os.mkfifo(user_file)
    assert refused().message == f"{user_file}: cannot be read: it is not a regular file"


def test_a_dangling_link_is_refused_and_not_taken_for_no_file(user_file: Path) -> None:
    user_file.symlink_to(user_file.parent / "gone.toml")
    assert "cannot be read: No such file" in refused().message


def test_a_file_where_the_folder_should_be_is_refused(home: Path) -> None:
    home.mkdir()
    (home / "config").write_text("")
    assert "cannot be read: Not a directory" in refused().message


def test_a_file_that_may_not_be_read_is_refused(user_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user_file.write_text("")
    read_bytes = Path.read_bytes

    def denied(path: Path) -> bytes:
        if path == user_file:
            raise PermissionError(13, "Permission denied")
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", denied)
    assert refused().message == f"{user_file}: cannot be read: Permission denied"


def test_a_registry_named_by_path_must_be_there(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refused(tmp_path / "gone.toml").message


# --- names, speed, documents ----------------------------------------------------------------------


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    registry = load_registry()
    with pytest.raises(UnknownNameError) as caught:
        registry.expert("cardiologie")
    assert caught.value.nearest == "cardiology"
    with pytest.raises(UnknownNameError) as caught:
        registry.model("biomistral")
    assert caught.value.nearest in {"biomistral-7b-q4", "biomistral-7b-f16"}
    assert "demo" in caught.value.hint


def test_loading_is_quick_and_imports_nothing_heavy() -> None:
    script = (
        "import sys; from medpocket.registry import load_registry; from medpocket.config import load_settings;"
        "load_registry(); load_settings();"
        "print([name for name in ('llama_cpp', 'numpy', 'jinja2', 'click', 'rich', 'textual', 'pydantic', "
        "'sqlite_utils', 'huggingface_hub', 'psutil') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
    started = time.process_time()
    load_registry()
    assert time.process_time() - started < 0.15


@pytest.mark.parametrize("spec", [ModelSpec, ExpertSpec, PublishedAccuracy])
def test_the_document_explains_every_key(spec: type) -> None:
    page = (DOCS / "models.md").read_text(encoding="utf-8")
    for entry in keys_of(spec):
        must = " (must be there)" if is_required(entry) else ""
        row = f"| `{entry.name}`{must} | {entry.metadata['doc']} | {entry.metadata['rule'].describe()} |"
        assert row in page, row


def test_the_documents_example_is_a_registry(user_file: Path) -> None:
    page = (DOCS / "models.md").read_text(encoding="utf-8")
    user_file.write_text(page.split("```toml\n")[1].split("```")[0])
    registry = load_registry()
    assert registry.model("ward-7b").file == "ward-7b.Q4_K_M.gguf"
    assert registry.model("biomistral-7b-q4").sampling["max_tokens"] == 800


def test_the_documents_table_of_the_report_has_the_registrys_figures() -> None:
    page = (DOCS / "models.md").read_text(encoding="utf-8")
    for model in load_registry().models.values():
        if not model.report_system:
            continue
        line = next(line for line in page.splitlines() if line.startswith(f"| {model.report_system} |"))
        assert f"`{model.id}`" in line and model.quantization.replace("F16", "full precision") in line
        for benchmark, score in model.accuracy.scores.items() if model.accuracy else ():
            assert f"{benchmark} {score}" in line
