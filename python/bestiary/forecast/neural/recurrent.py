"""
Recurrent forecasters with a block of samples as output.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ... import sampling
from ..delays import fraction
from .base import BlockForecaster

__all__ = ["GRU", "LSTM"]


class _Recurrent(BlockForecaster):
    _cell: ClassVar[str]

    def __init__(
        self,
        lookback: int = 16,
        block: int = 1,
        hidden_size: int = 64,
        num_layers: int = 1,
        dropout: float = 0.0,
        batch_size: int = 128,
        learning_rate: float = 3e-3,
        **training: Any,
    ) -> None:
        super().__init__(lookback=lookback, block=block, batch_size=batch_size, learning_rate=learning_rate, **training)
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.dropout = dropout

    def _span(self) -> tuple[int, int]:
        sampling.whole("hidden_size", self.hidden_size, least=1)
        sampling.whole("num_layers", self.num_layers, least=1)
        fraction("dropout", self.dropout, high=0.99)
        return super()._span()

    def _network(self, key: Any, dimension: int) -> Any:
        from .networks.recurrent import Recurrent

        return Recurrent(
            *self._frame(dimension),
            cell=self._cell,
            hidden=self.hidden_size,
            layers=self.num_layers,
            rate=float(self.dropout),
            key=key,
        )


class LSTM(_Recurrent):
    """
    Long short-term memory: reads the last samples from a state of zero, and gives a block.

    Parameters
    ----------
    lookback, block : int
        Samples that are seen, and samples that are given at once.
    hidden_size : int
        Units of a layer.
    num_layers : int
    dropout : float
        Between the layers.
    batch_size, learning_rate, training : as of `BlockForecaster` and `NeuralForecaster`

    References
    ----------
    Hochreiter, S. & Schmidhuber, J. (1997), Neural Computation 9, 1735-1780; with the forget gate of Gers, F. A.,
    Schmidhuber, J. & Cummins, F. (2000), Neural Computation 12, 2451-2471.
    """

    source = "Hochreiter & Schmidhuber (1997), Neural Computation 9, 1735-1780"
    _cell = "lstm"


class GRU(_Recurrent):
    """
    Gated recurrent unit: reads the last samples from a state of zero, and gives a block.

    Parameters
    ----------
    lookback, block, hidden_size, num_layers, dropout, batch_size, learning_rate, training : as of `LSTM`

    References
    ----------
    Cho, K., van Merriënboer, B., Gulcehre, C., et al. (2014), EMNLP, 1724-1734.
    """

    source = "Cho, van Merriënboer, Gulcehre, et al. (2014), EMNLP, 1724-1734"
    _cell = "gru"
