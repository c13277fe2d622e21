"""Schemas that are made, used and thrown away, and what else can happen to one."""

import copy
import inspect
import pickle
import re
import textwrap
import threading
from collections import Counter
from collections.abc import Set as AbstractSet
from functools import partial
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import EXCLUDE, INCLUDE, RAISE, ValidationError, fields
from marshmallow import Schema as MarshmallowSchema

from carboy.fast.schema import Schema, compiled, dump, late, load, mould, plain, sharing, source
from carboy.fast.schema.stock import dict_of

from .generated import CALLS, Hooked, Part, make_schema, payload, stored
from .test_differential import outcome, shape

LIVES = 5
ATTRIBUTES = (
    "declared_fields", "fields", "dump_fields", "load_fields", "only", "exclude", "load_only",
    "dump_only", "many", "partial", "unknown", "error_messages", "opts", "set_class",
)  # fmt: skip


class Tagged(fields.String):
    """A field that looks at the schema it is in."""

    def _serialize(self, value, attr, obj, **rest):
        return f"{value} of {getattr(self.parent, 'tag', None)}"

    def _deserialize(self, value, attr, data, **rest):
        return f"{value} for {getattr(self.root, 'tag', None)}"


class Named(fields.String):
    """A field that a property ties to the schema it is in."""

    @property
    def allow_none(self):
        return getattr(self.parent, "tag", None) is not None

    @allow_none.setter
    def allow_none(self, value):
        pass


def bound(self, name, field):
    CALLS.append(("bound", name))
    field.metadata = {**field.metadata, "at": name}
    if name == "f0":
        field.data_key = f"bound{getattr(self, 'turn', 0)}"


def make_class(random):
    """Make a schema class whose instances differ in ways that matter."""
    kind = make_schema(random)
    members = {}
    if random.random() < 0.2:
        members["tagged"] = random.choice([Tagged, Named, Named])()
    if random.random() < 0.2:
        members["said"] = fields.Method("say")
        members["say"] = lambda self, obj: getattr(self, "tag", None)
    if random.random() < 0.1:
        members["on_bind_field"] = bound
    if random.random() < 0.2:
        members["error_messages"] = {"unknown": "Who is that?"}
    if random.random() < 0.3:
        members["Meta"] = type("Meta", (), dict([random.choice([
            ("unknown", INCLUDE), ("many", True), ("exclude", ("f0",)), ("fields", ("f0",)),
            ("load_only", ("f0",)), ("dateformat", "%d.%m.%Y"), ("index_errors", False),
        ])]))  # fmt: skip
    try:
        made = type("Life", (kind,), members)
        made()
    except ValueError:
        return kind
    return made


def arguments(random, kind):
    names = [*kind._declared_fields, "nowhere"][: -1 if random.random() < 0.9 else None]
    nested = [
        f"{name}.p" for name in names if isinstance(kind._declared_fields.get(name), fields.Nested)
    ]
    some = random.sample(names, random.randint(0, len(names)))
    container = random.choice([list, tuple, set, frozenset, dict.fromkeys])
    found = {}
    for name, chance in (("only", 0.3), ("exclude", 0.3), ("load_only", 0.1), ("dump_only", 0.1)):
        if random.random() < chance:
            found[name] = [*random.sample(some, min(len(some), 2)), *nested[:1]]
    if random.random() < 0.02:
        found["only"] = "f0"
    else:
        found = {name: container(value) for name, value in found.items()}
    for name, chance, values in (
        ("many", 0.1, (True, False)), ("partial", 0.2, (True, False, ("f0",))),
        ("unknown", 0.3, (RAISE, EXCLUDE, INCLUDE)),
    ):  # fmt: skip
        if random.random() < chance:
            found[name] = random.choice(values)
    return found


HIDDEN = {"parent", "root", "inner", "_schema", "key_field", "value_field", "tuple_fields"}


