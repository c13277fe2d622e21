"""Where a setting's value comes from, and what happens when it cannot be used."""

from pathlib import Path
from typing import Literal

import pytest

from carboy.errors import SettingsError
from carboy.settings import HIDDEN, Development, Production, Settings, Testing, setting

KEY = "sKq2-9f_ZxW7pLr4TnVb8Ym1CdHgJe5u"


class CellarSettings(Settings):
    SHELVES: int = setting(5, "Shelves in the cellar.", min=1, max=99)
    DEGREES_C: float = setting(11.5, "Temperature.")
    LABELS: tuple[str, ...] = setting((), "Labels to print.")
    COUNTS: tuple[int, ...] = setting((), "Bottles per shelf.")
    KIND: Literal["red", "white"] = setting("red", "What is kept.")
    LOCKED: bool = setting(default=False, doc="Whether a key is needed.")
    FOLDER: Path = setting(Path(), "Where labels lie.")
    PRINTER: str | None = setting(None, "Printer's name.")
    DOOR_CODE: str = setting("", "Opens the door.", secret=True)
    GREETING: str = "plain"


class CellarProduction(CellarSettings, Production):
    GREETING = "public"


def load(environ=None, **rest):
    return CellarSettings.load(environ=environ or {}, dotenv=None, **rest)


def problems_of(environ, **rest):
    with pytest.raises(SettingsError) as caught:
        load(environ, **rest)
    return caught.value.problems


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        pytest.param("SHELVES", " 7 ", 7, id="a whole number, spaces around it"),
        pytest.param("DEGREES_C", "-3.5", -3.5, id="a number"),
        pytest.param("LABELS", "a, b ,,c", ("a", "b", "c"), id="a list, commas and spaces"),
        pytest.param("LABELS", "", (), id="an empty list"),
        pytest.param("COUNTS", "1,2", (1, 2), id="a list of numbers"),
        pytest.param("KIND", "WHITE", "white", id="a choice in another case"),
        pytest.param("LOCKED", "Yes", True, id="yes"),
        pytest.param("LOCKED", "off", False, id="off"),
        pytest.param("FOLDER", "labels/today", Path("labels/today"), id="a path"),
        pytest.param("PRINTER", "", None, id="an empty optional value"),
        pytest.param("GREETING", "good day", "good day", id="a setting declared as plain value"),
    ],
)
def test_text_becomes_the_declared_type(name, text, value):
    settings = load({name: text})
    assert getattr(settings, name) == value
    assert settings.sources[name] == "environment"


@pytest.mark.parametrize(
    ("name", "text", "remedy"),
    [
        pytest.param("SHELVES", "many", "use a whole number from 1 to 99", id="no number"),
        pytest.param("SHELVES", "0", "use a whole number from 1 to 99", id="too small"),
        pytest.param("SHELVES", "100", "use a whole number from 1 to 99", id="too large"),
        pytest.param("DEGREES_C", "nan", "use a number", id="not a number"),
        pytest.param("KIND", "beer", "use one of red, white", id="not a choice"),
        pytest.param("LOCKED", "maybe", "use true or false", id="neither true nor false"),
        pytest.param("HTTP_PORT", "70000", "from 0 to 65535", id="not a port"),
        pytest.param("STOP_DELAY_S", "-1", "use a number of 0 or more", id="negative time"),
    ],
)
def test_a_mistake_names_the_variable_and_the_remedy(name, text, remedy):
    (problem,) = problems_of({name: text})
    assert problem.startswith(f"{name} is {text!r} (environment): ")
    assert remedy in problem


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        pytest.param({"SHELVES": None}, "a value is needed", id="nothing"),
        pytest.param({"LABELS": 3}, "write a list, separated by commas", id="a number for a list"),
        pytest.param({"GREETING": 3}, "write text", id="a number for text"),
    ],
)
def test_values_given_in_code_are_checked_too(given, remedy):
    (problem,) = problems_of({}, **given)
    assert remedy in problem


