"""
Chaotic systems as equations: integrated in parallel, measured with error bars, forecast.

>>> import bestiary as bst
>>> bst.system("Lorenz").trajectory(1000).x.shape
(1000, 3)

Importing the package reads no file and draws in nothing beyond NumPy; the rest comes when it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._core import LanguageError, __version__
from .exceptions import (
    BestiaryError,
    CatalogueError,
    DatasetError,
    MissingExtra,
    RequestError,
    UnknownName,
    UnknownParameter,
    UnknownSystem,
)
from .registry import CATALOGUE_VERSION, add_folder, load, system, systems
from .system import System
from .trajectories import Ensemble, Trajectory

catalogue_version = CATALOGUE_VERSION

if TYPE_CHECKING:
    from . import measures, metrics
    from .benchmark import benchmark
    from .composition import compose, network, skew_product
    from .dataset.generate import generate
    from .events import Events
    from .measures import Estimate, conditional_exponents, kaplan_yorke, lyapunov_spectrum, pesin_entropy
    from .reporting.report import report
    from .sections import Section, poincare, stroboscopic

__all__ = [
    "BestiaryError",
    "CatalogueError",
    "DatasetError",
    "Ensemble",
    "Estimate",
    "Events",
    "LanguageError",
    "MissingExtra",
    "RequestError",
    "Section",
    "System",
    "Trajectory",
    "UnknownName",
    "UnknownParameter",
    "UnknownSystem",
    "__version__",
    "add_folder",
    "benchmark",
    "catalogue_version",
    "compose",
    "conditional_exponents",
    "generate",
    "kaplan_yorke",
    "koopman",
    "load",
    "lyapunov_spectrum",
    "measures",
    "metrics",
    "network",
    "pesin_entropy",
    "poincare",
    "report",
    "skew_product",
    "stroboscopic",
    "system",
    "systems",
]

# Names that live in modules whose import is not free. `bestiary.system` is the function, which is why the class's
# module is not reachable as an attribute.
_LATER = {
    "Estimate": "measures",
    "Events": "events",
    "Section": "sections",
    "compose": "composition",
    "conditional_exponents": "measures",
    "generate": "dataset",
    "koopman": "forecast",
    "kaplan_yorke": "measures",
    "lyapunov_spectrum": "measures",
    "network": "composition",
    "pesin_entropy": "measures",
    "poincare": "sections",
    "report": "reporting",
    "skew_product": "composition",
    "stroboscopic": "sections",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        value = getattr(import_module(f".{_LATER[name]}", __name__), name)
        globals()[name] = value
        return value
    if name in ("analysis", "benchmark", "dataset", "forecast", "measures", "metrics", "plot"):
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