def seen(schema, name):
    """Describe an attribute, with what a field is bound to."""
    value = getattr(schema, name)
    if not name.endswith("fields"):
        sortable = isinstance(value, AbstractSet)  # marshmallow's own kind, too
        return type(value).__name__, sorted(map(repr, value)) if sortable else repr(value)
    return [
        (
            key,
            type(field).__name__,
            shape({word: one for word, one in vars(field).items() if word not in HIDDEN}),
            field.parent is schema,
            field.root is schema,
            field is schema.declared_fields.get(key),
        )
        for key, field in value.items()
    ]


def require(schema, name, tag):
    schema.fields[name].required = not schema.fields[name].required


def shorten(schema, name, tag):
    schema.dump_fields.pop(name)
    schema.load_fields.pop(name)


def replace(schema, name, tag):
    schema.dump_fields = dict(list(schema.dump_fields.items())[:1])


def replace_unseen(schema, name, tag):
    schema.dump_fields = {"only": fields.Constant(tag)}
    schema.load_fields = {}


def look(schema, name, tag):
    attribute = ATTRIBUTES[(tag + len(name)) % len(ATTRIBUTES)]
    return re.sub(r" at 0x\w+", "", repr(seen(schema, attribute)))


def tag_it(schema, name, tag):
    schema.tag = tag


def say(schema, name, tag):
    schema.error_messages["unknown"] = "Strange."


def widen(schema, name, tag):
    schema.many, schema.unknown, schema.partial = tag > 5, EXCLUDE, tag > 2 or None


def again(schema, name, tag):
    schema.exclude = {name}
    schema._init_fields()


def read(schema, name, tag):
    schema.get_attribute = lambda obj, attr, default: f"{attr} is read"


def list_all(schema, name, tag):
    return sorted(word for word in vars(schema) if not word.startswith("_carboy"))


def lose(schema, name, tag):
    del schema.dump_fields
    return hasattr(schema, "dump_fields")


ACTS = [
    *[look] * 3, *[tag_it] * 4, require, shorten, replace, replace_unseen, say, widen, again, read,
    list_all, lose,
]  # fmt: skip
"""What happens to a schema: functions of it, the name of a field and a number."""


def copied(random):
    return random.choice([
        copy.copy, copy.deepcopy, *[lambda schema: schema] * 8,
    ])  # fmt: skip


def changed(random):
    """Choose what happens to a class between two of its schemas."""

    def add(kind):
        kind._declared_fields = {**kind._declared_fields, "added": fields.Integer(load_default=7)}

    def put(kind):
        kind._declared_fields["put"] = fields.Constant("put")

    def exclude(kind):
        kind.opts.exclude = (*kind.opts.exclude, "f0")

    def say(kind):
        kind.error_messages = {**kind.error_messages, "unknown": "No."}

    def say_in_place(kind):
        if kind.error_messages is not MarshmallowSchema.error_messages:
            kind.error_messages["unknown"] = "No, no."

    def read(kind):
        kind.get_attribute = lambda self, obj, attr, default: f"{attr} is read"

    return random.choice([add, put, exclude, say, say_in_place, read, *[lambda kind: None] * 14])


def live(kind, given, script, by_function):
    """Live through a script; give all that could be observed."""
    held = {}

    def construct():
        held["schema"] = kind(**copy.copy(given))

    record = [outcome(lambda _: construct(), None)]
    for word, act, value, how in script if held else ():
        schema = held["schema"]
        if word == "copy":
            held["schema"] = act(schema)
            continue
        if word == "step":
            record.append(outcome(lambda _, a=act, s=schema, w=value: a(s, *w), None))
            continue
        ours = partial({"load": load, "dump": dump}[word], schema)
        call = ours if by_function else getattr(schema, word)
        record.append(outcome(partial(call, **how), value))
        if record[-1][0][0] == "raised":
            # Compiled code reads all attributes before it serialises the first.
            record[-1] = record[-1][0], [one for one in record[-1][1] if one != "f0"]
    return record


