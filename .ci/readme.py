"""Type what the README tells its reader to type, and compare the answers.

    python .ci/readme.py URL HEADING

plays every ``console`` block under HEADING against the server at URL, in one shell, so that a
variable set by one command is there for the next. A ``...`` in the README stands for any text on
one line. Exit status: 0 when every answer is as the README says, 1 otherwise.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
SHOWN_URL = "http://127.0.0.1:8080"
TIMEOUT_S = 120


@dataclass(frozen=True)
class Step:
    """One command and the answer the README shows for it."""

    command: str
    answer: str

    def fits(self, output: str) -> bool:
        """Say whether *output* is the answer shown."""
        pattern = ".*".join(re.escape(part) for part in self.answer.split("..."))
        return re.fullmatch(pattern, output) is not None


def blocks(heading: str, language: str, text: str | None = None) -> list[str]:
    """Read the code blocks in *language* under *heading*, up to the next heading of its level."""
    text = README.read_text(encoding="utf-8") if text is None else text
    found = re.search(
        rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE
    )
    if found is None:
        raise LookupError(f"The README has no heading {heading!r}.")
    return re.findall(rf"^```{language}\n(.*?)^```$", found[1], re.DOTALL | re.MULTILINE)


def steps(block: str) -> Iterator[Step]:
    """Cut a console block into commands, each with the answer that follows it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        last = next(number for number, line in enumerate(lines) if not line.endswith("\\"))
        yield Step("\n".join(lines[: last + 1]), "\n".join(lines[last + 1 :]).strip())


def play(commands: list[str], url: str) -> list[str]:
    """Type *commands* into one shell, against the server at *url*; give what each printed."""
    typed = "\n".join(f"{command}\nprintf '\\0'" for command in commands)
    run = subprocess.run(
        ["sh", "-c", "exec 2>&1\n" + typed.replace(SHOWN_URL, url)],
        stdout=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    *printed, rest = run.stdout.replace(url, SHOWN_URL).split("\0")
    return [output.strip() for output in [*printed, rest][: len(commands)]]


def differences(heading: str, url: str) -> list[str]:
    """Play what under *heading* talks to the server, in one shell; describe each wrong answer."""
    talk = [
        step
        for block in blocks(heading, "console")
        for step in steps(block)
        if SHOWN_URL in step.command
    ]
    printed = play([step.command for step in talk], url)
    printed += ["(the shell had ended)"] * (len(talk) - len(printed))
    return [
        f"$ {step.command}\nREADME: {step.answer}\nanswer: {output}"
        for step, output in zip(talk, printed, strict=True)
        if not step.fits(output)
    ]


def main() -> int:
    """Run from the command line."""
    url, heading = sys.argv[1:]
    wrong = differences(heading, url)
    print("\n\n".join(wrong) if wrong else f"The README tells the truth under {heading!r}.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
