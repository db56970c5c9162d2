"""
A forecaster of attention over patches and coordinates.
"""

from __future__ import annotations

from typing import Any

from ... import sampling
from ...exceptions import RequestError
from ..delays import fraction
from .base import BlockForecaster

__all__ = ["Transformer"]


class Transformer(BlockForecaster):
    """
    Transformer whose tokens are patches of each coordinate, with attention along time and across coordinates.

    Parameters
    ----------
    lookback, block : int
        Samples that are seen, and samples that are given at once.
    patch_len, stride : int
        Samples in a patch, and from one patch to the next.
    d_model, n_heads, e_layers, d_ff : int
        Size of a token, heads of attention, layers, units of the dense part of a layer.
    channel_attention : bool
        Whether coordinates inform each other; if not, each is forecast by itself.
    dropout : float
    training : as of `BlockForecaster` and `NeuralForecaster`

    References
    ----------
    Nie, Y., Nguyen, N. H., Sinthong, P. & Kalagnanam, J. (2023), ICLR (patches). Zhang, Y. & Yan, J. (2023), ICLR
    (attention across coordinates). Vaswani, A., et al. (2017), NIPS 30.
    """

    source = "Vaswani et al. (2017), NIPS 30; Nie, Nguyen, Sinthong & Kalagnanam (2023), ICLR; Zhang & Yan (2023), ICLR"

    def __init__(
        self,
        lookback: int = 16,
        block: int = 1,
        patch_len: int = 4,
        stride: int = 4,
        d_model: int = 32,
        n_heads: int = 4,
        e_layers: int = 2,
        d_ff: int = 64,
        channel_attention: bool = True,
        dropout: float = 0.0,
        **training: Any,
    ) -> None:
        super().__init__(lookback=lookback, block=block, **training)
        self.patch_len = patch_len
        self.stride = stride
        self.d_model = d_model
        self.n_heads = n_heads
        self.e_layers = e_layers
        self.d_ff = d_ff
        self.channel_attention = channel_attention
        self.dropout = dropout

    def _span(self) -> tuple[int, int]:
        for name in ("patch_len", "stride", "d_model", "n_heads", "e_layers", "d_ff"):
            sampling.whole(name, getattr(self, name), least=1)
        if self.d_model % self.n_heads:
            raise RequestError(f"d_model must be a multiple of n_heads, but they are {self.d_model} and {self.n_heads}")
        fraction("dropout", self.dropout, high=0.99)
        return super()._span()

    def _network(self, key: Any, dimension: int) -> Any:
        from .networks.attention import PatchTransformer

        return PatchTransformer(
            *self._frame(dimension),
            patch=self.patch_len,
            stride=self.stride,
            size=self.d_model,
            heads=self.n_heads,
            layers=self.e_layers,
            width=self.d_ff,
            channels=bool(self.channel_attention),
            rate=float(self.dropout),
            key=key,
        )
