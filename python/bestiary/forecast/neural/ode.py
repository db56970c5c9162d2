"""
Neural ordinary differential equations, alone or in addition to known equations.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import sampling
from ...exceptions import RequestError
from .base import StateForecaster

if TYPE_CHECKING:
    from ...system import System
    from .training import Plan

__all__ = ["NeuralODE"]

# Windows grow: a quarter of `window`, then all of it, then four times as much, from these parts of the training on.
_GROWTH = ((0.0, 0.25), (0.2, 1.0), (0.6, 4.0))
# A state of a composed system has dots in its name.
_EQUATION = re.compile(r"^([\w.]+)' = (.*)$")


class NeuralODE(StateForecaster):
    """
    A differential equation whose right-hand side is a neural network, or known equations plus one.

    Trained through Runge-Kutta steps from every sample over the `window` samples after it; the windows grow in the
    course of the training, from a quarter to four times that length.

    Parameters
    ----------
    width, depth : int
        Units of a hidden layer, and hidden layers; the activation is tanh.
    window : int
        Samples that a window goes on after its first one.
    known : System
        A flow that is right in part: its state variables are the columns, in their order and units, and `dt` counts in
        its time. The network learns what it lacks.
    substeps : int
        Runge-Kutta steps in a sample.
    training : as of `NeuralForecaster`

    References
    ----------
    Chen, R. T. Q., Rubanova, Y., Bettencourt, J. & Duvenaud, D. (2018), NeurIPS 31 (neural ODE); Rackauckas, C., et al.
    (2020), arXiv:2001.04385 (known equations with a network).

    Examples
    --------
    >>> from bestiary import system
    >>> run = system("Lorenz").trajectory(300, dt=0.05)
    >>> model = NeuralODE(width=8, depth=1, epochs=1).fit(run)
    >>> model.predict(20).shape, model.to_system().kind
    ((20, 3), 'flow')
    """

    source = "Chen, Rubanova, Bettencourt & Duvenaud (2018), NeurIPS 31"
    univariate = False

    def __init__(
        self,
        width: int = 64,
        depth: int = 2,
        window: int = 8,
        known: System | None = None,
        substeps: int = 3,
        *,
        epochs: int = 200,
        batch_size: int = 64,
        learning_rate: float = 3e-3,
        **training: Any,
    ) -> None:
        super().__init__(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, **training)
        self.width = width
        self.depth = depth
        self.window = window
        self.known = known
        self.substeps = substeps

    def _lengths(self) -> list[tuple[int, int]]:
        """From which epoch on windows have which length, their first sample included."""
        window, epochs = sampling.whole("window", self.window, least=1), self.epochs
        return [(int(part * epochs), max(1, int(factor * window)) + 1) for part, factor in _GROWTH]

    def _span(self) -> tuple[int, int]:
        sampling.whole("width", self.width, least=1)
        sampling.whole("depth", self.depth, least=1)
        sampling.whole("substeps", self.substeps, least=1)
        longest = self._lengths()[-1][1]
        return longest, longest - 1

    def _shortest(self, dimension: int) -> int:
        if self.known is not None:
            _check_known(self.known, dimension)
        return super()._shortest(dimension)

    def _plan(self) -> Plan:
        return replace(super()._plan(), curriculum=tuple(self._lengths()))

    def _network(self, key: Any, dimension: int) -> Any:
        from .networks.ode import Field, Known

        known = None
        if self.known is not None:
            source = self.known.to_numpy().source  # type: ignore[attr-defined]
            values = self.known.core.parameter_values
            known = Known(source, values, self.scaler_.mean, self.scaler_.scale, self.dt_)
        return Field(dimension, self.width, self.depth, substeps=self.substeps, known=known, key=key)

    def _memory(self) -> tuple[int, int | None]:
        return 1, 1

    def to_system(self) -> System:
        """
        The learned equations as a system of kind "flow" in the units of the data, time in that of `dt_`.

        Raises
        ------
        ValueError
            If nothing was learned yet.
        """
        from ...system import System

        if "network_" not in vars(self):
            raise RequestError("this NeuralODE has learned nothing yet: call fit first")
        net, known = self.network_, self.arguments_["known"]
        names = [f"x[{i + 1}]" for i in range(self.dimension_)] if known is None else list(known.names)
        parameters: dict[str, Any] = {
            "net_mean": self.scaler_.mean,
            "net_scale": self.scaler_.scale,
            "net_rate": self.scaler_.scale * np.asarray(net.gain.value, dtype=np.float64) / self.dt_,
        }
        before, lines = "net_z", []
        if known is None:
            lines.append("net_z[i] = (x[i] - net_mean[i])/net_scale[i]")
        else:
            # A vector of the scalar states, by a sum that has one term for each.
            parameters["net_unit"] = np.eye(self.dimension_)
            terms = [f"net_unit[i, {j + 1}]*{name}" for j, name in enumerate(names)]
            lines.append(f"net_z[i] = ({' + '.join(terms)} - net_mean[i])/net_scale[i]")
        for number, layer in enumerate(net.layers):
            parameters[f"net_w{number}"], parameters[f"net_b{number}"] = layer.weight, layer.bias
            heard = f"net_b{number}[k] + sum(j, net_w{number}[j, k]*{before}[j])"
            is_last = number == len(net.layers) - 1
            lines.append(f"net_y{number}[k] = {heard}" if is_last else f"net_y{number}[k] = tanh({heard})")
            before = f"net_y{number}"
        initial: Any = {"x": self.context_[-1].tolist()}
        if known is None:
            lines.append(f"x[i]' = net_rate[i]*{before}[i]")
        else:
            place = {name: j + 1 for j, name in enumerate(names)}
            for line in known.to_text().splitlines():
                found = _EQUATION.match(line)
                if found:
                    j = place[found.group(1)]
                    line = f"{found.group(1)}' = ({found.group(2)}) + net_rate[{j}]*{before}[{j}]"
                lines.append(line)
            parameters = {**known.parameters, **parameters}
            initial = self.context_[-1].tolist()
        return System.from_text(
            "\n".join(lines),
            parameters={name: np.asarray(value, dtype=np.float64).tolist() for name, value in parameters.items()},
            initial=initial,
            name="NeuralODE" if known is None else f"{known.name}_corrected",
            period=None if known is None else known.period,
        )


def _check_known(known: Any, dimension: int) -> None:
    from ...system import System

    if not isinstance(known, System) or known.kind != "flow":
        raise RequestError(f"known must be a System of kind flow, not {known!r}")
    if known.dimension != dimension:
        names = ", ".join(known.names)
        raise RequestError(
            f"known has {known.dimension} state variables ({names}), but the series has {dimension} columns"
        )
    if not known.is_autonomous:
        raise RequestError(f"{known.name} is driven: the time at which a series begins is not known to a forecaster")
    if any(size is not None for size in known.shape.values()):
        raise RequestError(f"{known.name} has vectors as states: write the known equations with scalar states")
