"""The trained model: read once by each process, tried before the first request, then shared.

It tells the species of an iris from four measures of its flower (Fisher, 1936). To put another
model in its place, change FEATURES here, `steps/train.py`, and what `api/predict.py` answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import cast

from carboy.errors import CarboyError
from flask import Flask, current_app

from . import artifact

FEATURES = ("sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm")
_NAME = "classifier"
_TYPICAL = dict.fromkeys(FEATURES, 1.0)


@dataclass(frozen=True)
class Prediction:
    """What the model holds most likely.

    :param label: the species.
    :param probability: of this label, 0 to 1.
    """

    label: str
    probability: float


class Classifier:
    """The model of one app; its threads share it.

    :param file: as `steps/train.py` writes it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._loading = Lock()
        self._artifact: artifact.Artifact | None = None

    def load(self) -> None:
        """Read the model and try it, unless that has been done.

        :raises CarboyError: if there is none that can be used.
        """
        self._loaded()

    @property
    def version(self) -> str:
        """Tells this model from others."""
        return self._loaded().version

    def predict(self, rows: Sequence[Mapping[str, float]]) -> list[Prediction]:
        """Predict for all rows in one step: a row more costs far less than a call more.

        :param rows: at least one; each has every name of :data:`FEATURES`.
        """
        return _predict(self._loaded(), rows)

    def _loaded(self) -> artifact.Artifact:
        with self._loading:
            if self._artifact is None:
                found = artifact.read(self._file)
                if found.features != list(FEATURES):
                    raise CarboyError(
                        f"{self._file} was trained for {', '.join(found.features)}. "
                        "Train it again with: make train"
                    )
                _predict(found, [_TYPICAL])  # whatever is made at first use, is made now
                self._artifact = found
            return self._artifact


def init_app(app: Flask) -> None:
    """Give the app its model.

    A start is refused without one, and no worker takes a request before it has tried its own.
    Under other servers than ``carboy run``, `/health/ready` waits for it.
    """
    project = Path(app.root_path).parent
    classifier = app.extensions[_NAME] = Classifier(project / app.config["MODEL"])
    app.extensions.setdefault("carboy.start", []).append(classifier.load)
    app.extensions.setdefault("carboy.worker", []).append(classifier.load)
    app.extensions.setdefault("carboy.checks", {})["model"] = classifier.load


def classifier_of_app() -> Classifier:
    """Give the model of the app at hand."""
    return cast("Classifier", current_app.extensions[_NAME])


def _predict(found: artifact.Artifact, rows: Sequence[Mapping[str, float]]) -> list[Prediction]:
    table = [[row[name] for name in found.features] for row in rows]
    probabilities = found.model.predict_proba(table)
    return [
        Prediction(str(found.model.classes_[best]), float(of_row[best]))
        for of_row, best in zip(probabilities, probabilities.argmax(axis=1), strict=True)
    ]
