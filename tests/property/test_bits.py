"""
The same call gives the same bits: alone or in an ensemble, on any number of threads, on any vector unit, however long.

Equality is of bytes throughout; there is no tolerance anywhere in this file.
"""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bestiary as bst

# Polynomial, transcendental with angles, driven, kinked, a ring, steep exponentials; maps; a delay; noise.
RUNS = [
    *(("Lorenz", method) for method in ("taylor", "dop853", "tsit5", "rk4")),
    *(("DoublePendulum", method) for method in ("taylor", "dop853")),
    *(("Duffing", method) for method in ("taylor", "tsit5")),
    *(("Chua", method) for method in ("dop853", "tsit5", "rk4")),
    ("Lorenz96", "taylor"),
    ("JerkCircuit", "taylor"),
    *((name, "map") for name in ("Henon", "Ikeda", "Circle", "Tinkerbell")),
    *(("MackeyGlass", method) for method in ("taylor", "dop853", "tsit5")),
    ("TzipermanElNino", "taylor"),
    ("DelayedHopfield", "taylor"),
    ("NoisyLorenz", "milstein"),
    ("OrnsteinUhlenbeck", "milstein"),
    ("StochasticLotkaVolterra", "euler_maruyama"),
]
members = st.integers(1, 40)
lengths = st.integers(1, 60)
seeds = st.integers(0, 2**32)


def ensemble(name: str, method: str, m: int, n: int, seed: int, **options: object) -> bst.Ensemble:
    """Members from states near the entry's, as they may lie anywhere between settled and not."""
    system = bst.system(name)
    random = np.random.default_rng(seed)
    initial = system.initial * (1 + 0.001 * random.uniform(-1, 1, size=(m, system.dimension)))
    return system.ensemble(n=n, initial=initial, method=method, seed=seed, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "method"), RUNS)
@settings(max_examples=6, deadline=None)
@given(m=members, n=lengths, seed=seeds, data=st.data())
def test_a_member_equals_a_single_run(name: str, method: str, m: int, n: int, seed: int, data: st.DataObject) -> None:
    """So lanes equal scalar, whatever the others do."""
    runs = ensemble(name, method, m, n, seed)
    i = data.draw(st.integers(0, m - 1))
    random = np.random.default_rng(seed)
    system = bst.system(name)
    initial = system.initial * (1 + 0.001 * random.uniform(-1, 1, size=(m, system.dimension)))
    alone = system.ensemble(n=n, initial=initial[i : i + 1], method=method, seed=seed, first=i, threads=1)
    assert alone.x[0].tobytes() == runs.x[i].tobytes()
    assert (alone.steps[0], alone.rejected[0], alone.outcomes[0]) == (runs.steps[i], runs.rejected[i], runs.outcomes[i])
    if system.kind != "stochastic":
        single = system.trajectory(n, initial=initial[i], method=method)
        assert single.x.tobytes() == runs.x[i].tobytes()


@pytest.mark.parametrize(("name", "method"), RUNS)
def test_threads_do_not_matter(name: str, method: str) -> None:
    one, two, seven = (ensemble(name, method, 37, 25, 5, threads=threads) for threads in (1, 2, 7))
    assert one.x.tobytes() == two.x.tobytes() == seven.x.tobytes()
    assert one.steps.tolist() == two.steps.tolist() == seven.steps.tolist()


@pytest.mark.parametrize(("name", "method"), RUNS)
@settings(max_examples=6, deadline=None)
@given(n=lengths, more=st.integers(1, 200))
def test_a_longer_run_begins_with_a_shorter_one(name: str, method: str, n: int, more: int) -> None:
    system = bst.system(name)
    short, long = (system.trajectory(length, method=method) for length in (n, n + more))
    assert long.x[:n].tobytes() == short.x.tobytes()


@pytest.mark.parametrize(("name", "method"), RUNS)
def test_other_sample_times_do_not_change_a_sample(name: str, method: str) -> None:
    system = bst.system(name)
    step = 0.5 * system.period / 1000 if method in ("rk4", "milstein", "euler_maruyama") else None
    every = system.trajectory(61, dt=1.0 if system.kind == "map" else system.period / 16, method=method, step=step)
    some = system.trajectory(times=every.t[::7], method=method, step=step)
    assert some.x.tobytes() == every.x[::7].tobytes()


def test_a_call_twice_gives_the_same_bits() -> None:
    for name, method in RUNS:
        assert ensemble(name, method, 9, 20, 1).x.tobytes() == ensemble(name, method, 9, 20, 1).x.tobytes()


@pytest.mark.parametrize("name", ["NoisyLorenz", "OrnsteinUhlenbeck", "GeometricBrownianMotion"])
def test_noise_is_a_function_of_seed_and_path(name: str) -> None:
    system = bst.system(name)
    x0 = np.tile(system.initial, (6, 1))
    runs = system.ensemble(n=10, initial=x0, seed=3)
    later = system.ensemble(n=10, initial=x0[:2], seed=3, first=4)
    assert later.x.tobytes() == runs.x[4:].tobytes()
    assert len({run.x.tobytes() for run in runs}) == 6
    assert system.ensemble(n=10, initial=x0, seed=4).x[0].tobytes() != runs.x[0].tobytes()


DIGESTS = """
import hashlib, sys
import numpy as np
import bestiary as bst
print(bst._core.machine()["vector_unit"])
for line in {runs!r}:
    name, method = line
    system = bst.system(name)
    random = np.random.default_rng(0)
    x0 = system.initial*(1 + 0.001*random.uniform(-1, 1, size=(13, system.dimension)))
    runs = system.ensemble(n=40, initial=x0, method=method)
    single = system.trajectory(200, method=method)
    print(name, method, hashlib.sha256(runs.x.tobytes() + single.x.tobytes() + runs.steps.tobytes()).hexdigest())
x = np.random.default_rng(0).normal(size=(50, 4))
pendulum = bst.system("DoublePendulum")
print("rhs", hashlib.sha256(pendulum.rhs(x).tobytes() + pendulum.jacobian(x).tobytes()).hexdigest())
"""


def digests(unit: str) -> list[str]:
    answer = subprocess.run(
        [sys.executable, "-c", DIGESTS.format(runs=RUNS)],
        env={**os.environ, "BESTIARY_VECTOR_UNIT": unit},
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout.splitlines()


@pytest.mark.parametrize("unit", ["avx2", "avx512"])
def test_vector_units_do_not_matter(unit: str) -> None:
    wide = digests(unit)
    if wide[0] != unit:
        pytest.skip(f"this machine has no {unit}")
    plain = digests("baseline")
    assert plain[0] in ("baseline", "neon")
    assert plain[1:] == wide[1:]
    assert len(plain) == len(RUNS) + 2


def test_random_numbers_are_those_of_the_generator() -> None:
    """Philox 4x32-10 with zero key and counter gives 6627e8d5 e169c58d bc57ac4c 9b00dbd8 (Salmon et al. 2011)."""
    words = np.array([0x6627E8D5E169C58D, 0xBC57AC4C9B00DBD8], dtype=np.uint64)
    assert bst._core.uniforms(0, 0, 2).tolist() == ((words >> np.uint64(11)) * 2.0**-53).tolist()
    assert bst._core.normals(1, 2, 7).tobytes() == bst._core.normals(1, 2, 9)[:7].tobytes()
    assert not (bst._core.uniforms(1, 2, 9) == bst._core.uniforms(1, 3, 9)).any()
