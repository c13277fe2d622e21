"""Compiled code and marshmallow's own are given the same, and must answer the same."""

import datetime as dt
import re
from collections import Counter
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import Schema as MarshmallowSchema
from marshmallow import ValidationError, fields, validate

from carboy.fast.schema import (
    Schema,
    dump,
    dumper,
    dumping,
    load,
    loading,
    outgoing,
    rows_dumper,
    source,
)

from .generated import CALLS, make_schema, payload, row, row_names, schema_options, stored

CASES = 6


def outcome(call, *args, **options):
    """Give all that can be observed of a call."""
    CALLS.clear()
    theirs = {id(one) for one in lists_in(args[-1])}
    try:
        found = call(*args, **options)
        shared = any(id(one) in theirs for one in lists_in(found))
        seen = ("answered", shape(found), shared)
    except ValidationError as error:
        seen = ("refused", shape(error.messages), shape(error.valid_data), shape(error.data))
    except Exception as error:  # noqa: BLE001 - whatever marshmallow raises
        seen = ("raised", type(error).__name__, str(error))
    return seen, list(CALLS)


def lists_in(value):
    if isinstance(value, list):
        yield value
    inside = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for one in inside:
            yield from lists_in(one)


def shape(value):
    """Tell values apart that are equal: 1 and True, another order, another type."""
    if isinstance(value, dict):
        return type(value).__name__, [(key, shape(one)) for key, one in value.items()]
    if isinstance(value, list | tuple):
        return type(value).__name__, [shape(one) for one in value]
    return type(value).__name__, re.sub(r" at 0x\w+", "", repr(value))


def differences(random, counted):
    """Compare one schema in a few cases; give those that differ."""
    kind = make_schema(random)
    options = schema_options(random)
    genuine = kind(**options)
    compiled = type("Made", (kind, Schema), {})(**options)
    for _ in range(CASES):
        if genuine.many:
            sent = [payload(random, genuine) for _ in range(random.randint(0, 3))]
            shown = [stored(random, genuine) for _ in range(random.randint(0, 3))]
        else:
            sent, shown = payload(random, genuine), stored(random, genuine)
        if random.random() < 0.05:
            sent = random.choice([None, "text", [sent], 7])
        how = random.choice([{}, {}, {}, {"partial": True}, {"unknown": "exclude"}])
        for word, by_function, value, rest in (
            ("load", load, sent, how), ("dump", dump, shown, {}),
        ):  # fmt: skip
            expected = outcome(getattr(genuine, word), value, **rest)
            counted[word, expected[0][0]] += 1
            for found in (
                outcome(by_function, compiled, value, **rest),
                outcome(getattr(compiled, word), value, **rest),
                outcome(by_function, genuine, value, **rest),
            ):
                if found != expected:
                    yield word, genuine.fields, options, rest, value, expected, found
    yield from differences_of_rows(random, genuine)


def differences_of_rows(random, genuine):
    """Compare what is made of tuples; give the cases that differ."""
    names = row_names(random, genuine)
    by_name = rows_dumper(genuine, names)
    for _ in range(CASES):
        rows = [row(random, genuine, names) for _ in range(random.choice([0, 1, 3]))]
        objs = [dict(zip(names, one, strict=True)) for one in rows]
        expected = outcome(lambda given: genuine.dump(given, many=True), objs)
        if (found := outcome(by_name, rows)) != expected:
            yield "rows", genuine.fields, names, rows, expected, found


@settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(seed=st.integers(0, 2**64))
def test_both_answer_the_same(seed):
    for difference in differences(Random(seed), Counter()):
        pytest.fail(repr(difference))


