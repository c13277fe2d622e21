"""Models, schemas, resources, rows and requests made by chance, the same for the same seed."""

import datetime as dt
import enum
import random
import uuid
from decimal import Decimal

from marshmallow import Schema, fields, validate
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Enum,
    Float,
    Integer,
    Numeric,
    String,
    Text,
    Time,
    TypeDecorator,
    Uuid,
    func,
    select,
)
from sqlalchemy.orm import DeclarativeBase, mapped_column

from carboy import Blueprint, Cursor, Moment, Pages
from carboy.api.resource import Resource

NOON = dt.datetime(2026, 5, 1, 12, 30, 15, 250_000)  # noqa: DTZ001 - some columns know no zone


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


class Shouted(TypeDecorator):
    """Text that is kept in small letters and read in large ones."""

    impl = String(30)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else value.lower()

    def process_result_value(self, value, dialect):
        return None if value is None else value.upper()


def _text(chance):
    return "".join(chance.choice("abcXYZ é'%_\"\\") for _ in range(chance.randrange(1, 9)))


# type of the column → its field, a value of Python's, may it be sorted by
KINDS = {
    "integer": (Integer, fields.Integer, lambda c: c.randrange(-9, 99), True),
    "big": (BigInteger, fields.Integer, lambda c: c.randrange(2**40), True),
    "string": (lambda: String(40), fields.String, _text, True),
    "text": (Text, fields.String, _text, True),
    "boolean": (Boolean, fields.Boolean, lambda c: c.random() < 0.5, False),
    "float": (Float, fields.Float, lambda c: c.randrange(-50, 50) / 8, True),
    "numeric": (
        lambda: Numeric(8, 2), fields.Decimal, lambda c: Decimal(c.randrange(9999)) / 100, True,
    ),
    "date": (Date, fields.Date, lambda c: NOON.date() + dt.timedelta(c.randrange(90)), True),
    "naive": (DateTime, fields.DateTime, lambda c: NOON + dt.timedelta(c.randrange(90)), True),
    "aware": (
        lambda: DateTime(timezone=True),
        fields.DateTime,
        lambda c: (NOON + dt.timedelta(c.randrange(90))).replace(tzinfo=dt.UTC),
        False,
    ),
    "moment": (
        Moment,
        fields.DateTime,
        lambda c: (NOON + dt.timedelta(c.randrange(90))).replace(tzinfo=dt.UTC),
        True,
    ),
    "time": (Time, fields.Time, lambda c: dt.time(c.randrange(24), 5), True),
    "uuid": (Uuid, fields.UUID, lambda c: uuid.UUID(int=c.getrandbits(128)), False),
    "json": (JSON, fields.Raw, lambda c: {"a": [c.randrange(9), None, "é"]}, False),
    "enum": (
        lambda: Enum(Colour, native_enum=False), None, lambda c: c.choice(list(Colour)), False,
    ),
    "word": (
        lambda: Enum("on", "off", name="word", native_enum=False),
        fields.String,
        lambda c: c.choice(["on", "off"]),
        False,
    ),
    "shouted": (Shouted, fields.String, _text, True),
}  # fmt: skip


def _field(kind, **options):
    made = KINDS[kind][1]
    if made is None:
        return fields.Enum(Colour, by_value=True, **options)
    if made is fields.Decimal:
        return made(as_string=True, **options)
    return made(**options)