def script_of(random, kind):
    reference = kind()
    names = [*kind._declared_fields]
    found = []
    for _ in range(random.randint(1, 4)):
        if random.random() < 0.3:
            act = random.choice(ACTS)
            # What a field is may change before a schema is first used, not later.
            if act is not require or not found:
                found.append(("step", act, (random.choice(names), random.randint(0, 9)), {}))
        if random.random() < 0.1:
            found.append(("copy", copied(random), None, {}))
        how = random.choice([{}, {}, {}, {"partial": True}, {"unknown": "exclude"}, {"many": True}])
        many = how.get("many", False)
        make = payload if random.random() < 0.5 else stored
        value = [make(random, reference) for _ in range(2)] if many else make(random, reference)
        if make is payload and not many and "tagged" in names and random.random() < 0.5:
            value["tagged"] = None
        how = {"many": many} if make is stored else how
        found.append(("load" if make is payload else "dump", None, value, how))
    return found


def differences(random, counted):
    """Compare the lives of schemas of one class, made the usual way and ours."""
    genuine = make_class(random)
    ours = type("Ours", (genuine, Schema), {"__module__": __name__})
    genuine = type("Ours", (genuine,), {"__module__": __name__})
    parents = genuine, ours
    choices = [arguments(random, genuine) for _ in range(2)]
    for _ in range(LIVES):
        if random.random() < 0.1:
            genuine, ours = (
                type("Child", (parent,), {"of_the_child": fields.Constant("child")})
                for parent in parents
            )
        elif random.random() < 0.5:
            genuine, ours = parents
        change = changed(random)
        for kind in (genuine, ours):
            change(kind)
        given = random.choice(choices)
        script = script_of(random, genuine)
        expected = live(genuine, given, script, by_function=False)
        for kind, by_function in ((ours, False), (ours, True), (genuine, True)):
            counted["lives"] += 1
            found = live(kind, given, script, by_function)
            if found != expected:
                yield genuine._declared_fields, given, script, expected, found


@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(seed=st.integers(0, 2**64))
def test_both_live_the_same(seed):
    for difference in differences(Random(seed), Counter()):
        pytest.fail(repr(difference))


def test_cheap_construction_is_what_was_compared(monkeypatch):
    """Else all would be the same because every schema was made the usual way."""
    taken = Counter()
    make, find, complete = compiled.mould_of, sharing.Codes._shared, late.construct

    def counting_mould_of(*args):
        found = make(*args)
        taken["made cheaply" if found is not None else "made the usual way"] += 1
        return found

    def counting_construct(schema, arguments, **rest):
        taken["completed"] += "many" in rest
        complete(schema, arguments, **rest)

    def counting_mould_in(schema):
        found = mould_in(schema)
        taken["used unseen"] += found is not None and bool(found.code)
        return found

    def counting_shared(self, schema, fields):
        found = find(self, schema, fields)
        taken["shared after a look"] += found is not None
        return found

    mould_in = sharing.mould_in
    monkeypatch.setattr(compiled, "mould_of", counting_mould_of)
    monkeypatch.setattr(late, "construct", counting_construct)
    monkeypatch.setattr(sharing, "mould_in", counting_mould_in)
    monkeypatch.setattr(sharing.Codes, "_shared", counting_shared)
    for seed in range(150):
        for difference in differences(Random(seed), Counter()):
            pytest.fail(repr(difference))
    assert taken["made cheaply"] > 0.3 * taken["made the usual way"], taken
    assert taken["used unseen"] > 300, taken
    assert taken["completed"] > 300, taken
    assert taken["shared after a look"] > 100, taken


