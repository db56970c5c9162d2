"""
Kernel ridge regression on delay vectors, which is also the mean of a Gaussian process, iterated.

The penalty is given, or chosen where the evidence is largest. The forecast is a distribution: Gaussian, or Student t
when the scale of the output is unknown and has an inverse-gamma prior.
"""

from __future__ import annotations

import numpy as np

from .. import sampling
from ..definition import Array
from ..exceptions import RequestError, UnknownName
from .delays import DelayForecaster, fraction, generator_of
from .kernels import Gaussian, Kernel, WideNetworkKernel

__all__ = ["KernelRidge", "WideNetwork"]

# Candidates of the penalty, relative to the mean of the kernel's diagonal, when the evidence chooses.
_RIDGES = np.logspace(-12, 1, 27)
# It looks at this many random moments: its cost grows as the cube, and the penalty hardly depends on which they are.
_EVIDENCE = 800


class _KernelForecaster(DelayForecaster):
    family = "kernel"
    exact = frozenset({"constant"})

    ridge: float | str
    prior: tuple[float, float] | None
    most: int
    seed: int

    def _kernel(self) -> Kernel:
        raise NotImplementedError

    def _shortest(self, dimension: int) -> int:
        if isinstance(self.ridge, str):
            if self.ridge != "evidence":
                raise UnknownName("ridge", self.ridge, ["evidence"])
        else:
            fraction("ridge", self.ridge, low=np.finfo(float).tiny)
        if self.prior is not None and (np.shape(self.prior) != (2,) or not min(self.prior) > 0):
            raise RequestError(f"prior must be two positive numbers (a, b) of an inverse-gamma law, not {self.prior!r}")
        sampling.whole("most", self.most, least=1)
        generator_of(self.seed)
        return super()._shortest(dimension)

    def _learn(self, keys: Array, changes: Array) -> None:
        if len(keys) > self.most:
            chosen = np.sort(generator_of(self.seed).choice(len(keys), self.most, replace=False))
            keys, changes = keys[chosen], changes[chosen]
        self.kernel_ = self._kernel()
        self.keys_ = keys
        # Changes of the size 1 suit the prior on the scale of the output.
        scale = np.sqrt(np.mean(changes**2, axis=0))
        self.unit_ = np.where(scale > 0, scale, 1.0)
        targets = changes / self.unit_
        gram = self.kernel_.matrix(keys, keys)
        mean = float(np.mean(np.diagonal(gram)))
        if isinstance(self.ridge, str):
            some = np.sort(generator_of(self.seed, 1).permutation(len(keys))[:_EVIDENCE])
            self.ridge_ = _best_ridge(gram[np.ix_(some, some)], targets[some], mean)
        else:
            self.ridge_ = float(self.ridge)
        self.noise_ = self.ridge_ * mean
        gram[np.diag_indices_from(gram)] += self.noise_
        self.dual_ = np.linalg.solve(gram, targets)
        # Of the posterior: y' C^-1 y for each coordinate.
        self.quadratic_ = np.sum(targets * self.dual_, axis=0)

    def _step(self, keys: Array) -> Array:
        return (self.kernel_.matrix(keys, self.keys_) @ self.dual_) * self.unit_

    def _sample(self, past: Array, horizon: int, n: int, generator: np.random.Generator) -> Array:
        gram = self.kernel_.matrix(self.keys_, self.keys_)
        gram[np.diag_indices_from(gram)] += self.noise_
        # Kept only while drawing: as large as the Gram matrix, and of no use to `predict`.
        inverse = np.linalg.inv(np.linalg.cholesky(gram))
        return _Drawer(self, inverse).draw(past, horizon, n, generator)

    def _distribution(self, keys: Array, inverse: Array) -> tuple[Array, Array, float]:
        """Location (m, d), scale (m, d) and degrees of freedom of the change that follows each key."""
        cross = self.kernel_.matrix(keys, self.keys_)
        location = cross @ self.dual_
        projected = cross @ inverse.T
        variance = self.kernel_.diagonal(keys) + self.noise_ - np.sum(projected * projected, axis=1)
        variance = np.maximum(variance, self.noise_)
        n = len(self.keys_)
        if self.prior is None:
            # The scale of the output is that of largest likelihood, known for certain.
            output, freedom = self.quadratic_ / n, np.inf
        else:
            a, b = self.prior
            output, freedom = (2 * b + self.quadratic_) / (2 * a + n), 2 * a + n
        scale = np.sqrt(variance[:, None] * output)
        return location * self.unit_, scale * self.unit_, freedom


class _Drawer:
    """Iterates draws from the posterior with the factor of the Gram matrix at hand."""

    def __init__(self, model: _KernelForecaster, inverse: Array) -> None:
        self.model, self.inverse = model, inverse

    def draw(self, past: Array, horizon: int, n: int, generator: np.random.Generator) -> Array:
        model = self.model
        rows, d = model._reach(model.dimension_) + 1, model.dimension_
        path = np.empty((n, rows + horizon, d))
        path[:, :rows] = model.scaler_.to(past[-rows:])
        for i in range(rows, rows + horizon):
            keys = path[:, i - rows : i : model.spacing].reshape(n, -1)
            location, scale, freedom = model._distribution(keys, self.inverse)
            noise = generator.standard_normal((n, d))
            if np.isfinite(freedom):
                noise /= np.sqrt(generator.chisquare(freedom, (n, d)) / freedom)
            path[:, i] = path[:, i - 1] + location + scale * noise
        return model.scaler_.back(path[:, rows:])