def test_all_problems_are_in_one_message():
    found = problems_of(
        {"APP_ENV": "prod", "SHELVES": "x", "KIND": "beer", "SECRET_KEY": "abc"}, LABEL="a"
    )
    assert [problem.split()[0] for problem in found] == [
        "LABEL", "SHELVES", "KIND", "SECRET_KEY", "TRUSTED_HOSTS",
    ]  # fmt: skip
    assert "Did you mean LABELS?" in found[0]


def test_an_argument_that_resembles_no_setting_says_where_to_declare_it():
    assert problems_of({}, XYZZY=1) == [
        "XYZZY is not a setting. Declare it in your settings class."
    ]


def test_a_secret_is_never_echoed():
    class Vault(Settings):
        VAULT_PIN: int = setting(0, "Opens the vault.", secret=True)

    with pytest.raises(SettingsError) as caught:
        Vault.load(environ={"VAULT_PIN": "hunter2"}, dotenv=None)
    assert "hunter2" not in str(caught.value)
    assert "VAULT_PIN (environment): use a whole number" in str(caught.value)


class TestOrder:
    """Explicit argument, environment, .env, app.config, profile, default."""

    @pytest.fixture
    def dotenv(self, tmp_path):
        file = tmp_path / ".env"
        file.write_text("SHELVES=3\nGREETING='from the file'\n")
        return file

    def test_each_source_yields_to_the_one_before(self, dotenv):
        everything = {"environ": {"SHELVES": "2"}, "dotenv": dotenv, "config": {"SHELVES": 4}}
        assert CellarSettings.load(**everything, SHELVES=1).SHELVES == 1
        assert CellarSettings.load(**everything).SHELVES == 2
        everything["environ"] = {}
        assert CellarSettings.load(**everything).SHELVES == 3
        everything["dotenv"] = None
        assert CellarSettings.load(**everything).SHELVES == 4
        del everything["config"]
        assert CellarSettings.load(**everything).SHELVES == 5

    def test_sources_are_named(self, dotenv):
        made = CellarSettings.load(environ={}, dotenv=dotenv, config={"KIND": "white"}, LOCKED=True)
        assert (made.sources["GREETING"], made.sources["KIND"], made.sources["LOCKED"]) == (
            ".env",
            "app.config",
            "argument",
        )
        assert made.sources["HTTP_HOST"] == "Development"
        assert made.sources["DEGREES_C"] == "default"

    def test_dotenv_is_read_in_development_only(self, dotenv):
        made = CellarSettings.load(environ={"APP_ENV": "testing"}, dotenv=dotenv)
        assert made.GREETING == "plain"

    def test_the_platforms_port_wins(self):
        assert load({"PORT": "9000", "HTTP_PORT": "9001"}).HTTP_PORT == 9000
        assert load({"HTTP_PORT": "9001"}).HTTP_PORT == 9001


class TestSecretFiles:
    """NAME_FILE names a file that holds the value."""

    def test_any_setting_may_come_from_a_file(self, tmp_path):
        file = tmp_path / "code"
        file.write_text("opens sesame\n")
        made = load({"DOOR_CODE_FILE": str(file)})
        assert made.DOOR_CODE == "opens sesame"
        assert made.sources["DOOR_CODE"] == "environment (DOOR_CODE_FILE)"

    def test_the_variable_itself_wins_over_its_file(self, tmp_path):
        assert load({"GREETING": "a", "GREETING_FILE": str(tmp_path / "none")}).GREETING == "a"

    def test_a_missing_file_is_named(self, tmp_path):
        (problem,) = problems_of({"GREETING_FILE": str(tmp_path / "none")})
        assert problem.startswith(f"GREETING_FILE names {tmp_path}/none, which cannot be read: No")

    def test_the_secret_itself_in_place_of_a_file_is_not_echoed(self):
        (problem,) = problems_of({"DOOR_CODE_FILE": "hunter2"})
        assert (
            problem == "DOOR_CODE_FILE names a file that cannot be read: No such file or directory."
        )

    def test_a_file_of_other_bytes_is_named(self, tmp_path):
        (tmp_path / "code").write_bytes(b"\xff\xfe")
        (problem,) = problems_of({"DOOR_CODE_FILE": str(tmp_path / "code")})
        assert "not UTF-8" in problem

    def test_a_wrong_value_in_a_file_is_not_echoed(self, tmp_path):
        (tmp_path / "shelves").write_text("hunter2")
        (problem,) = problems_of({"SHELVES_FILE": str(tmp_path / "shelves")})
        assert problem == "SHELVES (SHELVES_FILE): use a whole number from 1 to 99."


