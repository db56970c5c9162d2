"""
Sparse identification of nonlinear dynamics: equations found in the data, which become a `System`.

The weak form is used, in which no derivative of the data is taken: the equations are multiplied by bumps and
integrated.
"""

from __future__ import annotations

from itertools import combinations_with_replacement
from math import comb

import numpy as np

from .. import sampling
from ..definition import Array
from ..exceptions import RequestError, UnknownName
from ..system import System
from .base import Forecaster
from .delays import fraction

__all__ = ["SINDy"]

# Exponent of the bump (1 - s^2)^p: the trapezoidal rule is then exact up to terms of order p in the step.
_BUMP = 8
_MOST_TERMS = 2000


class SINDy(Forecaster):
    """
    Sparse regression for the equations of a flow or map, polynomials of the state.

    Terms whose typical size is below a part of that of the whole right-hand side are dropped, the rest fitted
    again, until none is dropped (sequentially thresholded least squares). The state must be fully observed: a single
    coordinate of an oscillation obeys no equation of its own.

    Parameters
    ----------
    degree : int
        Highest of the monomials.
    threshold : float
        Dropped are terms smaller, in root mean square, than this part of the left-hand side.
    kind : "flow" or "map"
    window : int
        Half width of the bumps in samples (flow); at most a quarter of the shortest training series.
    names : sequence of str
        Names of the variables; x1, x2, … by default.

    Attributes
    ----------
    system_ : System
        The equations found; print it, or measure it with all that the package has.
    coefficients_ : array (terms, d)
    terms_ : list of str

    References
    ----------
    Brunton, S. L., Proctor, J. L. & Kutz, J. N. (2016), PNAS 113, 3932-3937. Messenger, D. A. & Bortz, D. M. (2021),
    Multiscale Model. Simul. 19, 1474-1497 (weak form).

    Examples
    --------
    >>> from bestiary import system
    >>> run = system("Lorenz").trajectory(2000, dt=0.01)
    >>> model = SINDy(names=["x", "y", "z"]).fit(run)
    >>> round(float(model.coefficients_[model.terms_.index("x*y"), 2]), 3)
    1.0
    >>> bool(np.abs(model.predict(100)).max() < 60)
    True
    """

    family = "equations"
    source = "Brunton, Proctor & Kutz (2016), PNAS 113, 3932-3937"
    # The monomials of shifted coordinates are others.
    equivariant = frozenset({"scale", "permutation", "time"})
    univariate = False

    def __init__(
        self,
        degree: int = 2,
        threshold: float = 0.005,
        kind: str = "flow",
        window: int = 10,
        names: list[str] | None = None,
    ) -> None:
        self.degree = degree
        self.threshold = threshold
        self.kind = kind
        self.window = window
        self.names = names

    def _shortest(self, dimension: int) -> int:
        if self.kind not in ("flow", "map"):
            raise UnknownName("kind", str(self.kind), ["flow", "map"])
        degree = sampling.whole("degree", self.degree, least=1)
        if comb(dimension + degree, degree) > _MOST_TERMS:
            raise RequestError(
                f"there are {comb(dimension + degree, degree)} monomials of {dimension} variables up to degree "
                f"{degree}: more than {_MOST_TERMS}"
            )
        fraction("threshold", self.threshold, high=1.0)
        sampling.whole("window", self.window, least=1)
        if self.names is not None and len(self.names) != dimension:
            raise RequestError(f"there are {len(self.names)} names, but {dimension} columns")
        return 9

    def _fit(self, series: list[Array]) -> None:
        d = self.dimension_
        names = [f"x{i + 1}" for i in range(d)] if self.names is None else list(self.names)
        powers = [term for k in range(self.degree + 1) for term in combinations_with_replacement(range(d), k)]
        self.terms_ = ["*".join(names[i] for i in term) or "1" for term in powers]
        # Products of numbers of the size 1 are better conditioned; the units come back at the end.
        unit = np.sqrt(np.mean(np.concatenate(series) ** 2, axis=0))
        unit[unit == 0] = 1.0
        scaled = [x / unit for x in series]
        blocks = [self._block(x, _products(x, powers)) for x in scaled]
        features, targets = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        found = np.stack([_sparse(features, target, self.threshold) for target in targets.T], axis=1)
        size = np.array([np.prod(unit[list(term)]) for term in powers])
        self.coefficients_ = found * unit / size[:, None]
        self.system_ = self._system(names, series[-1][-1])

    def _block(self, x: Array, products: Array) -> tuple[Array, Array]:
        """Features and targets of the regression from one series."""
        if self.kind == "map":
            return products[:-1], x[1:]
        half = min(self.window, (len(x) - 1) // 4)
        s = np.arange(-half, half + 1) / half
        bump = (1 - s**2) ** _BUMP
        slope = -2 * _BUMP * s * (1 - s**2) ** (_BUMP - 1) / (half * self.dt_)
        # Integrals of bump x right-hand side, and of -slope x state, about every second sample of the half width.
        every = max(half // 4, 1)
        centres = np.arange(half, len(x) - half, every)
        rows = centres[:, None] + np.arange(-half, half + 1)
        return np.einsum("w,cwp->cp", bump, products[rows]), np.einsum("w,cwd->cd", -slope, x[rows])

    def _system(self, names: list[str], state: Array) -> System:
        lines = []
        for j, name in enumerate(names):
            parts = [
                f"({value!r})" + ("" if term == "1" else f"*{term}")
                for term, value in zip(self.terms_, self.coefficients_[:, j].tolist(), strict=True)
                if value != 0
            ]
            left = f"next({name})" if self.kind == "map" else f"{name}'"
            lines.append(f"{left} = {' + '.join(parts) or '0'}")
        period = None if self.kind == "map" else 100 * self.dt_
        return System.from_text("\n".join(lines), initial=state, name="SINDy", kind=self.kind, period=period)

    def _predict(self, past: Array, horizon: int) -> Array:
        step = 1.0 if self.kind == "map" else self.dt_
        run = self.system_.trajectory(horizon + 1, dt=step, initial=past[-1], rtol=1e-10, threads=1)
        return run.x[1:]


def _products(x: Array, powers: list[tuple[int, ...]]) -> Array:
    return np.stack([np.prod(x[:, list(term)], axis=1) for term in powers], axis=1)


def _sparse(features: Array, target: Array, threshold: float) -> Array:
    """Sequentially thresholded least squares; sizes are root mean squares over the rows."""
    size = np.sqrt(np.mean(features**2, axis=0))
    whole = np.sqrt(np.mean(target**2))
    coefficients = np.zeros(features.shape[1])
    kept = size > 0
    while kept.any():
        scaled = features[:, kept] / size[kept]
        coefficients[:] = 0
        coefficients[kept] = np.linalg.lstsq(scaled, target, rcond=1e-12)[0]
        small = kept & (np.abs(coefficients) < threshold * whole)
        if not small.any():
            break
        kept &= ~small
        coefficients[small] = 0
    return np.asarray(coefficients / np.where(size > 0, size, 1.0))
