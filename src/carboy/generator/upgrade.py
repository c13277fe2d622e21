"""Merge what a newer Carboy generates into a project that was edited since."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import Version

from carboy.generator import git
from carboy.generator.answers import Answers
from carboy.generator.bringing import bring_over
from carboy.generator.distribution import Carboy, running
from carboy.generator.earlier import templates_and_pins
from carboy.generator.errors import AnswersError, GeneratorError
from carboy.generator.layers import TEMPLATES, assemble, chosen
from carboy.generator.project import put_wheel
from carboy.generator.record import Record
from carboy.generator.rendering import copier, variables_of
from carboy.generator.requirements import merged, repinned, requirements
from carboy.generator.scratch import Scratch, scratch_folder

_ANSWERS = ".copier-answers.yml"
_MARKERS = (b"<<<<<<< before updating\n", b">>>>>>> after updating\n")


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade changes.

    :param before: version the project is pinned to.
    :param after: version it is pinned to then.
    :param diff: as ``git diff`` writes it.
    :param changed: names of files, relative to the project.
    :param conflicts: those of them in which both sides changed the same lines.
    """

    before: str
    after: str
    diff: str = ""
    changed: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()


def upgrade(
    folder: Path, *, deploy: tuple[str, ...] | None = None, dry_run: bool = False
) -> Upgraded:
    """Bring the project in *folder* to the Carboy that runs here.

    What the project changed since it was generated stays; where the newer templates changed the
    same lines, both are left in the file between marks. Files are replaced all or none, also when
    this process is killed.

    :param deploy: other targets than before; by default the same.
    :param dry_run: only say what would change.
    :raises AnswersError: if *folder* is no project in a clean git work tree.
    :raises GeneratorError: if something that is needed is missing.
    """
    folder = folder.resolve()
    record = Record.read(folder)
    top = _clean_work_tree(folder)
    copier()
    answers = record.answers
    if deploy is not None:
        answers = Answers.of(vars(answers) | {"deploy": deploy})
    with scratch_folder(folder, prefix=".carboy-upgrade-") as scratch:
        carboy = running(scratch.path)
        _refuse_older(record.version, carboy.version)
        if (answers, carboy.version) == (record.answers, record.version):
            return Upgraded(record.version, carboy.version)
        work = _Work(folder, top, scratch, record, Record(answers, carboy.version), carboy)
        result = work.merge()
        if not dry_run and result.changed:
            _refuse_what_is_in_the_way(folder, result.changed)
            bring_over(work.project, folder, result.changed, scratch)
    return result