class TestProfiles:
    """APP_ENV chooses the profile; a project writes its own where it wants."""

    @pytest.mark.parametrize(
        ("name", "profile"),
        [
            ("", "Development"), ("dev", "Development"), ("Dev", "Development"),
            ("DEVELOPMENT", "Development"), ("test", "Testing"), ("Testing", "Testing"),
        ],
    )  # fmt: skip
    def test_short_and_long_names_work(self, name, profile):
        made = load({"APP_ENV": name})
        assert made.APP_ENV == made.profile == profile

    def test_the_projects_own_class_for_an_environment_is_found(self):
        made = load({"APP_ENV": "prod", "SECRET_KEY": KEY, "TRUSTED_HOSTS": "*"})
        assert isinstance(made, CellarProduction)
        assert (made.GREETING, made.sources["GREETING"]) == ("public", "CellarProduction")
        assert made.LOG_FORMAT == "json"

    def test_without_one_the_profile_is_combined_with_the_projects_class(self):
        made = load({"APP_ENV": "test"})
        assert isinstance(made, CellarSettings)
        assert isinstance(made, Testing)
        assert type(load({"APP_ENV": "test"})).__name__ == "CellarSettingsInTesting"

    def test_the_plain_class_gives_the_plain_profile(self):
        assert type(Settings.load(environ={}, dotenv=None)) is Development

    def test_a_profile_loads_itself_whatever_the_environment_says(self):
        assert Testing.load(environ={"APP_ENV": "dev"}, dotenv=None).APP_ENV == "Testing"

    def test_an_unknown_environment_lists_the_known_ones(self):
        (problem,) = problems_of({"APP_ENV": "staging"})
        assert problem == (
            "APP_ENV is 'staging'. Use Development, Production or Testing (dev, prod, test)."
        )

    def test_two_classes_for_one_environment_are_refused(self):
        class Barn(Settings):
            pass

        class BarnTesting(Barn, Testing):
            pass

        class OtherBarnTesting(Barn, Testing):
            pass

        with pytest.raises(SettingsError, match="BarnTesting and OtherBarnTesting are both for"):
            Barn.load(environ={"APP_ENV": "test"}, dotenv=None)
        assert {BarnTesting.profile, OtherBarnTesting.profile} == {"Testing"}


class TestProductionRefuses:
    """What is missing or weak stops the start."""

    SOUND = {"APP_ENV": "Production", "SECRET_KEY": KEY, "TRUSTED_HOSTS": "api.example.com"}  # noqa: RUF012

    def test_nothing_when_all_is_well(self):
        assert load(self.SOUND).APP_ENV == "Production"

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            pytest.param({"SECRET_KEY": None}, "SECRET_KEY is not set", id="no key"),
            pytest.param({"SECRET_KEY": "k3" * 9}, "shorter than 32", id="a short key"),
            pytest.param({"SECRET_KEY": "ab" * 20}, "looks guessable", id="a repetitive key"),
            pytest.param(
                {"SECRET_KEY": "please-change-me-0123456789-abcdef"}, "looks guessable",
                id="a placeholder",
            ),
            pytest.param({"SECRET_KEY_FALLBACKS": f"{KEY},old"}, "(the 2. of them) is shorter",
                         id="a short earlier key"),
            pytest.param({"METRICS_TOKEN": "a"}, "METRICS_TOKEN is shorter", id="a short token"),
            pytest.param({"DEBUG": "1"}, "DEBUG is on in Production", id="debug"),
            pytest.param({"RELOAD": "1"}, "RELOAD is on in Production", id="reload"),
            pytest.param({"TRUSTED_HOSTS": ""}, "TRUSTED_HOSTS is not set", id="no hosts"),
            pytest.param(
                {"CORS_ORIGINS": "*", "CORS_CREDENTIALS": "1"}, "CORS_ORIGINS is *",
                id="credentials for every origin",
            ),
        ],
    )  # fmt: skip
    def test_what_is_missing_or_weak(self, change, says):
        environ = {k: v for k, v in {**self.SOUND, **change}.items() if v is not None}
        assert any(says in problem for problem in problems_of(environ))

    def test_no_part_of_a_refused_key_is_shown(self):
        found = problems_of({**self.SOUND, "SECRET_KEY": "hunter2hunter2"})
        assert "hunter2" not in "".join(found)


