"""How alike two attractors are in space."""

from __future__ import annotations

from numpy.typing import ArrayLike

from .. import _core
from ..exceptions import RequestError
from .arrays import Value, choose, over_variables, pair, positive, whole

CONVENTIONS = ("hess2023", "brenner2022", "dynamix2025")


def state_space_divergence(
    truth: ArrayLike,
    forecast: ArrayLike,
    *,
    method: str = "auto",
    bins: int = 30,
    smoothing: float = 1e-5,
    convention: str = "hess2023",
    variance: float = 1.0,
    samples: int = 1000,
    max_points: int = 10_000,
    symmetric: bool = False,
    seed: int = 0,
    threads: int | None = None,
) -> Value:
    """
    D_stsp: Kullback-Leibler divergence of the places that truth and forecast visit, D(truth || forecast).

    Its floor is not zero: two runs of one system differ, the less the longer they are. Quote it beside the value.

    Parameters
    ----------
    truth, forecast : arrays of shape (time,) or (…, time, variable)
        The lengths may differ. The order of time does not matter.
    method : "bins", "mixture" or "auto"
        Counts in bins, a Gaussian on every sample, or the former below six variables and the latter from there on (the
        rule of Hess et al. 2023).
    bins : in each direction
    smoothing : added to the count of every bin, those that nobody visited included
    convention : "hess2023", "brenner2022" or "dynamix2025"
        The box, always from the truth. "hess2023": its range, widened by 0.1 standard deviations (n - 1) on every
        side. "brenner2022": two standard deviations on both sides of zero, for data with mean zero. "dynamix2025": the
        bare range. In the authors' code of the last two the first bin of every axis does not count, and here neither.
        Points outside the box, or on its upper edge, are left out.
    variance : of the Gaussians, in every direction; 1, meant for data in units of their standard deviations
    samples, seed : points drawn from the mixture of the truth, and the seed of the drawing
    max_points : the Gaussians sit on the first so many samples of each series
    symmetric : whether to take the mean of both directions (the mixture form of Brenner et al. 2022)
    threads : at most so many; the result does not depend on it

    Returns
    -------
    float, or array of the shape of the leading axes
        In nats. With bins: 0 for equal series, never negative; NaN if no point of the forecast is inside the box.

    Notes
    -----
    The authors' mixture code leaves out drawn points whose density underflows; here the densities are logarithms, and
    all count.

    References
    ----------
    Brenner, M., et al. (2022), Tractable dendritic RNNs for reconstructing nonlinear dynamical systems, ICML. Hess,
    F., et al. (2023), Generalized teacher forcing for learning chaotic dynamics, ICML. Hemmer, C. J. & Durstewitz, D.
    (2025), True zero-shot inference of dynamical systems preserving long-term statistics (DynaMix). Hershey, J. R. &
    Olsen, P. A. (2007), ICASSP, IV-317.

    Examples
    --------
    >>> import bestiary as bst
    >>> lorenz, rossler = (bst.system(name).trajectory(20_000).x for name in ("Lorenz", "Rossler"))
    >>> same = state_space_divergence(lorenz[:10_000], lorenz[10_000:])
    >>> other = state_space_divergence(lorenz[:10_000], rossler)
    >>> bool(same < 2 and other > 10)  # a hundred periods each, so that the floor is high
    True
    """
    both = pair(truth, forecast, aligned=False)
    choose("method", method, ("auto", "bins", "mixture"))
    choose("convention", convention, CONVENTIONS)
    if method == "bins" or (method == "auto" and both.truth.shape[2] < 6):
        if symmetric:
            raise RequestError('only the mixture form is symmetric: add method="mixture", or leave out symmetric')
        return both.value(
            _core.binned_divergence(
                both.truth,
                both.forecast,
                bins=whole("bins", bins),
                smoothing=float(smoothing),
                convention=convention,
                threads=threads,
            )
        )
    first = whole("max_points", max_points)
    return both.value(
        _core.mixture_divergences(
            both.truth[:, :first],
            both.forecast[:, :first],
            variance=positive("variance", variance),
            samples=whole("samples", samples),
            symmetric=symmetric,
            seed=whole("seed", seed, 0),
            threads=threads,
        )
    )


