"""Facts about the trained forecasters: the loop, files, and what each network can learn."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bestiary import forecast as bf
from bestiary.benchmark.entrants import entrants
from bestiary.exceptions import MissingExtra, RequestError
from bestiary.testing import check_forecaster

pytest.importorskip("jax")


def turns(count: int = 20, n: int = 40, d: int = 2) -> list[Any]:
    """Trajectories of x'' = 2 cos(w) x' - x: circles of random phase and radius, the same recursion in all columns."""
    generator = np.random.default_rng(0)
    phase, radius = generator.uniform(0, 2 * np.pi, (2, count, 1, d)) + np.array([0.0, 1.0])[:, None, None, None]
    x = radius * np.sin(0.9 * np.arange(n)[:, None] + phase)
    return [*x, *-x]


SMALL = bf.NLinear(lookback=4, block=2, epochs=6)


# The loop


def test_several_trajectories_are_never_joined() -> None:
    from bestiary.forecast.neural.windows import cut

    windows = cut(
        [np.zeros((10, 1)), np.ones((20, 1)), np.full((5, 1), 2.0)], 5, foretold=2, validation=0.2, dtype="f4"
    )
    seen = windows.take(windows.starts)[..., 0], windows.take(windows.held)[..., 0]
    assert all((part == part[:, :1]).all() for part in seen)
    # Of 10: 8 to learn from, validation foretells the samples 8 and 9; of 20: 16, and 16 to 19; of 5: all.
    assert windows.starts.tolist() == [0, 1, 2, 3, *range(10, 22), 30]
    assert windows.held.tolist() == [5, *range(23, 26)]