def test_compiled_code_is_what_was_compared(monkeypatch):
    """Else everything would be the same because nothing was compiled."""
    taken = Counter()
    by_field, read, by_row = loading.load_field, dumper.get_value, dumping.row_dumper

    def counting_other(*args):
        taken["loaded by the field"] += 1
        return by_field(*args)

    def counting_read(*args):
        taken["read by marshmallow"] += 1
        return read(*args)

    def counting_row(*args):
        written = by_row(*args)
        taken["rows"] += written is not None
        return written

    monkeypatch.setattr(loading, "load_field", counting_other)
    monkeypatch.setattr(dumper, "get_value", counting_read)
    monkeypatch.setattr(dumping, "row_dumper", counting_row)
    counted = Counter()
    fields = objects = whole = rows = 0
    for seed in range(150):
        random = Random(seed)
        schema = make_schema(random)()
        for _ in range(CASES):
            sent, shown = payload(random, schema), stored(random, schema)
            taken.clear()
            if outcome(load, schema, sent)[0][0] == "answered":
                fields += len(schema.load_fields)
                counted["loaded by the field"] += taken["loaded by the field"]
            if outcome(dump, schema, shown)[0][0] == "answered":
                objects += 1
                whole += not taken["read by marshmallow"]
        taken.clear()
        rows_dumper(schema, row_names(random, schema))
        rows += taken["rows"]
    assert counted["loaded by the field"] < fields * 0.6, (counted, fields)
    assert whole > objects * 0.2, (whole, objects)
    assert rows > 150 * 0.2, rows


MUTANTS = {
    "true is a number": (r"type\((\w+)\) is int", r"isinstance(\1, int)"),
    "a class of text is text": (r"type\((\w+)\) is str", r"isinstance(\1, str)"),
    "a number need not be one": (r"type\((\w+)\) is float", "True"),
    "infinity is finite": (r" and v - v == 0\.0", ""),
    "no decimal is special": (r"w\.is_finite\(\)", "True"),
    "a length too many": (r"<= len\((\w+)\)", r"<= 1 + len(\1)"),
    "a length too few": (r"len\((\w+)\) <=", r"len(\1) - 1 <="),
    "a bound is inside": (r"([vw]) > ", r"\1 >= "),
    "nothing is matched": (r"\(v\) is not None", "(v) != 0"),
    "everything is a choice": (r"v in x\d+", "True"),
    "every address is good": (r"x\d+\(v\)(?= *:)", "True"),
    "none is lacking": (r"lacking = True", "pass"),
    "all are known": (r"len\(data\) != \d+ or", ""),
    "the unknown is welcome": (r"if unknown != 'exclude' and", "if False and"),
    "what is left out is forgotten": (r"elif v is (x\d+):\n  loaded.*", r"elif v is \1: pass"),
    "defaults are for all": (r"elif v is x\d+:(\n  loaded.*)", r"elif v != 5:\1"),
    "what is required is not": (r"\n else: store", "\n elif v is not x0: store"),
    "naive is aware": (r"w\.tzinfo is not None and", "True or"),
    "the key is the name": (r"return \{'\w+':", "return {'f0':"),
    "anything is none": (r" or (\w+) is None else", " or True else"),
    "none is anything": (r"else None if (\w+) is None else", "else None if True else"),
    "a date is a year": (r"\.isoformat\(\)", ".isoformat()[:4]"),
    "a column further": (r"for \((v0), (v1)", r"for (\2, \1"),
    "one class is all": (r"type\(obj\) is not kind", "False"),
    "a decimal is a number": (r"format\((v\d)[^)]*\)?, 'f'\)", r"str(\1)"),
    "what is gone is null": (r"if v\d is not x\d+: shown", "if True: shown"),
    "read again": (r"if v\d is x\d+: (v\d = x\d+\(obj)", r"if True: \1"),
    "lists are the callers'": (r"\[\*v\]", "v"),
    "who fails is forgotten": (r"else: shown\[.*", "else: pass"),
}  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_of_the_compiled_code_is_caught(monkeypatch, mutant):
    pattern, replacement = MUTANTS[mutant]
    compiled, applied = source._compiled, Counter()

    def mutated(text):
        changed, times = re.subn(pattern, replacement, text)
        applied["times"] += times
        return compiled(changed)

    monkeypatch.setattr(source, "_compiled", mutated)
    for seed in range(4000):
        try:
            found = next(differences(Random(seed), Counter()), None)
        except SyntaxError:
            continue
        if found is not None:
            return
    pytest.fail(f"It survived; the mutation was made {applied['times']} times.")


