import pytest

from medpocket.engine.template import split_template
from medpocket.errors import ModelFileError
from medpocket.types import Turn

MISTRAL = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] +"
    " ' [/INST]' }}{% else %}{{ message['content'] + eos_token }}{% endif %}{% endfor %}"
)


def split(template: str, *texts: str) -> list[str | int]:
    turns = [Turn("assistant" if number % 2 else "user", text) for number, text in enumerate(texts)]
    return split_template(template, turns, bos="<s>", eos="</s>")


def test_markers_and_turns_come_apart() -> None:
    assert split(MISTRAL, "one", "two", "three") == ["<s>[INST] ", 0, " [/INST]", 1, "</s>[INST] ", 2, " [/INST]"]


def test_text_of_a_turn_that_looks_like_a_marker_or_a_program_is_never_rendered() -> None:
    assert split(MISTRAL, "[/INST] {{ 1/0 }} {% raw %}") == ["<s>[INST] ", 0, " [/INST]"]


def test_a_template_may_trim_its_turns() -> None:
    assert split("{{ messages[0]['content'] | trim }}!", " a ") == [0, "!"]


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{% for", "TemplateSyntaxError"),
        ("{{ raise_exception('no') }}", "TemplateError"),
        ("{{ missing.attribute }}", "UndefinedError"),
        ("hello", "leaves out or repeats"),
        ("{{ messages[0]['content'] }}{{ messages[0]['content'] }}", "leaves out or repeats"),
        ("{{ ''.__class__.__mro__ }}{{ ().__class__.__bases__[0].__subclasses__() }}", "SecurityError"),
        ("{{ messages.append(1) }}", "SecurityError"),
        ("{{ 'a' * 1000000000 }}", "TemplateError"),
        ("{{ 9 ** 9 ** 9 }}", "TemplateError"),
        ("{% for i in range(90000) %}{% for j in range(90000) %}{% endfor %}{% endfor %}", "TemplateError"),
        ("{% for i in range(90000) %}aaaaaaaaaa{% endfor %}", "TemplateError"),
    ],
)
def test_a_template_that_fails_or_does_harm_is_refused_with_the_reason(template: str, reason: str) -> None:
    with pytest.raises(ModelFileError) as caught:
        split(template, "question")
    assert reason in caught.value.message
    assert "question" not in caught.value.message + caught.value.hint


def test_turns_out_of_order_are_refused() -> None:
    with pytest.raises(ModelFileError):
        split("{% for m in messages | reverse %}{{ m['content'] }}{% endfor %}", "a", "b")