def _best_ridge(gram: Array, targets: Array, mean: float) -> float:
    """The penalty of largest evidence, the scale of each output being that of largest likelihood."""
    values, vectors = np.linalg.eigh(gram)
    values = np.maximum(values, 0.0)[:, None] / mean
    powers = (vectors.T @ targets) ** 2
    n = len(values)
    spectrum = values + _RIDGES
    # -2 log evidence for each coordinate, up to a constant: n log(y' C^-1 y / n) + log det C.
    fit = np.maximum(powers.T @ (1 / spectrum), np.finfo(float).tiny)
    cost = np.sum(n * np.log(fit) + np.sum(np.log(spectrum), axis=0), axis=0)
    return float(_RIDGES[np.argmin(cost)])


class KernelRidge(_KernelForecaster):
    """
    Gaussian kernel ridge regression: the mean of a Gaussian process of the next change given the last states.

    Parameters
    ----------
    width : float
        Of the kernel, for standardised coordinates, for each of the numbers in the delay vector: the distance counts
        divided by sqrt(lags).
    lags, spacing : int
        By default 6, 3 and 1 states for series of one, two and more coordinates.
    ridge : float or "evidence"
        Variance of the noise relative to that of the process; "evidence" chooses it, as noisy data need.
    prior : (a, b)
        Inverse-gamma prior on the output scale: `sample` draws from a Student t in place of a Gaussian.
    most : int
        Longer series are thinned to this many random moments.
    seed : int

    References
    ----------
    Rasmussen, C. E. & Williams, C. K. I. (2006), Gaussian Processes for Machine Learning, MIT Press.

    Examples
    --------
    >>> wave = np.sin(2 * np.pi * np.arange(260) / 25)
    >>> bool(np.abs(KernelRidge().fit(wave[:200]).predict(60) - wave[200:]).max() < 1e-3)
    True
    """

    source = "Rasmussen & Williams (2006), Gaussian Processes for Machine Learning, MIT Press"
    uncertainty = "Gaussian or Student t"

    def __init__(
        self,
        width: float = 1.5,
        lags: int | None = None,
        ridge: float | str = 1e-9,
        prior: tuple[float, float] | None = None,
        most: int = 5000,
        spacing: int = 1,
        seed: int = 0,
    ) -> None:
        self.width = width
        self.lags = lags
        self.ridge = ridge
        self.prior = prior
        self.most = most
        self.spacing = spacing
        self.seed = seed

    def _kernel(self) -> Kernel:
        return Gaussian(sampling.positive("width", self.width) * np.sqrt(self.lags_))


class WideNetwork(_KernelForecaster):
    """
    The network of infinite width, exactly, as kernel regression on delay vectors: no training loop.

    A strong baseline that needs little tuning. With erf units the best on smooth noise-free flows; a Gaussian kernel
    (`KernelRidge`) is nearly as good, ReLU units are much worse. With noisy data take `ridge="evidence"`.

    Parameters
    ----------
    kernel : "ntk" or "nngp"
        Trained by gradient descent, or random but for its last layer.
    activation : "erf" or "relu"
    depth : int
        Hidden layers.
    C_w, C_b : float
        Variances of weights (times the width of the layer) and biases.
    lags, spacing, ridge, prior, most, seed
        As in `KernelRidge`.

    References
    ----------
    Jacot, A., Gabriel, F. & Hongler, C. (2018), NeurIPS 31. Lee, J., et al. (2018), ICLR.

    Examples
    --------
    >>> wave = np.sin(2 * np.pi * np.arange(260) / 25)
    >>> model = WideNetwork(ridge="evidence", prior=(2, 1)).fit(wave[:200])
    >>> bool(np.abs(model.predict(60) - wave[200:]).max() < 1e-2)
    True
    >>> model.sample(60, 10).shape
    (10, 60)
    """

    source = "Jacot, Gabriel & Hongler (2018), NeurIPS 31; Lee et al. (2018), ICLR"
    uncertainty = "Gaussian or Student t"

    def __init__(
        self,
        kernel: str = "ntk",
        activation: str = "erf",
        depth: int = 1,
        C_w: float = 1.0,
        C_b: float = 0.3,
        lags: int | None = None,
        ridge: float | str = 1e-9,
        prior: tuple[float, float] | None = None,
        most: int = 5000,
        spacing: int = 1,
        seed: int = 0,
    ) -> None:
        self.kernel = kernel
        self.activation = activation
        self.depth = depth
        self.C_w = C_w
        self.C_b = C_b
        self.lags = lags
        self.ridge = ridge
        self.prior = prior
        self.most = most
        self.spacing = spacing
        self.seed = seed

    def _kernel(self) -> Kernel:
        for name, value, known in (
            ("kernel", self.kernel, ("ntk", "nngp")),
            ("activation", self.activation, ("erf", "relu")),
        ):
            if value not in known:
                raise UnknownName(name, str(value), known)
        depth = sampling.whole("depth", self.depth, least=1)
        C_w, C_b = sampling.positive("C_w", self.C_w), fraction("C_b", self.C_b)
        return WideNetworkKernel(self.kernel, self.activation, depth, C_w, C_b)