def kl_divergence(truth: ArrayLike, forecast: ArrayLike, *, neighbours: int = 5, threads: int | None = None) -> Value:
    """
    Kullback-Leibler divergence D(truth || forecast) without bins, from the distances to nearest neighbours.

    Samples are taken as independent; dense sampling in time biases it, as neighbours in time are then neighbours in
    space. A sample whose neighbour is at distance zero is left out.

    Parameters
    ----------
    truth, forecast : arrays of shape (time,) or (…, time, variable)
        The lengths may differ. The order of time does not matter.
    neighbours : how many
    threads : at most so many; the result does not depend on it

    Returns
    -------
    float, or array of the shape of the leading axes
        In nats. An estimate: of equal distributions it scatters about zero, to both sides.

    References
    ----------
    Wang, Q., Kulkarni, S. R. & Verdú, S. (2009), IEEE Transactions on Information Theory 55, 2392-2405.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> value = kl_divergence(rng.normal(size=5000), rng.normal(1.0, 1.0, size=5000))  # exactly 1/2
    >>> bool(abs(value - 0.5) < 0.1)
    True
    """
    both = pair(truth, forecast, aligned=False)
    count = whole("neighbours", neighbours)
    return both.value(_core.nearest_divergence(both.truth, both.forecast, neighbours=count, threads=threads))


def wasserstein(
    truth: ArrayLike,
    forecast: ArrayLike,
    *,
    order: float = 1.0,
    variables: str = "mean",
    threads: int | None = None,
) -> Value:
    """
    Wasserstein distance of the distributions of each variable by itself.

    Parameters
    ----------
    truth, forecast : arrays of shape (time,) or (…, time, variable)
        The lengths may differ. The order of time does not matter.
    order : 1 (the default; SciPy's `wasserstein_distance`) to 100
    variables : "mean" or "each"
    threads : at most so many; the result does not depend on it

    Returns
    -------
    float or array
        In units of the data.

    References
    ----------
    Vallender, S. S. (1974), Theory of Probability and its Applications 18, 784-786.

    Examples
    --------
    >>> wasserstein([0.0, 1.0], [3.0, 2.0])
    2.0
    """
    both = pair(truth, forecast, aligned=False)
    return over_variables(
        both, _core.marginal_transport(both.truth, both.forecast, order=float(order), threads=threads), variables
    )


def sliced_wasserstein(
    truth: ArrayLike,
    forecast: ArrayLike,
    *,
    order: float = 2.0,
    directions: int = 100,
    seed: int = 0,
    threads: int | None = None,
) -> Value:
    """
    Sliced Wasserstein distance: (mean over directions of W^order)^(1/order), W being that of the points projected on a
    line.

    Parameters
    ----------
    truth, forecast : arrays of shape (time,) or (…, time, variable)
        The lengths may differ. The order of time does not matter.
    order : 1 to 100
    directions, seed : how many lines, drawn evenly from the sphere, and the seed of the drawing
    threads : at most so many; the result does not depend on it

    Returns
    -------
    float, or array of the shape of the leading axes
        In units of the data.

    References
    ----------
    Bonneel, N., et al. (2015), Journal of Mathematical Imaging and Vision 51, 22-45.

    Examples
    --------
    >>> round(sliced_wasserstein([0.0, 1.0], [3.0, 2.0]), 12)
    2.0
    """
    both = pair(truth, forecast, aligned=False)
    count, start = whole("directions", directions), whole("seed", seed, 0)
    return both.value(
        _core.sliced_transport(
            both.truth, both.forecast, order=float(order), directions=count, seed=start, threads=threads
        )
    )


def mmd(
    truth: ArrayLike,
    forecast: ArrayLike,
    *,
    bandwidth: float | None = None,
    squared: bool = False,
    max_points: int = 2000,
    threads: int | None = None,
) -> Value:
    """
    Maximum mean discrepancy with the Gaussian kernel exp(-|x - y|² / (2 bandwidth²)), over all pairs.

    Parameters
    ----------
    truth, forecast : arrays of shape (time,) or (…, time, variable)
        The lengths may differ. The order of time does not matter, but for the choice of points.
    bandwidth : by default the median distance of different samples of the truth
    squared : whether to return the square
    max_points : of longer series so many samples are taken, evenly spread
    threads : at most so many; the result does not depend on it

    Returns
    -------
    float, or array of the shape of the leading axes
        A pure number between 0 and sqrt(2). Two samples of one distribution are about 1/sqrt(points) apart.

    References
    ----------
    Gretton, A., et al. (2012), Journal of Machine Learning Research 13, 723-773: the biased form.

    Examples
    --------
    >>> mmd([0.0, 1.0], [0.0, 1.0])
    0.0
    """
    both = pair(truth, forecast, aligned=False)
    width = None if bandwidth is None else positive("bandwidth", bandwidth)
    points = whole("max_points", max_points)
    squares = _core.mean_discrepancy(both.truth, both.forecast, bandwidth=width, points=points, threads=threads)
    return both.value(squares if squared else squares**0.5)
