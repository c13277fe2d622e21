"""Read settings from their sources, in order, and report every problem at once."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self, get_type_hints

from carboy.errors import SettingsError
from carboy.settings.declaration import REQUIRED, Setting, parse

HIDDEN = "********"
_ADDRESS = re.compile(
    r"(?P<scheme>(?:sqlite|postgres(?:ql)?|rediss?|amqps?|s3|file|smtps?)(?:\+\w+)?://)"
    r"(?:(?P<user>[^:/?#@]*)(?P<password>:.*)?@)?(?P<place>[^@?#]*)(?P<query>[?#].*)?",
    re.DOTALL,
)
_FIRST = ("Application", "Server", "Logs", "Crate", "API", "Database")
_ARGUMENT = "argument"
_APP_CONFIG = "app.config"


class Row(NamedTuple):
    """One line of ``carboy settings``: a setting, its printable value and its source."""

    name: str
    value: Any
    source: str
    doc: str
    group: str


class Loaded:
    """Settings that were read; made by :meth:`load`, then never changed."""

    profile: ClassVar[str] = ""
    sources: dict[str, str]

    @classmethod
    def load(
        cls,
        *,
        environ: Mapping[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
        dotenv: Path | None = Path(".env"),
        **explicit: Any,
    ) -> Self:
        """Read every setting of this class for the environment ``APP_ENV`` names.

        :param environ: variables to read; by default those of the process.
        :param config: what the app's own code configured, used when no variable does.
        :param dotenv: file read in Development when it exists.
        :param explicit: values that win over every source, by setting name.
        :return: an instance of the profile that applies: a subclass of this class
            and the profile when the project wrote one, else the two combined.
        :raises SettingsError: naming every problem.
        """
        variables = os.environ if environ is None else environ
        kind = cls.for_environment(explicit.get("APP_ENV") or variables.get("APP_ENV", ""))
        file = _read_dotenv(dotenv) if kind.profile == "Development" else {}
        givers = (
            (_ARGUMENT, explicit),
            ("environment", variables),
            (".env", file),
            (_APP_CONFIG, config or {}),
        )
        made = kind.__new__(kind)
        found: dict[str, Any] = {}
        sources: dict[str, str] = {}
        declared = kind.declarations()
        problems = [_unknown(name, declared) for name in sorted(explicit.keys() - declared.keys())]
        for name, (annotation, declaration) in declared.items():
            try:
                value, sources[name] = _resolve(kind, name, annotation, declaration, givers)
            except ValueError as error:
                value, sources[name] = declaration.default, "default"
                problems.append(str(error))
            found[name] = value
        found["APP_ENV"] = kind.profile
        vars(made).update(found, sources=sources)
        problems += made.problems()
        if problems:
            raise SettingsError(problems)
        return made

    def problems(self) -> Iterator[str]:
        """Say what is wrong with the values taken together."""
        return iter(())

    @classmethod
    def declarations(cls) -> dict[str, tuple[Any, Setting]]:
        """Every setting of this class by name: its type and its declaration."""
        found: dict[str, tuple[Any, Setting]] = {}
        for name, annotation in get_type_hints(cls).items():
            if not name.isupper():
                continue
            held = [vars(base)[name] for base in cls.__mro__ if name in vars(base)]
            declared = [value for value in held if isinstance(value, Setting)]
            found[name] = (annotation, declared[0] if declared else Setting(*held[-1:]))
        return dict(sorted(found.items(), key=lambda item: _place(item[1][1].group)))

    def as_config(self) -> dict[str, Any]:
        """Every setting by name, for ``app.config``."""
        return {name: getattr(self, name) for name in self.sources}

    def rows(self) -> list[Row]:
        """Every setting with its value (secrets hidden), source and meaning."""
        return [
            Row(
                name,
                _hide(getattr(self, name)) if declared.secret else getattr(self, name),
                self.sources[name],
                declared.doc,
                declared.group,
            )
            for name, (_, declared) in self.declarations().items()
        ]

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"Settings are read once; {name} cannot be changed afterwards.")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.profile}>"

    @classmethod
    def for_environment(cls, name: str) -> type[Self]:
        """Choose the class that applies in the environment *name*; here always this one."""
        del name
        return cls


def _place(group: str) -> int:
    """Put what every service sets first; the rest stays in the order of declaration."""
    return _FIRST.index(group) if group in _FIRST else len(_FIRST)


def _resolve(
    kind: type[Loaded],
    name: str,
    annotation: Any,
    declared: Setting,
    givers: Sequence[tuple[str, Mapping[str, Any]]],
) -> tuple[Any, str]:
    """Take the first source that names the setting.

    :raises ValueError: naming the variable, the reason and the source.
    """
    for source, values in givers:
        variables = declared.env or (name,)
        in_code = source in (_ARGUMENT, _APP_CONFIG)
        for variable in (name,) if in_code else variables:
            if variable in values:
                return _parsed(variable, annotation, declared, values[variable], source), source
            if not in_code and f"{variable}_FILE" in values:
                file = f"{variable}_FILE"
                text = _read_file(file, values[file], secret=declared.secret)
                return _parsed(variable, annotation, declared, text, file), f"{source} ({file})"
    return _default(kind, name, declared)


def _parsed(variable: str, annotation: Any, declared: Setting, raw: Any, source: str) -> Any:
    try:
        return parse(annotation, declared, raw)
    except ValueError as error:
        shown = "" if declared.secret or source.endswith("_FILE") else f" is {raw!r}"
        raise ValueError(f"{variable}{shown} ({source}): {error}.") from None


def _read_file(variable: str, path: str, *, secret: bool) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        # Who mistakes NAME_FILE for NAME has put the secret itself here.
        named = "a file that" if secret else f"{path}, which"
        raise ValueError(f"{variable} names {named} cannot be read: {reason}.") from None


def _default(kind: type[Loaded], name: str, declared: Setting) -> tuple[Any, str]:
    for base in kind.__mro__:
        if name in vars(base):
            value = vars(base)[name]
            if isinstance(value, Setting):
                break
            if value is not declared.default:
                return value, base.__name__
    if declared.default is REQUIRED:
        raise ValueError(f"{name} is not set, and has no default. Set it in the environment.")
    return declared.default, "default"


def _read_dotenv(path: Path | None) -> dict[str, str]:
    if path is None or not path.is_file():
        return {}
    from dotenv import dotenv_values  # only Development pays for it

    return {name: value for name, value in dotenv_values(path).items() if value is not None}


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]}?" if close else " Declare it in your settings class."
    return f"{name} is not a setting.{hint}"


def _hide(value: Any) -> Any:
    """Mask a secret; what looks like the address of a service keeps what is no secret of it."""
    if not value:
        return value
    parts = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    if parts is None:
        return HIDDEN
    shown = [parts["scheme"]]
    if parts["user"] is not None:
        shown += [parts["user"], f":{HIDDEN}" if parts["password"] else "", "@"]
    return "".join([*shown, parts["place"], f"?{HIDDEN}" if parts["query"] else ""])
