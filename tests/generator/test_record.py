"""The file that says what a project was generated from."""

import pytest

from carboy.generator import Answers, AnswersError
from carboy.generator.record import NAME, Record


def test_what_is_written_is_read(tmp_path):
    answers = Answers.of(
        {
            "name": "demo",
            "database": "postgresql",
            "deploy": ["compose", "github"],
            "app": "shop:create_app()",
            "left": ["Dockerfile", 'ü\\"'],
        }
    )
    Record(answers, "1.0+cabc").write(tmp_path)
    assert Record.read(tmp_path) == Record(answers, "1.0+cabc")


def test_answers_of_the_future_are_left_out(tmp_path):
    Record(Answers("demo"), "1").write(tmp_path)
    with (tmp_path / NAME).open("a") as file:
        file.write("colour = 'blue'\n")
    assert Record.read(tmp_path).answers == Answers("demo")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "carboy adopt"),
        ("", "carboy_version is missing"),
        ("<<<<<<< HEAD\n", "cannot be read"),
        ("\0", "cannot be read"),
        ("carboy_version = true\n", "no version"),
        ("carboy_version = '1'\n", "wrong type"),
        ("carboy_version = '1'\nname = 3\n", "wrong type"),
        ("carboy_version = '1'\nname = 'demo'\ndeploy = 3\n", "wrong type"),
        ("carboy_version = '1'\nname = 'demo'\ndeploy = [3]\n", "no deployment target"),
        ("carboy_version = 'x y'\nname = 'demo'\n", "no version"),
        ("carboy_version = '../1'\nname = 'demo'\n", "no version"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_remedy(text, reason, tmp_path):
    if text is not None:
        (tmp_path / NAME).write_text(text)
    with pytest.raises(AnswersError, match=reason):
        Record.read(tmp_path)