def test_rows_hide_secrets_and_passwords_in_urls():
    rows = {
        row.name: row
        for row in load(
            {"SECRET_KEY": KEY, "DATABASE_URL": "postgresql://ann:hunter2@db:5432/x"}
        ).rows()
    }
    assert rows["SECRET_KEY"].value == HIDDEN
    assert rows["DATABASE_URL"].value == f"postgresql://ann:{HIDDEN}@db:5432/x"
    assert rows["METRICS_TOKEN"].value is None
    assert rows["SHELVES"].doc == "Shelves in the cellar."


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann@db/x?password=hunter2", f"postgresql://ann@db/x?{HIDDEN}"),
        ("postgresql://ann:hun/ter2@db/x", f"postgresql://ann:{HIDDEN}@db/x"),
        ("postgresql://ann:hun#ter2@db/x", f"postgresql://ann:{HIDDEN}@db/x"),
        ("postgresql://ann:hun?ter2@db/x", f"postgresql://ann:{HIDDEN}@db/x"),
        ("postgresql://ann:hunter2@[db/x", f"postgresql://ann:{HIDDEN}@[db/x"),
        ("postgresql://ann:hunter2@db/x?y=a@b", f"postgresql://ann:{HIDDEN}@b"),
        ("https://hunter2.example", HIDDEN),
        ("hunter2", HIDDEN),
    ],
)
def test_no_spelling_of_a_url_shows_its_secret(url, shown):
    rows = {row.name: row for row in load({"DATABASE_URL": url, "METRICS_TOKEN": url}).rows()}
    assert rows["DATABASE_URL"].value == rows["METRICS_TOKEN"].value == shown


def test_a_url_without_password_is_shown():
    rows = {row.name: row for row in load({"DATABASE_URL": "sqlite:///cellar.db"}).rows()}
    assert rows["DATABASE_URL"].value == "sqlite:///cellar.db"


def test_what_every_service_sets_comes_first_and_the_projects_own_last():
    groups = list(dict.fromkeys(row.group for row in load().rows()))
    assert groups[:3] == ["Application", "Server", "Logs"]
    assert groups[-1] == "Project"


def test_settings_are_read_once():
    settings = load()
    with pytest.raises(AttributeError, match="read once"):
        settings.SHELVES = 9
    assert repr(settings) == "<CellarSettingsInDevelopment Development>"


def test_every_setting_goes_to_the_apps_config():
    config = load({"SHELVES": "8"}).as_config()
    assert config["SHELVES"] == 8
    assert config.keys() >= {"SECRET_KEY", "DATABASE_URL", "HTTP_PORT", "GREETING"}


def test_a_type_that_cannot_be_read_from_text_is_the_authors_mistake():
    class Odd(Settings):
        THING: complex = setting(0j, "A number of another kind.")

    with pytest.raises(TypeError, match="cannot be of type"):
        Odd.load(environ={"THING": "1"}, dotenv=None)


@pytest.mark.parametrize("row", Settings.load(environ={}, dotenv=None).rows(), ids=lambda r: r.name)
def test_every_setting_of_carboy_says_what_it_means(row):
    assert row.doc.endswith(".")
    assert row.group != "Project"


def test_a_setting_without_a_default_must_be_given():
    class Strict(Settings):
        LICENCE: str

    with pytest.raises(SettingsError, match="LICENCE is not set, and has no default"):
        Strict.load(environ={}, dotenv=None)
    assert Strict.load(environ={"LICENCE": "a1"}, dotenv=None).LICENCE == "a1"
