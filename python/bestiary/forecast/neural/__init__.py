"""
Forecasters that are trained by gradients; they need the extra `neural` (JAX, Equinox, Optax), imported when one is
fitted.

    base       `NeuralForecaster`, its arguments and how it fits, and `BlockForecaster`, a block of samples at once
    training   the one training loop
    windows    windows of the series, those to learn from and those to validate
    saving     fitted models and unfinished trainings as files
    networks/  the networks; nothing else imports JAX at its head
    linear, dense, recurrent, convolution, attention, basis: the forecasters, which say what their network is
"""
