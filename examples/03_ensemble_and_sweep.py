"""Many trajectories at once: an ensemble from different states, and a sweep of a parameter (a bifurcation diagram)."""

import time

import matplotlib.pyplot as plt
import numpy as np

import bestiary as bst

# 500 states, all within 1e-6 of one another: they keep together, then forget where they came from.
rossler = bst.system("Rossler")
noise = np.random.default_rng(0).normal(scale=1e-6, size=(500, rossler.dimension))
cloud = rossler.ensemble(initial=rossler.sample_initial(1, seed=0) + noise, n=3000)
print(cloud)
spread = cloud.x.std(axis=0).mean(axis=1)
for sample in range(0, len(spread), 500):
    print(f"  after {cloud.t[sample]:6.1f} time units, the states differ by {spread[sample]:.1e}")

# The logistic map for 2000 values of its parameter.
r = np.linspace(2.8, 4.0, 2000)
begun = time.perf_counter()
logistic = bst.system("Logistic").ensemble(n=500, parameters={"r": r}, transient=1000)
print(f"\n{len(r)} logistic maps, 1500 iterations each: {1000 * (time.perf_counter() - begun):.0f} ms")

# The Rössler flow for 500 values of c, seen at the maxima of x.
c = np.linspace(2.5, 7.0, 500)
begun = time.perf_counter()
flows = rossler.ensemble(
    n=10_000, parameters={"c": c}, transient=100 * rossler.period, initial=rossler.initial, rtol=1e-9
)
print(f"{len(c)} Rössler flows, 200 periods each: {time.perf_counter() - begun:.1f} s")
x = flows.x[:, :, 0]
is_maximum = (x[:, 1:-1] > x[:, :-2]) & (x[:, 1:-1] > x[:, 2:])
member, sample = np.nonzero(is_maximum)

figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
left.plot(np.repeat(r, 500), logistic.x[:, :, 0].ravel(), ",", color="#3b528b", alpha=0.1, rasterized=True)
left.set(title="Logistic", xlabel="$r$", ylabel="$x$", xlim=(r[0], r[-1]))
right.plot(c[member], x[member, sample + 1], "o", ms=0.7, mew=0, color="#3b528b", alpha=0.5, rasterized=True)
right.set(title="Rössler", xlabel="$c$", ylabel="maxima of $x$", xlim=(c[0], c[-1]))
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
figure.savefig("bifurcation.png", dpi=150)
print("wrote bifurcation.png")
