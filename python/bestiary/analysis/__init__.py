"""
What results say: Polars frames in, Polars frames out. Importing it gives every frame the namespace `bestiary`.

    errors       one error for each system and forecaster
    boards       medians with intervals, ranks with the critical difference, wins, cost
    free_runs    how near free runs come to the attractor
    relations    error against time ahead and against invariants; the parroting index
    invariants   what is measured of the systems, to set errors against
    features     the map of the catalogue
    statistics   ranks, bootstrap, and the two distributions of the tests
    namespace    the above as `frame.bestiary.…`
"""

from .boards import Ranking, average_ranks, best_where, cost, leaderboard, pairwise_wins
from .errors import RESOLVED, by_system, resolved
from .features import FEATURES, catalogue_map, clusters, embedding, features, series_features
from .free_runs import attractors
from .invariants import INVARIANTS, invariants
from .namespace import Namespace
from .relations import correlations, horizon_curves, parroting_index

__all__ = [
    "FEATURES",
    "INVARIANTS",
    "RESOLVED",
    "Namespace",
    "Ranking",
    "attractors",
    "average_ranks",
    "best_where",
    "by_system",
    "catalogue_map",
    "clusters",
    "correlations",
    "cost",
    "embedding",
    "features",
    "horizon_curves",
    "invariants",
    "leaderboard",
    "pairwise_wins",
    "parroting_index",
    "resolved",
    "series_features",
]
