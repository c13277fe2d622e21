"""The wheel that unpublished versions put into projects."""

import io
import subprocess
import sys
import zipfile
from dataclasses import replace
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import PathDistribution, distribution
from pathlib import Path

import pytest
from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from carboy.generator import GeneratorError
from carboy.generator import distribution as module
from carboy.generator.distribution import Carboy, files_of, pack, running

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def files():
    return files_of(distribution("carboy"))


def opened(carboy):
    return zipfile.ZipFile(io.BytesIO(carboy.content))


def test_the_same_files_give_the_same_bytes(files):
    first, second = pack(files, "0.1.0"), pack(dict(reversed(files.items())), "0.1.0")
    assert first == second


def test_other_files_give_another_version(files):
    changed = {**files, "carboy/errors.py": files["carboy/errors.py"] + b"\n"}
    first, second = pack(files, "0.1.0"), pack(changed, "0.1.0")
    assert first.version != second.version
    assert Version(first.version).public == Version(second.version).public == "0.1.0"


def test_its_name_and_metadata_agree(files):
    carboy = pack(files, "0.1.0")
    name, version, _, _ = parse_wheel_filename(carboy.wheel)
    assert (name, str(version)) == ("carboy", carboy.version)
    metadata = opened(carboy).read(f"carboy-{carboy.version}.dist-info/METADATA").decode()
    assert f"\nVersion: {carboy.version}\n" in metadata


def test_it_has_what_the_build_backend_packs(files, tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = tmp_path.glob("*.whl")
    theirs = zipfile.ZipFile(built)
    ours = opened(pack(files, "0.1.0"))

    def packed(archive):
        return {
            name: archive.read(name)
            for name in archive.namelist()
            if name.startswith("carboy/") and not name.endswith("/")
        }

    assert packed(ours).keys() == packed(theirs).keys()
    assert packed(ours) == packed(theirs)
    said = {name.partition(".dist-info/")[2] for name in ours.namelist() if "dist-info" in name}
    wanted = {name.partition(".dist-info/")[2] for name in theirs.namelist() if "dist-info" in name}
    assert said == wanted


@pytest.mark.parametrize(
    "name",
    [
        "carboy/generator/templates/project/.gitignore.jinja",
        "carboy/generator/templates/project/.env.example.jinja",
        "carboy/generator/templates/pipelines/github/.github/workflows/pipeline.yml.jinja",
        "carboy/generator/templates/starters/module/{{package}}/__init__.py.jinja",
        "carboy/generator/pins/hashes.txt",
        "carboy/py.typed",
    ],
)
def test_it_holds_what_a_generator_needs(name, files):
    assert name in files


def test_nothing_compiled_is_in_it(files):
    compiled = (".pyc", *EXTENSION_SUFFIXES)
    assert not [name for name in files if "__pycache__" in name or name.endswith(compiled)]


def test_packed_again_from_its_installation_it_is_the_same(files, tmp_path, run):
    first = pack(files, "0.1.0")
    (tmp_path / first.wheel).write_bytes(first.content)
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target]
    run(tmp_path, *pip, tmp_path / first.wheel)
    code = (
        "from pathlib import Path; from carboy.generator.distribution import running; "
        "c = running(Path()); print(c.version, *c.hashes, end='')"
    )
    said = run(tmp_path, sys.executable, "-c", code, PYTHONPATH=str(target))
    assert said == f"{first.version} {first.hashes[0]}"


def test_a_published_one_is_pinned_to_what_the_index_has(files, tmp_path, run):
    """An index has version 9.9.9; installed from there, a project is pinned to that."""
    index = tmp_path / "index"
    index.mkdir()
    info = "carboy-9.9.9.dist-info"
    wheel = index / "carboy-9.9.9-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in files.items():
            if name == "dist-info/METADATA":
                continue
            archive.writestr(name.replace("dist-info/", f"{info}/"), content)
        metadata = files["dist-info/METADATA"].replace(b"\nVersion: ", b"\nVersion: 9.9.9\nX-")
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target]
    run(tmp_path, *pip, "carboy==9.9.9", **offline)
    code = (
        "from pathlib import Path; from carboy.generator.distribution import running; "
        "c = running(Path()); print(c.version, c.wheel, *c.hashes)"
    )
    said = run(tmp_path, sys.executable, "-c", code, PYTHONPATH=str(target), **offline)
    expected = Carboy("9.9.9", wheel.read_bytes(), is_published=True)
    assert said.split() == ["9.9.9", expected.hashes[0]]
    # Another for this machine: a project may be installed from either.
    own = index / f"carboy-9.9.9-{next(sys_tags())}.whl"
    own.write_bytes(wheel.read_bytes() + b"more")
    said = run(tmp_path, sys.executable, "-c", code, PYTHONPATH=str(target), **offline)
    expected = replace(expected, compiled=own.read_bytes())
    assert said.split() == ["9.9.9", *expected.hashes]
    assert len(expected.hashes) == 2
    unreachable = {**offline, "PIP_FIND_LINKS": str(tmp_path / "nowhere")}
    code = f"import carboy.cli; carboy.cli.main(['new', 'demo', '--defaults'])"  # noqa: F541
    said = run(
        tmp_path, sys.executable, "-c", code, status=1, PYTHONPATH=str(target), **unreachable
    )
    assert "Carboy 9.9.9 cannot be downloaded" in said
    assert not (tmp_path / "demo").exists()


def test_without_an_installation_it_says_how_to_make_one(monkeypatch, tmp_path):
    def nothing(name):
        raise module.PackageNotFoundError(name)

    monkeypatch.setattr(module, "distribution", nothing)
    with pytest.raises(GeneratorError, match="pip install --editable"):
        running(tmp_path)


def test_what_is_no_release_is_told_by_its_origin(monkeypatch, tmp_path, files):
    folder = tmp_path / "carboy-0.1.0.dist-info"
    folder.mkdir()
    for name in ("METADATA", "entry_points.txt"):
        (folder / name).write_bytes(files[f"dist-info/{name}"])
    (folder / "licenses").mkdir()
    (folder / "licenses" / "LICENSE").write_bytes(files["dist-info/licenses/LICENSE"])
    (folder / "direct_url.json").write_text('{"url": "file:///x.whl", "archive_info": {}}')
    monkeypatch.setattr(module, "distribution", lambda _: PathDistribution(folder))
    carboy = running(tmp_path)
    assert not carboy.is_published
    assert carboy.wheel.startswith("carboy-0.1.0+c")
