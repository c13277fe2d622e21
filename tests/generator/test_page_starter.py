"""What a project with a website has beyond the package it is laid over."""

from __future__ import annotations

import pytest

from carboy.generator.rendering import render

EVERYWHERE = ["compose", "heroku", "cloudrun", "kubernetes", "github", "gitlab"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    answers = {"name": "demo-shop", "starter": "page", "database": "postgresql"}
    render(folder, {**answers, "deploy": EVERYWHERE})
    return folder


def test_built_assets_are_neither_kept_in_git_nor_copied_into_the_image(project):
    assert "/demo_shop/static/\n" in (project / ".gitignore").read_text()
    assert "\ndemo_shop/static\n" in (project / ".dockerignore").read_text()


def test_the_image_is_built_with_its_assets(project):
    assert "flask --app wsgi assets build" in (project / "Dockerfile").read_text()


def test_nginx_serves_the_assets(project):
    assert "/app/demo_shop/static/." in (project / "compose.yaml").read_text()
    assert "location /static/" in (project / "deploy/nginx/service.conf").read_text()


def test_the_name_of_the_website_is_that_of_the_project(project):
    assert 'NAME = "Demo shop"' in (project / "demo_shop" / "website.py").read_text()
    assert "title: About Demo shop\n" in (project / "demo_shop/content/about.md").read_text()
