"""What is imported is declared, what is declared is used and justified."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
# What is generated imports what the project declares.
TEMPLATES = ROOT / "src" / "carboy" / "generator" / "templates"
# Only its files are used: they are found without importing it.
FOUND_BY_NAME = {"flask-swagger-ui"}


def names(requirements):
    return {re.match(r"[\w-]+", line)[0].lower() for line in requirements if isinstance(line, str)}


RUNTIME = names(PROJECT["project"]["dependencies"])
EXTRAS = {
    name for group in PROJECT["project"]["optional-dependencies"].values() for name in names(group)
}
SHOP = names(PROJECT["dependency-groups"]["shop"]) - {"carboy"}


def imported(folder):
    """Names of the distributions that the modules below *folder* import."""
    roots = set()
    for path in set(folder.rglob("*.py")) - set(TEMPLATES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                roots |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                roots.add(node.module.partition(".")[0])
    providers = packages_distributions()
    outside = roots - sys.stdlib_module_names - {"_typeshed"}
    return {
        re.sub(r"[._]", "-", name).lower() for root in outside for name in providers.get(root, [])
    }


def test_the_package_imports_only_what_it_declares():
    assert imported(ROOT / "src") - {"carboy"} <= RUNTIME | EXTRAS


def test_the_shop_imports_only_what_running_it_installs():
    used = imported(ROOT / "examples" / "shop" / "shop")
    assert used - {"carboy"} <= RUNTIME | EXTRAS | SHOP


def test_every_dependency_is_used():
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    found = {name for name in FOUND_BY_NAME if f'"{name.replace("-", "_")}"' in source}
    assert (RUNTIME | EXTRAS) - imported(ROOT / "src") - found == set()


@pytest.mark.parametrize("name", sorted(RUNTIME | EXTRAS))
def test_a_dependency_says_why_it_is_there(name):
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    assert re.search(rf"^\| {name}\b", page, re.MULTILINE)


def test_the_lock_file_names_the_public_index_only():
    registries = {
        package["source"]["registry"]
        for package in LOCK["package"]
        if "registry" in package["source"]
    }
    assert registries == {"https://pypi.org/simple"}
