"""
Liquid networks: recurrent cells in continuous time.
"""

from __future__ import annotations

from typing import Any

from ... import sampling
from ..delays import fraction
from .base import StateForecaster

__all__ = ["CfC"]

# The part of a training window from which nothing is foretold: the hidden state begins at zero.
_WARM = 0.2


class CfC(StateForecaster):
    """
    Closed-form continuous-time network: a liquid time-constant cell without a solver.

    Reads the past sample by sample from a hidden state of zero and gives the change to the next sample; a forecast
    feeds it its own samples. Trained to foretell every sample of a window from those before (teacher forcing).

    Parameters
    ----------
    hidden : int
        Hidden units.
    backbone : int
        Units of the layer that the gates share.
    window : int
        Samples of a training window, and the most that are read before a forecast.
    noise : float
        Standard deviation of the noise put on what is read in training, in standard deviations of the series.
    training : as of `NeuralForecaster`

    References
    ----------
    Hasani, R., Lechner, M., Amini, A., et al. (2022), Nature Machine Intelligence 4, 992-1003.

    Examples
    --------
    >>> from bestiary import system
    >>> run = system("Lorenz").trajectory(500, per_period=30)
    >>> CfC(hidden=8, backbone=16, window=20, epochs=1).fit(run).predict(50).shape
    (50, 3)
    """

    source = "Hasani, Lechner, Amini, et al. (2022), Nature Machine Intelligence 4, 992-1003"

    def __init__(
        self,
        hidden: int = 48,
        backbone: int = 128,
        window: int = 60,
        noise: float = 0.002,
        *,
        epochs: int = 30,
        learning_rate: float = 3e-3,
        **training: Any,
    ) -> None:
        super().__init__(epochs=epochs, learning_rate=learning_rate, **training)
        self.hidden = hidden
        self.backbone = backbone
        self.window = window
        self.noise = noise

    def _span(self) -> tuple[int, int]:
        sampling.whole("hidden", self.hidden, least=1)
        sampling.whole("backbone", self.backbone, least=1)
        fraction("noise", self.noise)
        window = sampling.whole("window", self.window, least=2)
        return window + 1, window - int(_WARM * window)

    def _network(self, key: Any, dimension: int) -> Any:
        from .networks.liquid import Liquid

        warm = int(_WARM * self.window)
        return Liquid(dimension, self.hidden, self.backbone, noise=float(self.noise), warm=warm, key=key)

    def _memory(self) -> tuple[int, int | None]:
        return 1, self.arguments_["window"]
