"""
How close a forecast is to the truth, and how alike two attractors are.

Arrays have the shape (…, time, variable): leading axes are members, each scored by itself, and stretch as in NumPy, so
one truth may stand against many forecasts. A single axis is one series of one variable, (time,); many such series are
(member, time, 1). Without leading axes the result is a float, with them an array of their shape.

==========================  =========================================================================================
point errors                mse rmse mae nrmse mape smape wape mase marre ope rmsle r2 coefficient_of_variation pearson
                            spearman kendall mutual_information
warping                     dtw
intervals and samples       msis crps
horizons                    error_curve valid_prediction_time horizoned lyapunov_times
attractors in space         state_space_divergence (D_stsp) kl_divergence wasserstein sliced_wasserstein mmd
attractors in time          hellinger_distance (D_H) power_spectrum_distance power_spectrum autocorrelation_distance
invariants                  correlation_dimension_error lyapunov_spectrum_error
many at once                all score
==========================  =========================================================================================

One answer for each kind of bad value, the same for every metric:

==================================  =================================================================================
a NaN or an infinity anywhere       NaN; of several variables only that one, where each is scored by itself. An
                                    `error_curve` is NaN at that time, and a forecast not valid from that time on
an empty array                      `RequestError`
too short for the definition        NaN
a wrong shape, a wrong option       `RequestError`
a denominator of zero               nothing of nothing is 0 (a perfect forecast has no error), something of nothing
                                    is infinite; so r2 is 1 or minus infinity
a constant where a spread is        NaN: in correlations, mutual information, spectra, autocorrelations and
needed                              dimensions; a constant truth in state_space_divergence with bins, in
                                    kl_divergence, and in mmd without a bandwidth
==================================  =================================================================================

>>> import numpy as np
>>> truth = np.sin(np.linspace(0, 20, 500))
>>> forecast = truth + np.linspace(0, 1, 500)
>>> round(smape(truth, forecast), 3), round(valid_prediction_time(truth, forecast, dt=0.04), 3)
(93.354, 5.6)
>>> len(all(truth, forecast))
28
"""

from .horizon import error_curve, horizoned, lyapunov_times, valid_prediction_time
from .interval import crps, msis
from .point import (
    coefficient_of_variation,
    kendall,
    mae,
    mape,
    marre,
    mase,
    mse,
    mutual_information,
    nrmse,
    ope,
    pearson,
    r2,
    rmse,
    rmsle,
    smape,
    spearman,
    wape,
)
from .spectrum import (
    autocorrelation_distance,
    correlation_dimension_error,
    hellinger_distance,
    lyapunov_spectrum_error,
    power_spectrum,
    power_spectrum_distance,
)
from .state_space import kl_divergence, mmd, sliced_wasserstein, state_space_divergence, wasserstein
from .table import GROUPS, all, score
from .warping import dtw

__all__ = [
    "GROUPS",
    "all",
    "autocorrelation_distance",
    "coefficient_of_variation",
    "correlation_dimension_error",
    "crps",
    "dtw",
    "error_curve",
    "hellinger_distance",
    "horizoned",
    "kendall",
    "kl_divergence",
    "lyapunov_spectrum_error",
    "lyapunov_times",
    "mae",
    "mape",
    "marre",
    "mase",
    "mmd",
    "mse",
    "msis",
    "mutual_information",
    "nrmse",
    "ope",
    "pearson",
    "power_spectrum",
    "power_spectrum_distance",
    "r2",
    "rmse",
    "rmsle",
    "score",
    "sliced_wasserstein",
    "smape",
    "spearman",
    "state_space_divergence",
    "valid_prediction_time",
    "wape",
    "wasserstein",
]