@dataclass(frozen=True)
class _Work:
    """One upgrade, in a clone of the project."""

    folder: Path
    top: Path
    scratch: Scratch
    before: Record
    after: Record
    carboy: Carboy

    @property
    def clone(self) -> Path:
        return self.scratch.path / "clone"

    @property
    def project(self) -> Path:
        """The project's folder within the clone."""
        return self.clone / self.folder.relative_to(self.top.resolve())

    def merge(self) -> Upgraded:
        git.git(self.scratch.path, "clone", "--quiet", "--no-tags", str(self.top), str(self.clone))
        head = git.git(self.clone, "rev-parse", "HEAD").strip()
        templates, pins = templates_and_pins(self.project, self.before.version, self.scratch.path)
        self._merge_templates(templates)
        self._merge_requirements(pins)
        self._renew_wheel()
        self.after.write(self.project)
        (self.project / _ANSWERS).unlink()
        # Whatever a list of ignored files says: nothing is here but what was kept or rendered.
        git.git(self.clone, "add", "--all", "--force")
        compared = ("diff", "--cached", "--no-renames", "--relative", head)
        names = git.git(self.project, *compared, "--name-only", "-z").split("\0")
        changed = tuple(name for name in names if name)
        return Upgraded(
            self.before.version,
            self.after.version,
            git.git(self.project, *compared),
            changed,
            tuple(name for name in changed if self._is_marked(name)),
        )

    def _merge_templates(self, templates: Path) -> None:
        """Let Copier merge: from the earlier template to the newer one, two commits of one."""
        source = self.scratch.path / "source"
        before = self._variables(self.before)
        after = self._variables(self.after)
        assemble(chosen(before, templates), source, templates)
        git.begin(source, "Before")
        git.git(source, "tag", "1.0.0")
        shutil.rmtree(source / "template")
        assemble(chosen(after), source, TEMPLATES)
        git.commit(source, "After")
        git.git(source, "tag", "2.0.0")
        remembered = {**before, "_src_path": str(source), "_commit": "1.0.0"}
        (self.project / _ANSWERS).write_text(json.dumps(remembered), "utf-8")  # YAML, too
        git.commit(self.clone, "Remember what was generated")
        with _temporary_files_in(self.scratch.path):
            copier().run_update(
                self.project,
                after,
                answers_file=_ANSWERS,
                exclude=[f"/{name}" for name in self.after.answers.left],
                vcs_ref="2.0.0",
                defaults=True,
                overwrite=True,
                quiet=True,
            )

    def _merge_requirements(self, pins: Path) -> None:
        before = requirements(self.before.answers, self._carboy_before(), pins)
        after = requirements(self.after.answers, self.carboy)
        for name in before:
            path = self.project / name
            if path.is_file():
                own = path.read_text("utf-8")
                if self.after.answers.requirements:
                    path.write_text(merged(own, before[name], after[name]), "utf-8")
                else:
                    path.write_text(repinned(own, self.before.version, self.carboy), "utf-8")

    def _carboy_before(self) -> Carboy:
        version = self.before.version
        wheel = self.project / "wheels" / f"carboy-{version}-py3-none-any.whl"
        if not wheel.is_file():
            wheel = next((self.scratch.path / "download").glob("*.whl"))
        return Carboy(version, wheel.read_bytes(), is_published="+" not in version)

    def _renew_wheel(self) -> None:
        old = self.project / "wheels" / f"carboy-{self.before.version}-py3-none-any.whl"
        old.unlink(missing_ok=True)
        put_wheel(self.project, self.carboy)

    def _variables(self, record: Record) -> dict[str, Any]:
        is_wheel = "+" in record.version
        wheel = f"carboy-{record.version}-py3-none-any.whl" if is_wheel else ""
        return variables_of(record.answers, wheel=wheel, version=record.version)

    def _is_marked(self, name: str) -> bool:
        path = self.project / name
        if not path.is_file() or path.is_symlink():
            return False
        content = path.read_bytes()
        return any(marker in content for marker in _MARKERS)


def _clean_work_tree(folder: Path) -> Path:
    """Name the top of the work tree; refuse one in which something is not committed."""
    if not git.is_there():
        raise GeneratorError("git is needed to merge, and is not installed. Install it.")
    top = git.top_of(folder)
    if top is None:
        raise AnswersError(
            "This folder is in no git repository, so nothing could be taken back. Make it one: "
            "git init && git add --all && git commit -m 'Begin'"
        )
    if git.try_git(folder, "rev-parse", "--verify", "--quiet", "HEAD").returncode:
        raise AnswersError("Nothing is committed yet. Commit first: git add --all && git commit")
    changed = git.git(folder, "status", "--porcelain").splitlines()
    if changed:
        raise AnswersError(
            f"There are changes that are not committed, {len(changed)} of them: "
            f"{changed[0][3:]}… Commit or stash them first."
        )
    return top


def _refuse_what_is_in_the_way(folder: Path, changed: tuple[str, ...]) -> None:
    """Refuse to replace files that git does not know: they cannot be brought back."""
    known = set(git.git(folder, "ls-files", "-z").split("\0"))
    strange = [name for name in changed if name not in known and os.path.lexists(folder / name)]
    if strange:
        raise AnswersError(
            f"git ignores files that the upgrade would write: {', '.join(strange)}. "
            "Move them out of the way, then try again."
        )


def _refuse_older(before: str, after: str) -> None:
    if Version(Version(after).public) < Version(Version(before).public):
        raise AnswersError(
            f"The project was generated by Carboy {before}, and this is {after}. "
            "Upgrade Carboy first: pip install --upgrade 'carboy[new]'"
        )


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """Keep what Copier writes on the way where it is swept away with the rest."""
    before = tempfile.tempdir
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
