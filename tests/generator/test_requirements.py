"""Requirements files: complete, merged with what a project added."""

import itertools

import pytest
from packaging.markers import Marker

from carboy.generator.answers import DATABASES, STARTERS, Answers
from carboy.generator.distribution import Carboy
from carboy.generator.requirements import DEVELOPMENT, RUNTIME, merged, repinned, requirements

CARBOY = Carboy("1.0+cabc", b"wheel")
PUBLISHED = Carboy("1.0", b"wheel", is_published=True)


def names(text):
    return [line.split("==")[0] for line in text.splitlines() if "==" in line]


@pytest.mark.parametrize(("starter", "database"), list(itertools.product(STARTERS, DATABASES)))
def test_every_line_has_a_version_and_hashes(starter, database):
    answers = Answers.of({"name": "demo", "starter": starter, "database": database})
    texts = requirements(answers, CARBOY)
    for text in texts.values():
        requirement = ""
        for line in text.replace("\\\n", "").splitlines():
            if line and not line.startswith("-"):
                requirement, *hashes = line.split(" --hash=")
                assert "==" in requirement
                assert hashes, requirement
                assert all(found.strip().startswith("sha256:") for found in hashes)
                if ";" in requirement:
                    Marker(requirement.partition(";")[2])
        assert requirement
    assert set(names(texts[RUNTIME])) < set(names(texts[DEVELOPMENT]))
    assert ("psycopg" in names(texts[RUNTIME])) == (database == "postgresql")
    assert ("skops" in names(texts[RUNTIME])) == (starter == "model")
    assert "pytest" in names(texts[DEVELOPMENT])
    assert "pytest" not in names(texts[RUNTIME])


def test_an_unpublished_carboy_is_found_below_wheels():
    text = requirements(Answers("demo"), CARBOY)[RUNTIME]
    assert text.startswith("--find-links wheels\n")
    assert f"carboy==1.0+cabc \\\n    --hash={CARBOY.hashes[0]}\n" in text


def test_a_published_carboy_is_pinned_by_version_and_hash():
    text = requirements(Answers("demo"), PUBLISHED)[RUNTIME]
    assert "wheels" not in text
    assert f"carboy==1.0 \\\n    --hash={PUBLISHED.hashes[0]}\n" in text


OLD = "--find-links wheels\n\na==1 \\\n    --hash=sha256:a1\ncarboy==1 \\\n    --hash=x\nz==1\n"
NEW = "--find-links wheels\n\na==2 \\\n    --hash=sha256:a2\nb==1\ncarboy==2 \\\n    --hash=y\n"


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        pytest.param(OLD, NEW, id="unchanged: as generated"),
        pytest.param(NEW, NEW, id="as the newer one already: stays"),
        pytest.param(
            OLD + "own==3 \\\n    --hash=sha256:o\n",
            NEW + "own==3 \\\n    --hash=sha256:o\nz==1\n",
            id="a package of one's own stays, with what it may stand on",
        ),
        pytest.param(
            OLD.replace("a==1 \\\n    --hash=sha256:a1", "a==9 \\\n    --hash=sha256:a9"),
            NEW.replace("a==2 \\\n    --hash=sha256:a2", "a==9 \\\n    --hash=sha256:a9"),
            id="a version that was raised further stays",
        ),
        pytest.param(
            OLD.replace("a==1", "a==1.5"), NEW, id="a version that was raised less is raised"
        ),
        pytest.param(
            OLD.replace("carboy==1", "carboy==9"), NEW, id="Carboy itself is always the newer"
        ),
        pytest.param(
            "--extra-index-url https://example.com\n" + OLD,
            NEW.replace("wheels\n", "wheels\n--extra-index-url https://example.com\n"),
            id="options stay",
        ),
    ],
)
def test_newer_pins_are_merged(own, expected):
    assert merged(own, OLD, NEW) == expected


def test_a_file_of_somebody_else_gets_the_newer_carboy_only():
    own = "flask==3\ncarboy[auth]==0.9 \\\n    --hash=sha256:a \\\n    --hash=sha256:b\nx==1\n"
    expected = f"flask==3\ncarboy[auth]==1.0+cabc \\\n    --hash={CARBOY.hashes[0]}\nx==1\n"
    assert repinned(own, "0.9", CARBOY) == expected
    assert repinned("carboy==0.9\n", "0.9", CARBOY) == "carboy==1.0+cabc\n"
    assert repinned("carboy>=0.9\nx\n", "0.9", CARBOY) == "carboy>=0.9\nx\n"
