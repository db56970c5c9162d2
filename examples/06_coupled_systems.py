"""
Systems wired into larger ones: a copy that follows its drive, a ring that falls into step, a skew product.

Run it with `python examples/06_coupled_systems.py`; with matplotlib it draws coupled_systems.png.
"""

import numpy as np

import bestiary as bst

lorenz, rossler = bst.system("Lorenz"), bst.system("Rossler")

# Pecora and Carroll's experiment: x and z of a second Lorenz system, fed with y of the first, forget where they began.
pair = bst.compose({"drive": lorenz, "copy": lorenz.open("y")}, {"copy.y": "drive.y"})
print(pair.to_text())
run = pair.trajectory(dt=0.01, n=1500, initial=[1, 2, 20, -7, 40])
distance = np.hypot(run["drive.x"] - run["copy.x"], run["drive.z"] - run["copy.z"])
print(f"distance of the copy: {distance[0]:.1f} at the start, {distance[-1]:.1e} after {run.t[-1]:.0f} time units")

# Eight Rössler oscillators, no two alike, on a ring: the stronger the coupling, the closer they keep.
ring = np.roll(np.eye(8), 1, axis=0) + np.roll(np.eye(8), -1, axis=0)
strengths = np.linspace(0.0, 0.6, 25)
oscillators = bst.network(rossler, ring, on="y", parameters={"a": np.linspace(0.15, 0.22, 8)})
many = oscillators.ensemble(
    initial=oscillators.initial, parameters={"strength": strengths}, n=4000, per_period=20, transient=500, rtol=1e-9
)
x = many.x[:, :, 0::3]
apart = x.std(axis=2).mean(axis=1) / x.std(axis=(1, 2))
print(f"spread of the ring: {apart[0]:.2f} uncoupled, {apart[-1]:.2f} at strength {strengths[-1]:.1f}")

# A skew product: a Rössler system pushed along the velocity of Lorenz's. One of a family without end.
product = bst.skew_product(lorenz, rossler, strength=0.5, seed=3)
driven = product.trajectory(dt=0.1, n=12_000)
print(driven)

try:
    import matplotlib.pyplot as plt
except ImportError:
    raise SystemExit(0) from None

figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
axes[0].semilogy(run.t, distance)
axes[0].set(xlabel="time", ylabel="distance of the copy from its drive", title="a driven copy of Lorenz's system")
axes[1].plot(strengths, apart, "o-")
axes[1].set(xlabel="coupling strength", ylabel="spread of x over the ring", title="eight Rössler oscillators", ylim=0)
axes[2].plot(driven["response.x"], driven["response.y"], lw=0.4)
axes[2].set(xlabel="response.x", ylabel="response.y", title="Rössler's system pushed by Lorenz's")
figure.savefig("coupled_systems.png", dpi=110)
