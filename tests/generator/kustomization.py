"""A small builder of kustomizations: what `kubectl kustomize` does, for the features used here.

It refuses whatever it does not know. Source: kustomize 5, api/hasher/hasher.go for the suffix.
"""

from __future__ import annotations

import hashlib
import json

import yaml


def build(folder):
    """Build a kustomization as ``kubectl kustomize`` does, for the features that are used here."""
    objects, maps = accumulated(folder)
    for generated in maps.values():
        plain = generated["metadata"]["name"]
        generated["metadata"]["name"] = f"{plain}-{fingerprint(generated)}"
        objects = [renamed(each, plain, generated["metadata"]["name"]) for each in objects]
    return [*objects, *maps.values()]


def accumulated(folder):
    file = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert file.pop("apiVersion") == "kustomize.config.k8s.io/v1beta1"
    assert file.pop("kind") == "Kustomization"
    objects, maps = [], {}
    for name in file.pop("resources"):
        if (folder / name).is_dir():
            more, generated = accumulated(folder / name)
            objects += more
            maps |= generated
        else:
            objects += list(yaml.safe_load_all((folder / name).read_text()))
    for generator in file.pop("configMapGenerator", []):
        merge(generator, maps)
    for patch in file.pop("patches", []):
        target = patch["target"]
        (found,) = [
            each for each in objects
            if each["kind"] == target["kind"] and each["metadata"]["name"] == target["name"]
        ]  # fmt: skip
        for step in yaml.safe_load(patch["patch"]):
            replace(found, **step)
    for image in file.pop("images", []):
        for container in containers(objects):
            rename_image(container, **image)
    namespace = file.pop("namespace", None)
    if namespace:
        for each in [*objects, *maps.values()]:
            each["metadata"]["namespace"] = namespace
    assert not file, f"unknown to this builder: {list(file)}"
    return objects, maps


def merge(generator, maps):
    behavior = generator.pop("behavior", "create")
    assert generator.keys() == {"name", "literals"}
    data = dict(line.split("=", 1) for line in generator["literals"])
    if behavior == "merge":
        maps[generator["name"]]["data"] |= data
    else:
        metadata = {"name": generator["name"]}
        maps[generator["name"]] = {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data,
        }  # fmt: skip


def replace(found, *, op, path, value):
    assert op == "replace"
    *way, last = [int(part) if part.isdigit() else part for part in path.split("/")[1:]]
    for part in way:
        found = found[part]
    assert last in found if isinstance(found, dict) else last < len(found)
    found[last] = value


def rename_image(container, *, name, newName, newTag=None, digest=None):  # noqa: N803 - kustomize's
    if container["image"] == name:
        container["image"] = f"{newName}@{digest}" if digest else f"{newName}:{newTag}"


def fingerprint(generated):
    """Hash as kustomize does: ten hexadecimal digits, without those that could spell a word."""
    # Kustomize means to put the name in, and looks for it in the wrong place.
    told = {"data": generated["data"], "kind": "ConfigMap", "name": ""}
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return digest.translate(str.maketrans("013ae", "ghkmt"))


def renamed(each, plain, full):
    for container in containers([each]):
        for source in container.get("envFrom", []):
            if source.get("configMapRef", {}).get("name") == plain:
                source["configMapRef"]["name"] = full
    return each


def containers(objects):
    return [c for each in objects for c in pod_of(each).get("containers", [])]


def pod_of(each):
    return each.get("spec", {}).get("template", {}).get("spec", {})
