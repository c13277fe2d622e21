"""``carboy adopt``: what it prints. What it does: tests/generator/test_adopt.py."""

APP = "from flask import Flask\nfrom carboy import Carboy\napp = Flask(__name__)\nCarboy(app)\n"


def test_it_lists_what_it_writes(carboy, tmp_path):
    (tmp_path / "shop.py").write_text(APP)
    done = carboy("adopt", "shop:app", "--name", "shop")
    assert done.returncode == 0, done.stderr
    assert "  written  Dockerfile\n" in done.stdout
    assert (tmp_path / "Dockerfile").is_file()


def test_the_app_may_be_named_before_the_command(carboy, tmp_path):
    (tmp_path / "shop.py").write_text(APP)
    done = carboy("--app", "shop:app", "adopt", "--name", "shop", "--dry-run")
    assert "  would write  Dockerfile\n" in done.stdout
    assert not (tmp_path / "Dockerfile").exists()


def test_without_an_app_it_asks_for_one(carboy):
    done = carboy("adopt")
    assert done.returncode == 2
    assert done.stderr == "Error: Name your app: carboy adopt MODULE:APP\n"