def test_a_training_that_was_interrupted_gives_the_bits_of_an_unbroken_one(tmp_path: Path) -> None:
    series = turns()
    whole = SMALL.clone().fit(series)

    def interrupt(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    broken = SMALL.clone().set_params(checkpoint=tmp_path, progress=interrupt)
    with pytest.raises(KeyboardInterrupt):
        broken.fit(series)
    assert len(list(tmp_path.iterdir())) == 1
    counted: list[int] = []
    resumed = SMALL.clone().set_params(checkpoint=tmp_path, progress=lambda done, total: counted.append(done))
    resumed.fit(series)
    assert counted == [4, 5, 6]
    np.testing.assert_array_equal(resumed.predict(9), whole.predict(9))
    np.testing.assert_array_equal(resumed.history_["loss"], whole.history_["loss"])
    # A finished one is read, another one has a file of its own.
    counted.clear()
    np.testing.assert_array_equal(resumed.fit(series).predict(9), whole.predict(9))
    assert counted == []
    resumed.set_params(seed=1).fit(series)
    assert counted == [1, 2, 3, 4, 5, 6]
    assert len(list(tmp_path.iterdir())) == 2


def test_the_best_weights_are_kept_and_training_ends_early() -> None:
    generator = np.random.default_rng(0)
    noise = generator.standard_normal(60)
    model = bf.NLinear(lookback=10, block=1, epochs=400, learning_rate=0.03, patience=7, validation=0.3).fit(noise)
    validation = model.history_["validation"]
    assert model.outcome_ == "early"
    assert len(validation) == np.argmin(validation) + 8 < 400
    shorter = bf.NLinear(lookback=10, block=1, epochs=400, learning_rate=0.03, patience=1000, validation=0.3)
    assert shorter.fit(noise).outcome_ == "complete"
    np.testing.assert_array_equal(shorter.predict(5), model.predict(5))


def test_a_training_that_diverges_says_so() -> None:
    with pytest.raises(RequestError, match="smaller learning_rate"):
        bf.NLinear(lookback=4, block=1, learning_rate=1e38, clip=None, epochs=3).fit(turns())


def test_the_precision_is_of_the_forecaster_not_of_the_process() -> None:
    import jax

    before = jax.numpy.zeros(1).dtype
    learned = SMALL.clone().set_params(epochs=60, learning_rate=0.03)
    models = {name: learned.clone().set_params(precision=name).fit(turns()) for name in ("float32", "float64")}
    for name, model in models.items():
        assert {leaf.dtype.name for leaf in jax.tree.leaves(model.network_)} == {name}
    np.testing.assert_allclose(*(model.predict(3) for model in models.values()), atol=1e-3)
    assert jax.numpy.zeros(1).dtype == before
    expected = models["float32"].predict(3)
    with jax.enable_x64(True):
        np.testing.assert_array_equal(learned.clone().fit(turns()).predict(3), expected)


def test_the_schedules() -> None:
    from bestiary.forecast.neural.training import Plan

    steps = np.arange(101)
    cosine = Plan(learning_rate=2.0, final_rate=0.1, warmup=0.2).rates(steps, 100)
    np.testing.assert_allclose(cosine[[0, 19, 20, 60, 100]], [0.1, 2.0, 2.0, 1.1, 0.2])
    falling = Plan(learning_rate=1e-3, schedule="exponential", final_rate=1e-3).rates(steps, 100)
    np.testing.assert_allclose(falling[1:] / falling[:-1], 1e-3**0.01)
    np.testing.assert_array_equal(Plan(schedule="constant").rates(steps, 100), 1e-3)
    staged = Plan(curriculum=((0, 2), (5, 8), (9, 100)))
    assert [staged.length(epoch, 32) for epoch in (0, 4, 5, 8, 9, 50)] == [2, 2, 8, 8, 32, 32]
    assert Plan().length(3, 32) == 32


# Files


def test_a_fitted_model_is_one_file(tmp_path: Path) -> None:
    model = SMALL.clone().fit(turns(), dt=0.5)
    model.save(tmp_path / "model")
    with np.load(tmp_path / "model", allow_pickle=False) as file:
        assert "NLinear" in str(file["header"])
    twin = bf.load(tmp_path / "model")
    assert repr(twin) == repr(model)
    assert twin.dt_ == 0.5
    np.testing.assert_array_equal(twin.predict(11), model.predict(11))
    np.testing.assert_array_equal(twin.predict(3, context=turns()[3]), model.predict(3, context=turns()[3]))
    np.testing.assert_array_equal(twin.history_["loss"], model.history_["loss"])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(twin)).predict(11), model.predict(11))
    assert bf.load(tmp_path / "model").fit(turns()[0][:, 0]).predict(2).shape == (2,)


