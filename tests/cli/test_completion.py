import pytest

from tests.conftest import Medpocket, check_error


@pytest.mark.parametrize(
    ("shell", "part"), [("bash", "complete -o nosort"), ("zsh", "#compdef medpocket"), ("fish", "complete --no-files")]
)
def test_each_shell_gets_its_script(medpocket: Medpocket, shell: str, part: str) -> None:
    result = medpocket("completion", shell)
    assert result.returncode == 0
    assert part in result.stdout.decode()
    assert "_MEDPOCKET_COMPLETE" in result.stdout.decode()


def complete(medpocket: Medpocket, *words: str) -> list[str]:
    """Ask for completions as bash's script does."""
    result = medpocket(
        env={
            "_MEDPOCKET_COMPLETE": "bash_complete",
            "COMP_WORDS": " ".join(("medpocket", *words)),
            "COMP_CWORD": str(len(words)),
        }
    )
    return [line.split(",", 1)[1] for line in result.stdout.decode().splitlines()]


def test_commands_experts_and_models_are_completed(medpocket: Medpocket) -> None:
    assert complete(medpocket, "do") == ["doctor"]
    assert complete(medpocket, "ask", "-e", "card") == ["cardiology"]
    assert complete(medpocket, "ask", "-m", "biomistral") == ["biomistral-7b-q4", "biomistral-7b-f16"]


def test_another_shell_is_refused(medpocket: Medpocket) -> None:
    check_error(medpocket("completion", "tcsh"), 2, "tcsh")
