"""The file that training writes and the service reads: a model, and what there is to know of it.

Its format is that of skops: reading it makes only objects of scikit-learn, NumPy and SciPy, and
those named in TRUSTED. A pickle (joblib's files too) would run whatever code is in it.
"""

import os
import tempfile
import zipfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from carboy.errors import CarboyError

TRUSTED: list[str] = []
"""Further types that a model may hold, such as ``xgboost.sklearn.XGBClassifier``."""

_DAMAGED = (
    AttributeError,
    EOFError,
    KeyError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class Artifact:
    """A model and its description.

    :param model: has ``predict_proba`` and ``classes_``.
    :param version: tells it from models of other data, parameters or libraries.
    :param features: names of what it looks at, in the order in which it does.
    :param library: version of scikit-learn that trained it.
    :param accuracy: share of right answers on data it did not see (0 to 1).
    """

    model: Any
    version: str
    features: list[str]
    library: str
    accuracy: float


def write(file: Path, artifact: Artifact) -> None:
    """Write the file whole or not at all: a service may be reading the one before."""
    from skops import io  # importing it takes a second, which commands need not wait

    content = io.dumps({**asdict(artifact), "model": artifact.model})
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as made:
            made.write(content)
        Path(name).chmod(0o644)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink()
        raise


def read(file: Path) -> Artifact:
    """Read the file.

    :raises CarboyError: if it is missing, damaged, or of another version of scikit-learn.
    """
    import sklearn
    from skops import io

    try:
        artifact = Artifact(**io.loads(file.read_bytes(), trusted=TRUSTED))
    except FileNotFoundError:
        raise CarboyError(f"There is no model at {file}. Train it with: make train") from None
    except OSError as error:
        raise CarboyError(f"{file} cannot be read: {error.strerror}.") from error
    except _DAMAGED as error:
        raise CarboyError(
            f"{file} holds no model that can be used ({error}). Train it again with: make train"
        ) from error
    if artifact.library != sklearn.__version__:
        raise CarboyError(
            f"{file} was trained with scikit-learn {artifact.library}, and {sklearn.__version__} "
            "is installed. Train it again with: make train"
        )
    return artifact