_METHODS = vars(Schema)
MUTANTS = {
    "all are wanted": (compiled._mould, r"\*names\)", "None, *names[1:])"),
    "nothing is excluded": (compiled._mould, r"\*names\)", "names[0], (), *names[2:])"),
    "nothing is for loading only": (compiled._mould, r"\*names\)", "*names[:2], (), names[3])"),
    "nothing is for dumping only": (compiled._mould, r"\*names\)", "*names[:3], ())"),
    "declarations stay": (mould._Moulds.are_good, r"kind\._declared_fields == [\w.]+", "True"),
    "options stay": (mould._Moulds.are_good, r"vars\(kind\.opts\) == [\w.]+", "True"),
    "methods stay": (mould._Moulds.are_good, r"_watched\(kind\) == [\w.]+", "True"),
    "messages stay": (mould._Moulds.are_good, r"self\._messages == [\w.]+", "True"),
    "a child is its parent": (mould.mould_of, r"moulds\.of is not kind", "False"),
    "what was set is lost": (late.complete, r"\{\*\*kept, \*\*own\}", "{**own, **kept}"),
    "arguments are lost": (late.complete, r"mould\.arguments", "type(mould.arguments)()"),
    "nobody sets anything": (late.mould_in, r"not _MATTERS\.\w+\(own\)", "False"),
    "bound to another": (late._fields, r'own\["parent"\] or schema', 'own["parent"]'),
    "everything is bound": (late._fields, r"if name in mould.*:", "if True:"),
    "nothing is copied": (late._fields, r"object\.__new__.*", "field"),
    "every class is plain": (plain.is_constructed_plainly, r"return \(", "return True or ("),
    "every field is stock": (plain.is_field_shared, r"if kind not in", "if False and kind in"),
    "all is harmless": (plain._is_derived_harmlessly, r"name not in _HARMLESS", "False"),
    "all are alike": (plain.are_fields_alike, r"return ", "return True or "),
    "none is dropped": (sharing.Codes.of, r"known\.length != len\(fields\)", "False"),
    "none is replaced": (sharing.Codes.of, r"known\.of is not fields", "False"),
    "no method is replaced": (sharing.Codes.of, r"known\.size != len\(own\)", "False"),
    "what is unseen is not there": (_METHODS["__dict__"].fget, r"complete\(self\)", "pass"),
    "a copy has nothing": (_METHODS["__getstate__"], r"complete\(self\)", "pass"),
    "nothing can be deleted": (_METHODS["__delattr__"], r"complete\(self\)", "pass"),
    "messages are common": (_METHODS["__init__"], r"messages\.copy\(\)", "messages"),
    "partial is forgotten": (_METHODS["__init__"], r"self\.partial = .*", "self.partial = None"),
    "unknown is the class's": (_METHODS["__init__"], r"if unknown is None", "if True"),
    "one is the rule": (_METHODS["__init__"], r"opts\.many if", "False if"),
}  # fmt: skip


def mutated(function, pattern, replacement):
    """Give the code of a function after a change of its text."""
    text, times = re.subn(pattern, replacement, textwrap.dedent(inspect.getsource(function)))
    assert times, text
    scope = dict(function.__globals__)
    # Within a class, for those that call super().
    exec("from __future__ import annotations\nclass Around:\n" + textwrap.indent(text, " "), scope)
    found = vars(scope["Around"])[function.__name__]
    return getattr(found, "fget", found).__code__


@pytest.fixture
def pristine():
    """Leave no mutant's work on the classes that all generated schemas nest."""
    kinds = (Part, Hooked)
    declared = [copy.deepcopy(kind._declared_fields) for kind in kinds]
    yield
    for kind, kept in zip(kinds, declared, strict=True):
        kind._declared_fields = kept
        if "_carboy_moulds" in vars(kind):
            del kind._carboy_moulds


@pytest.mark.usefixtures("pristine")
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_of_cheap_construction_is_caught(monkeypatch, mutant):
    function, pattern, replacement = MUTANTS[mutant]
    monkeypatch.setattr(function, "__code__", mutated(function, pattern, replacement))
    for seed in range(2000):
        if next(differences(Random(seed), Counter()), None) is not None:
            return
    pytest.fail("It survived.")


class Account(Schema):
    id = fields.Integer()
    name = fields.String(required=True)
    owner = fields.Nested(lambda: Account(only=("id",)))


class Plain(Schema):
    id = fields.Integer()
    name = fields.String(required=True)