def test_wrong_files_are_refused(tmp_path: Path) -> None:
    from bestiary.forecast.neural import saving

    path = tmp_path / "model"
    SMALL.clone().set_params(checkpoint=tmp_path / "kept").fit(turns()).save(path)
    content = path.read_bytes()
    (tmp_path / "cut").write_bytes(content[: len(content) // 2])
    (tmp_path / "text").write_text("hello")
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    header, arrays = saving.read(path, "forecaster")
    saving.write(tmp_path / "newer", "forecaster", header | {"format": 99}, arrays)
    saving.write(tmp_path / "unknown", "forecaster", header | {"forecaster": "NLinaer"}, arrays)
    saving.write(tmp_path / "unfit", "forecaster", header, arrays[:-1])
    (training,) = (tmp_path / "kept").iterdir()
    for name, message in {
        "none": "there is no file",
        "cut": "is no forecaster of bestiary, or is damaged",
        "text": "is no forecaster of bestiary, or is damaged",
        "other.npz": "is no forecaster of bestiary, or is damaged",
        "newer": "format 99, this version of bestiary reads up to 1",
        "unknown": 'unknown forecaster "NLinaer" in .*, did you mean "NLinear"',
        "unfit": "do not fit",
        f"kept/{training.name}": "holds a training, where a forecaster is due",
    }.items():
        with pytest.raises(RequestError, match=message):
            bf.load(tmp_path / name)


# Calls


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optax", None)
    with pytest.raises(MissingExtra, match=r'optax, which is not installed: pip install "bestiary\[neural\]"'):
        SMALL.clone().fit(turns())


def test_listing_imports_no_jax() -> None:
    script = (
        "import sys, bestiary as bst\n"
        "bst.forecast.forecasters(), bst.forecast.NLinear(), bst.forecast.load\n"
        "assert not {'jax', 'equinox', 'optax'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number"),
        ({"batch_size": 0}, "batch_size must be a whole number"),
        ({"learning_rate": -1}, "learning_rate must be"),
        ({"clip": 0}, "clip must be"),
        ({"patience": 0}, "patience must be"),
        ({"validation": 1.0}, "validation must be a number between 0 and 0.9"),
        ({"precision": "float16"}, 'unknown precision "float16"'),
        ({"strategy": "directly"}, 'unknown strategy "directly", did you mean "direct"'),
        ({"lookback": 0}, "lookback must be a whole number"),
        ({"block": 0}, "block must be a whole number"),
        ({"noise": -1.0}, "noise must be a number"),
        ({"lookback": 39}, "NLinear needs at least 41 samples, but training series 0 has 40"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        SMALL.clone().set_params(**arguments).fit(turns())


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (bf.MLP(widths=64), "widths must be a sequence"),  # type: ignore[arg-type]
        (bf.MLP(widths=(0,)), "widths must be a whole number"),
        (bf.MLP(activation="tahn"), 'unknown activation "tahn", did you mean "tanh"'),
        (bf.TiDE(decoder_output_dim=0), "decoder_output_dim must be"),
        (bf.TiDE(dropout=1.0), "dropout must be a number between 0 and 0.99"),
        (bf.DLinear(kernel_size=0), "kernel_size must be a whole number"),
        (bf.LSTM(hidden_size=0), "hidden_size must be a whole number"),
        (bf.GRU(num_layers=1.5), "num_layers must be a whole number"),  # type: ignore[arg-type]
        (bf.TCN(kernel_size=1), "kernel_size must be a whole number of at least 2"),
        (bf.Transformer(d_model=30, n_heads=4), "d_model must be a multiple of n_heads, but they are 30 and 4"),
        (bf.NBEATS(stacks="generic"), "stacks must be a sequence of generic, trend, seasonality"),
        (bf.NBEATS(stacks=("trends",)), 'unknown stack "trends", did you mean "trend"'),
        (bf.NHiTS(pooling=(2, 1)), "pooling and downsampling must have a number for each stack"),
        (bf.NHiTS(pooling=()), "pooling must be a sequence of whole numbers"),
    ],
    ids=repr,
)
def test_wrong_arguments_of_a_network(model: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        model.fit(turns())


def test_arguments_are_seen() -> None:
    assert list(SMALL.get_params())[:4] == ["lookback", "block", "individual", "strategy"]
    assert repr(SMALL) == "NLinear(lookback=4, block=2, epochs=6)"
    with pytest.raises(TypeError, match="epoch"):
        bf.NLinear(epoch=3)
    with pytest.raises(RequestError, match="call fit first"):
        SMALL.clone().save("model")


def test_blocks_follow_one_another() -> None:
    """A forecast is the same in one call or in several, and starts of blocks differ between the strategies."""
    series = turns(n=60)
    for strategy, used in (("direct", 3), ("recursive", 1)):
        model = bf.NLinear(lookback=5, block=3, strategy=strategy, epochs=2).fit(series)
        context, forecast = series[0][:20], model.predict(12, context=series[0][:20])
        for i in range(0, 12, used):
            again = model.predict(used, context=np.concatenate([context, forecast[:i]]))
            np.testing.assert_allclose(again, forecast[i : i + used], atol=1e-5)
    long = model.predict(300)
    np.testing.assert_array_equal(long[:100], model.predict(100))


# The zoo

# Networks and trainings of a few seconds; compiling takes most of them.
TINY: dict[str, dict[str, Any]] = {
    "NLinear": {"lookback": 8, "learning_rate": 0.03},
    "DLinear": {"lookback": 8, "learning_rate": 0.03},
    "MLP": {"widths": (32,), "learning_rate": 0.01},
    "TiDE": {"hidden_size": 32, "learning_rate": 0.01},
    "LSTM": {"hidden_size": 16, "lookback": 8, "batch_size": 32, "learning_rate": 0.02},
    "GRU": {"hidden_size": 16, "lookback": 8, "batch_size": 32, "learning_rate": 0.02},
    "TCN": {"num_filters": 16, "lookback": 8, "learning_rate": 0.01},
    "Transformer": {"d_model": 16, "n_heads": 2, "e_layers": 1, "d_ff": 32, "lookback": 8, "learning_rate": 0.01},
    "NBEATS": {"stacks": ("generic", "trend", "seasonality"), "layers": 2, "width": 32, "learning_rate": 0.005},
    "NHiTS": {"layers": 1, "width": 32, "learning_rate": 0.01},
}


# Twenty windows.
HEART: dict[str, Any] = {"lookback": 8, "block": 4, "batch_size": 20, "validation": 0.0}
NOISE = np.random.default_rng(0).standard_normal((20 + 8 + 4 - 1, 2))


def tiny(name: str, **arguments: Any) -> Any:
    return bf.forecaster(name, **{"epochs": 20, **TINY[name], **arguments})


@pytest.mark.parametrize(
    "name", [name if name in ("NLinear", "MLP") else pytest.param(name, marks=pytest.mark.slow) for name in TINY]
)
def test_keeps_the_contract(name: str) -> None:
    check_forecaster(tiny(name))


def test_all_are_listed() -> None:
    frame = bf.forecasters().filter(extra="neural")
    assert set(TINY) <= set(frame["name"])
    assert set(frame["family"]) == {"neural"}
    assert {one.name for one in entrants("neural")} == set(frame.filter(pl.col("needs").list.len() == 0)["name"])
    assert not {one.name for one in entrants("all")} & set(frame["name"])


def test_they_can_be_tuned() -> None:
    series = np.sin(0.9 * np.arange(120))
    found = bf.tune(tiny("NLinear", epochs=100), {"lookback": [1, 6]}, series, horizon=5, threads=2)
    assert found.parameters == {"lookback": 6}
    assert found.score < 0.05


@pytest.mark.parametrize("name", TINY)
def test_the_same_seed_gives_the_same_bits(name: str, tmp_path: Path) -> None:
    """And so does the file; another seed, other ones."""
    models = [tiny(name, epochs=2, seed=seed, **HEART).fit(NOISE) for seed in (3, 3, 4)]
    forecasts = [model.predict(9) for model in models]
    np.testing.assert_array_equal(forecasts[0], forecasts[1])
    assert not np.array_equal(forecasts[0], forecasts[2])
    models[0].save(tmp_path / "model")
    np.testing.assert_array_equal(bf.load(tmp_path / "model").predict(9), forecasts[0])


# What is learned


@pytest.mark.parametrize(
    "model",
    [bf.NLinear(), bf.NLinear(individual=True), bf.NLinear(increments=False), bf.DLinear(kernel_size=3)],
    ids=repr,
)
def test_a_linear_recursion_is_learned(model: Any) -> None:
    model.set_params(lookback=4, block=2, epochs=60, learning_rate=0.03, precision="float64")
    train, test = turns(), turns(21)[20]
    model.fit(train)
    np.testing.assert_allclose(model.predict(8, context=test[:20]), test[20:28], atol=1e-4 * np.abs(test).max())


@pytest.mark.parametrize("name", [name for name in TINY if "Linear" not in name])
def test_twenty_windows_are_learned_by_heart(name: str) -> None:
    """The loss, in units of the variance of the changes, of a network that has more weights than there are numbers."""
    model = tiny(name, epochs=600, **HEART).fit(NOISE)
    assert model.history_["loss"][-1] < 1e-3
