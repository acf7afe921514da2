"""What `medpocket doctor` finds; a speed is shown where it was measured before, since a model may be at work now."""

from dataclasses import dataclass

from medpocket.doctor.checks import problems_of
from medpocket.doctor.facts import gather
from medpocket.doctor.words import fit_lines, folder_lines, machine_lines, model_lines, next_step

Lines = list[tuple[str, str]]


@dataclass(frozen=True)
class Findings:
    """Each problem with what mends it, the first thing to do, and all that was looked at, under headings."""

    problems: Lines
    next_step: str
    sections: list[tuple[str, Lines]]


def examine() -> Findings:
    """Look at everything; nothing that is wrong raises."""
    facts = gather(measure=False)
    problems = problems_of(facts)
    return Findings(
        problems=[(problem.what, problem.mend) for problem in problems],
        next_step=next_step(facts, problems),
        sections=[
            ("This machine", machine_lines(facts)),
            ("Models", model_lines(facts) + fit_lines(facts)),
            ("Folders", folder_lines(facts)),
        ],
    )
