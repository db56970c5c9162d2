"""
Reconstruction of an attractor by a small piecewise-linear map that can be taken apart.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import sampling
from ...definition import Array
from ...exceptions import RequestError, UnknownName
from ..delays import fraction
from .base import StateForecaster

if TYPE_CHECKING:
    from ...system import System
    from .training import Plan

__all__ = ["ShallowPLRNN"]

_ADAPTIVE = ("arithmetic_mean", "product_bound")
# The rate falls to this part of its first value.
_LAST_RATE = 1e-3


class ShallowPLRNN(StateForecaster):
    """
    A shallow piecewise-linear recurrent network, trained by generalised teacher forcing.

    A map of the state onto itself, z' = A z + W1 (relu(W2 z + h2) - relu(W2 z)) + h1, whose long free run is to have
    the attractor and the exponents of the data: reconstruction first, forecast second. In training the state is pulled
    towards the data by a part `alpha` after each step, just enough that gradients through chaotic orbits stay bounded.

    Parameters
    ----------
    hidden : int
        Units of the hidden layer.
    alpha : "arithmetic_mean", "product_bound" or float
        The forcing: from the norm of the mean Jacobian along a window, from the geometric mean of the norms of the
        Jacobians, or constant (0.1 to 0.2 suit Lorenz-63 at dt = 0.01).
    window : int
        Samples of a training window.
    noise : float
        Standard deviation of the noise put on the data that force, in standard deviations of the series.
    penalty : float
        On squared weights, and on the distance of A from 1.
    batches : int
        Updates in an epoch.
    training : as of `NeuralForecaster`; the rate falls exponentially to a thousandth

    Notes
    -----
    The columns must be the full state. By default all samples are learned from and the last weights kept: the error of
    a free run over a few samples says little about the attractor.

    References
    ----------
    Hess, F., Monfared, Z., Brenner, M. & Durstewitz, D. (2023), ICML, PMLR 202, 13017-13049 (model, forcing).

    Examples
    --------
    >>> from bestiary import lyapunov_spectrum, system
    >>> run = system("Lorenz").trajectory(5000, dt=0.02)
    >>> model = ShallowPLRNN(hidden=20, epochs=2, batches=10, window=50).fit(run)
    >>> model.simulate(1000).shape, model.to_system().kind
    ((1000, 3), 'map')
    """

    source = "Hess, Monfared, Brenner & Durstewitz (2023), ICML, PMLR 202, 13017-13049"
    univariate = False

    def __init__(
        self,
        hidden: int = 50,
        alpha: str | float = "arithmetic_mean",
        window: int = 200,
        noise: float = 0.0,
        penalty: float = 1e-5,
        batches: int = 50,
        *,
        epochs: int = 2000,
        batch_size: int = 16,
        clip: float | None = None,
        validation: float = 0.0,
        **training: Any,
    ) -> None:
        super().__init__(epochs=epochs, batch_size=batch_size, clip=clip, validation=validation, **training)
        self.hidden = hidden
        self.alpha = alpha
        self.window = window
        self.noise = noise
        self.penalty = penalty
        self.batches = batches

    def _span(self) -> tuple[int, int]:
        sampling.whole("hidden", self.hidden, least=1)
        fraction("noise", self.noise)
        fraction("penalty", self.penalty)
        if isinstance(self.alpha, str):
            if self.alpha not in _ADAPTIVE:
                raise UnknownName("alpha", self.alpha, _ADAPTIVE)
        else:
            fraction("alpha", self.alpha, high=1.0)
        length = sampling.whole("window", self.window, least=2)
        return length, length - 1

    def _plan(self) -> Plan:
        batches = sampling.whole("batches", self.batches, least=1)
        return replace(
            super()._plan(), batches=batches, schedule="exponential", final_rate=_LAST_RATE, optimizer="radam"
        )

    def _network(self, key: Any, dimension: int) -> Any:
        from .networks.plrnn import PiecewiseLinear

        alpha = self.alpha if isinstance(self.alpha, str) else float(self.alpha)
        return PiecewiseLinear(
            dimension, self.hidden, alpha=alpha, penalty=float(self.penalty), noise=float(self.noise), key=key
        )

    def _memory(self) -> tuple[int, int | None]:
        return 1, 1

    def simulate(self, n: int, *, initial: Any = None) -> Array:
        """
        A free run of the learned map.

        Parameters
        ----------
        n : int
            Samples after the initial one.
        initial : array of shape (d,)
            The end of the training series by default.

        Returns
        -------
        array of shape (n, d), NaN from where it escapes
        """
        context = None if initial is None else np.asarray(initial, dtype=np.float64)[None]
        return np.asarray(self.predict(n, context=context)).reshape(n, -1)

    def to_system(self) -> System:
        """
        The learned map as a system of kind "map" in the units of the data, so that exponents, dimensions and pictures
        come as those of any other. Divide its exponents by `dt_` to have them per unit of time.
        """
        from ...system import System

        if "network_" not in vars(self):
            raise RequestError("this ShallowPLRNN has learned nothing yet: call fit first")
        net = self.network_
        moves = np.asarray(net.moves.value)
        parameters = {
            "mean": self.scaler_.mean,
            "scale": self.scaler_.scale,
            "A": np.where(moves, net.diagonal, 1.0),
            "W1": np.where(moves[:, None], net.outward, 0.0),
            "W2": net.inward,
            "h1": np.where(moves, net.offset, 0.0),
            "h2": net.threshold,
        }
        return System.from_text(
            """
            z[i] = (x[i] - mean[i])/scale[i]
            heard[k] = sum(j, W2[k, j]*z[j])
            bent[k] = max(0, heard[k] + h2[k]) - max(0, heard[k])
            next(x[i]) = mean[i] + scale[i]*(A[i]*z[i] + sum(k, W1[i, k]*bent[k]) + h1[i])
            """,
            parameters={name: np.asarray(value, dtype=np.float64).tolist() for name, value in parameters.items()},
            initial={"x": self.context_[-1].tolist()},
            name="ShallowPLRNN",
        )