class Case:
    """One resource, its rows and what is asked of it."""

    def __init__(self, seed):
        self.seed = seed
        self.chance = chance = random.Random(seed)
        self.kinds = [chance.choice(list(KINDS)) for _ in range(chance.randrange(2, 9))]
        if seed % 3:  # a field that is no stock one sends all the long way; most should not
            self.kinds = [kind for kind in self.kinds if kind != "enum"] or ["string"]
        self.columns = {f"c{n}_{kind}": kind for n, kind in enumerate(self.kinds)}
        self.base = type("Base", (DeclarativeBase,), {})
        self.model = self._model()
        self.out, self.writable = self._schemas()
        self.resource = self._resource()

    def _model(self):
        chance, members = self.chance, {}
        self.optional = set()
        for name, kind in self.columns.items():
            options = {}
            turn = chance.randrange(4)
            if turn == 0:
                options["nullable"] = True
            elif turn == 1:
                value = KINDS[kind][2](chance)
                options["default"] = value if chance.random() < 0.5 else lambda value=value: value
            elif turn == 2 and kind == "integer":
                options["server_default"] = "7"
            else:
                options["nullable"] = False
                self.optional.discard(name)
            if turn != 3 and options.get("nullable", True):
                self.optional.add(name)
            members[name] = mapped_column(f"{name}_kept", KINDS[kind][0](), **options)
        members["name"] = mapped_column(String(20), unique=True)
        members["id"] = mapped_column(Integer, primary_key=True)
        members["rank"] = mapped_column(Integer, default=func.abs(-3))
        return type(
            f"Thing{self.seed}", (self.base,), {"__tablename__": f"things_{self.seed}", **members}
        )

    def _schemas(self):
        chance, shown, written = self.chance, {}, {}
        for name, kind in self.columns.items():
            options = {"allow_none": True} if name in self.optional else {"required": True}
            if chance.random() < 0.3:
                options["data_key"] = f"{name}Key"
            if chance.random() < 0.2:
                options["attribute"] = name
                shown[f"as_{name}"] = _field(kind, **options)
                written[f"as_{name}"] = _field(kind, **options)
                continue
            shown[name] = _field(kind, **options)
            written[name] = _field(kind, **options)
        written["name"] = fields.String(required=True, validate=validate.Length(1, 20))
        out = {**shown, "name": fields.String(), "id": fields.Integer(), "rank": fields.Integer()}
        names = list(out)
        chance.shuffle(names)
        return (
            Schema.from_dict({name: out[name] for name in names}, name=f"Thing{self.seed}Out"),
            Schema.from_dict(written, name=f"Thing{self.seed}In"),
        )

    def _resource(self):
        chance = self.chance
        fits = [name for name, kind in self.columns.items() if KINDS[kind][3]]
        shown = [name for name in fits if name in self.out().fields]
        members = {
            "model": self.model, "schema": self.out, "writable": self.writable,
            "only": ("list", "read", "create"),
            "sort": ("name", *fits[:2]),
            "filters": dict.fromkeys(shown[:2], ("gte", "lt", "in")) | {"name": ("contains",)},
            "paging": Pages(limit=3) if chance.random() < 0.3 else Cursor(limit=3),
        }  # fmt: skip
        if chance.random() < 0.4:
            least = chance.randrange(3)
            members["query"] = lambda self: select(self.model).where(self.model.id > least)
        self.shown, self.fits = shown, fits
        return type(f"Things{self.seed}", (Resource,), members)

    @property
    def path(self):
        return f"/things{self.seed}"

    def blueprint(self):
        made = Blueprint(f"case{self.seed}", __name__)
        made.resource(self.path, self.resource)
        return made

    def rows(self):
        chance = random.Random(self.seed + 1)
        made = []
        for number in range(11):
            row = {
                name: None
                if name in self.optional and chance.random() < 0.3
                else KINDS[kind][2](chance)
                for name, kind in self.columns.items()
            }
            made.append({**row, "name": f"n{number:02}"})
        return made

    def requests(self, turn):
        """Give method, path and body of each; ``None`` for a path: follow the last link.

        :param turn: what is created has other names in each.
        """
        chance = random.Random(self.seed + 2)
        yield "GET", self.path, None
        yield "GET", None, None
        yield "GET", None, None
        for number in (1, 4, 99, 2**31, 10**30):
            yield "GET", f"{self.path}/{number}", None
        yield "HEAD", f"{self.path}/2", None
        for name in ("name", *self.fits[:2]):
            sign = chance.choice(("", "-"))
            yield "GET", f"{self.path}?sort={sign}{name}&limit=4", None
            yield "GET", None, None
            yield "GET", None, None
        yield "GET", f"{self.path}?name_contains=N0", None
        yield "GET", f"{self.path}?cursor=x", None
        yield "GET", f"{self.path}?page=2", None
        yield "GET", f"{self.path}?limit=100", None
        for name in self.shown[:2]:
            value = self._sent(name, KINDS[self.columns[name]][2](chance))
            yield "GET", f"{self.path}?{name}_gte={value}", None
            yield "GET", f"{self.path}?{name}={value}", None
        for number in range(6):
            yield "POST", self.path, self._body(chance, f"{turn}new{number // 2}")
        yield "GET", f"{self.path}/12", None
        yield "GET", f"{self.path}?sort=-name&limit=5", None

    def _body(self, chance, name):
        body = {"name": name}
        for key, field in self.writable().fields.items():
            column = field.attribute or key
            kind = self.columns.get(column)
            if kind is None or (column in self.optional and chance.random() < 0.4):
                continue
            value = KINDS[kind][2](chance)
            if column in self.optional and chance.random() < 0.3:
                value = None
            body[field.data_key or key] = self._sent(column, value)
        return body

    @staticmethod
    def _sent(name, value):
        if isinstance(value, Colour):
            return value.value
        if value is None or isinstance(value, bool | int | float | str | dict):
            return value
        return value.isoformat() if hasattr(value, "isoformat") else str(value)