class Word(str):
    """A name that writes itself as code."""

    __slots__ = ()

    def __repr__(self):
        return "1 / 0"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("class", id="a word of Python"),
        pytest.param("\N{LATIN SMALL LIGATURE FI}", id="an identifier that Python normalises"),
        pytest.param('"]; raise SystemExit #', id="code"),
        pytest.param(Word("word"), id="text that writes itself as code"),
    ],
)
@pytest.mark.parametrize("how", ["name", "data_key", "attribute"])
def test_no_name_of_a_field_becomes_code(name, how):
    field = fields.String() if how == "name" else fields.String(**{how: name})
    schema = Schema.from_dict({name if how == "name" else "field": field})()
    held = type("Held", (), {str(name): "kept", "field": "kept"})()
    for word, by_function, value in (
        ("dump", dump, held), ("dump", dump, dict.fromkeys((str(name), "field"), "kept")),
        ("load", load, {str(name): "kept"}), ("load", load, {str(name): 1}),
    ):  # fmt: skip
        genuine = getattr(MarshmallowSchema, word)
        expected = outcome(lambda given, use=genuine: use(schema, given), value)
        assert outcome(by_function, schema, value) == expected


@given(
    moment=st.datetimes(timezones=st.sampled_from([None, dt.UTC, ZoneInfo("Asia/Kolkata")])),
    number=st.uuids(),
)
def test_moments_and_uuids_are_written_as_by_the_standard_library(moment, number):
    assert outgoing._moment(moment) == moment.isoformat()
    assert outgoing._text(number) == str(number)


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"one": fields.String(), "two": fields.String()}, id="of compiled fields"),
        pytest.param({"one": fields.Constant("1")}, id="of fields that are not"),
    ],
)
def test_a_row_of_another_length_is_refused(schema):
    by_name = rows_dumper(MarshmallowSchema.from_dict(schema)(), ["one", "two"])
    for wrong in ("a",), ("a", "b", "c"):
        with pytest.raises(ValueError, match=r"unpack|shorter|longer"):
            by_name([("a", "b"), wrong])


@pytest.mark.parametrize(
    "field",
    [
        pytest.param(fields.Function(sorted), id="a function of the object"),
        pytest.param(fields.Constant("c"), id="a constant"),
        pytest.param(fields.String(dump_default="d"), id="a default"),
        pytest.param(fields.String(attribute="one.real"), id="a path"),
    ],
)
def test_a_field_that_no_column_is_named_after_is_dumped_all_the_same(field):
    schema = MarshmallowSchema.from_dict({"one": fields.Integer(), "other": field})()
    expected = schema.dump([{"one": 1}], many=True)
    assert "other" in expected[0]
    assert rows_dumper(schema, ["one"])([(1,)]) == expected


def test_addresses_are_those_that_marshmallow_takes_when_a_schema_is_first_used(monkeypatch):
    def errors(address):
        kind = type("Mail", (Schema,), {"mail": fields.Email()})
        return [kind().validate({"mail": address}) for _ in range(3)][-1]

    refused = {"mail": ["Not a valid email address."]}
    with monkeypatch.context() as patched:
        patched.setattr(validate.Email, "USER_REGEX", re.compile("zzz"))
        patched.setattr(validate.Email, "DOMAIN_WHITELIST", ("here",))
        assert errors("zzz !!@here") == {}
        assert errors("ada@example.com") == refused
    assert errors("zzz !!@example.com") == errors("zzz@here") == refused
    assert errors("ada@example.com") == errors("ada@localhost") == {}
