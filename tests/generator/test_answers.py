"""Which answers go together, and what follows from them."""

import itertools

import pytest

from carboy.generator import DATABASES, STARTERS, TARGETS, Answers, AnswersError, targets_of

SERVERS = ("compose", "heroku", "cloudrun", "kubernetes")


@pytest.mark.parametrize("name", ["a", "demo", "demo-shop", "shop2", "a" * 50])
def test_a_name_is_taken(name):
    Answers(name).check()


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "Demo", "2fast", "demo_shop", "demo shop", "demo--shop", "-demo", "demo-"),
        *("démo", "demo/shop", "../demo", ".", "demo\n", "demo.py", "a" * 51, "{{ name }}"),
        pytest.param("class", id="class: a keyword"),
        pytest.param("json", id="json: Python's own"),
        pytest.param("test", id="test: Python's own"),
        pytest.param("sklearn", id="sklearn: imported by the project"),
        pytest.param("flask", id="flask: imported by the project"),
        pytest.param("tests", id="tests: a folder of the project"),
        pytest.param("wsgi", id="wsgi: a file of the project"),
    ],
)
def test_a_name_is_refused_in_one_line(name):
    with pytest.raises(AnswersError) as refused:
        Answers(name).check()
    assert refused.value.exit_code == 2
    assert len(refused.value.problems) == 1
    assert len(refused.value.message.splitlines()) == 1


def test_the_name_gives_package_and_title():
    answers = Answers("demo-shop")
    assert (answers.package, answers.title) == ("demo_shop", "Demo shop")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"starter": "foo"}, "single, module, page, model."),
        ({"database": "mysql"}, "sqlite, postgresql."),
        ({"deploy": ["swarm"]}, ", ".join(TARGETS)),
    ],
)
def test_an_unknown_choice_is_refused_with_the_known_ones(given, named):
    with pytest.raises(AnswersError, match=f"Choose from: {named}"):
        Answers.of({"name": "demo", **given})


@pytest.mark.parametrize("target", SERVERS)
def test_sqlite_is_refused_where_its_file_does_not_last(target):
    with pytest.raises(AnswersError, match="--database postgresql"):
        Answers.of({"name": "demo", "database": "sqlite", "deploy": [target]})
    Answers.of({"name": "demo", "database": "postgresql", "deploy": [target]})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        pytest.param("app", ["wsgi", "wsgi:app", "shop.main:create_app", "a:f()"], id="app"),
        pytest.param("static", ["", "static", "my_shop/static.d", ".out/a-b"], id="static"),
        pytest.param("python", ["3.11", "3.13"], id="python"),
        pytest.param("features", [[], ["auth"]], id="features"),
    ],
)
def test_words_for_the_files_are_taken(name, values):
    for value in values:
        Answers.of({"name": "demo", name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("app", 'wsgi:create_app("x")'), ("app", 'a"]\nRUN id #'), ("app", "a:b; id"),
        ("app", "a:b\n"), ("app", "$(id)"), ("app", "--help"), ("app", ""),
        ("static", "../etc"), ("static", "/etc"), ("static", "a/../../b"), ("static", "a b"),
        ("static", "$(id)"), ("static", "a\nb"), ("static", "-x"), ("static", 'a"b'),
        ("python", "3.13-slim\nRUN id"), ("python", "latest"),
        ("features", ["x]; id"]),
    ],
)  # fmt: skip
def test_no_answer_becomes_code_in_the_files(name, value):
    with pytest.raises(AnswersError) as refused:
        Answers.of({"name": "demo", name: value})
    assert len(refused.value.problems) == 1
    assert len(refused.value.message.splitlines()) == 1


def test_every_problem_is_named_at_once():
    with pytest.raises(AnswersError) as refused:
        Answers.of({"name": "Demo", "starter": "foo", "database": "bar", "deploy": ["baz"]})
    assert len(refused.value.problems) == 4


def test_targets_are_in_one_order():
    answers = Answers.of({"name": "demo", "deploy": ["gitlab", "github"]})
    assert answers.deploy == ("github", "gitlab")


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("none", ()),
        ("", ()),
        ("compose", ("compose",)),
        (" compose , github,compose,", ("compose", "github")),
        ("none,compose", ("none", "compose")),
    ],
)
def test_targets_are_read_as_they_are_typed(text, targets):
    assert targets_of(text) == targets


@pytest.mark.parametrize(("starter", "database"), list(itertools.product(STARTERS, DATABASES)))
def test_extras_follow_from_the_answers(starter, database):
    extras = set(Answers.of({"name": "demo", "starter": starter, "database": database}).extras)
    assert ("auth" in extras) == (starter != "single")
    assert ({"assets", "content"} <= extras) == (starter == "page")
    assert ("postgres" in extras) == (database == "postgresql")
    assert "redis" not in extras


@pytest.mark.parametrize("target", SERVERS)
def test_several_machines_count_in_redis(target):
    answers = Answers.of({"name": "demo", "database": "postgresql", "deploy": [target]})
    assert "redis" in answers.extras