def is_cheap(schema):
    return late.MOULD in dict_of(schema)


def test_a_schema_is_made_when_somebody_looks_at_it():
    Account()
    schema = Account(many=True)
    assert is_cheap(schema)
    assert schema.dump([{"id": 1, "more": 2}]) == [{"id": 1}]
    assert is_cheap(schema) is False  # what is nested belongs to each schema
    assert [*schema.fields] == ["id", "name", "owner"]


def test_a_class_has_no_attributes_that_only_its_schemas_have():
    with pytest.raises(AttributeError, match="type object 'Account' has no attribute 'fields'"):
        Account.fields  # noqa: B018 - to fail
    with pytest.raises(AttributeError, match="'Account' object has no attribute 'fields'"):
        object.__new__(Account).fields  # noqa: B018 - to fail


@pytest.mark.parametrize(
    "copied",
    [
        pytest.param(copy.copy, id="copy"),
        pytest.param(copy.deepcopy, id="deep copy"),
        pytest.param(lambda schema: pickle.loads(pickle.dumps(schema)), id="pickle"),
    ],
)
@pytest.mark.parametrize("used", [False, True], ids=["unused", "used"])
def test_copies_are_as_marshmallows(copied, used):
    for _ in range(2):
        schema = Plain(only=("name", "id"), many=True)
    assert is_cheap(schema)
    if used:
        schema.dump([])
        schema.load([])
    found = copied(schema)
    assert not is_cheap(found)
    assert found.dump([{"id": 1, "name": "n"}]) == [{"name": "n", "id": 1}]
    with pytest.raises(ValidationError, match="Missing data"):
        found.load([{"id": 1}])


def test_a_constructor_that_stands_behind_ours_is_called():
    class Counting(MarshmallowSchema):
        def __init__(self, **rest):
            super().__init__(**rest)
            self.fields["id"].data_key = "number"

    class Both(Account, Counting):
        pass

    for _ in range(3):
        assert Both().dump({"id": 1}) == {"number": 1}


def test_a_method_that_stands_behind_ours_is_called():
    class Quiet(MarshmallowSchema):
        def dump(self, obj, *, many=None):
            return "quiet"

    class Both(Account, Quiet):
        pass

    for _ in range(3):
        assert Both().dump({"id": 1}) == dump(Both(), {"id": 1}) == "quiet"


def test_threads_that_look_at_once_see_all_there_is():
    Account()
    for _ in range(50):
        schema, ready, found = Account(), threading.Barrier(4), []

        def look(schema=schema, ready=ready, found=found):
            ready.wait()
            found.append((len(schema.fields), len(schema.dump_fields), id(schema.fields)))

        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {one[:2] for one in found} == {(3, 3)}
        assert len(set(found)) == 1


def test_as_many_combinations_as_callers_invent_are_not_kept():
    for number in range(200):
        for _ in range(2):
            Account(dump_only=[f"n{number}"])
    assert len(Account._carboy_moulds.made) <= mould._MOULDS_LIMIT


@pytest.mark.parametrize("base", [Schema, MarshmallowSchema], ids=["ours", "marshmallow's"])
def test_code_is_compiled_when_it_pays_and_for_all(monkeypatch, base):
    compiled_for = Counter()
    compiling = source._compiled
    monkeypatch.setattr(sharing, "PATIENCE", 40)
    monkeypatch.setattr(
        source, "_compiled", lambda text: compiled_for.update(["all"]) or compiling(text)
    )
    kind = base.from_dict({"id": fields.Integer(), "name": fields.String()})
    for _ in range(15):
        assert dump(kind(), {"id": 1}) == {"id": 1}
    assert not compiled_for
    kept = kind()
    for _ in range(41):
        assert dump(kept, {"id": 1}) == {"id": 1}
    used = compiled_for["all"]
    assert used
    for _ in range(30):
        assert dump(kind(), {"id": 1}) == {"id": 1}
    assert compiled_for["all"] == used
