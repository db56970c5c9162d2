"""First returns: from the Lorenz attractor to the map of its maxima, and a section of a driven oscillator."""

import matplotlib.pyplot as plt
import numpy as np

import bestiary as bst

# Where z stops growing: its time derivative x y - beta z passes through zero from above. Lorenz (1963) plotted each
# maximum against the one before and found that one number tells the next.
lorenz = bst.system("Lorenz")
maxima = bst.poincare(lorenz, "x*y - beta*z", direction=-1)
points = maxima.trajectory(20_000, transient=100)
print(points)
print(f"  return times from {points.return_times.min():.3f} to {points.return_times.max():.3f}")
z = points["z"]

# The slope is nowhere less than 1 in size, so that nearby maxima part: chaos, seen in a map of one variable.
order = np.argsort(z[:-1])
before, after = z[:-1][order], z[1:][order]
slopes = np.abs(np.diff(after[::20]) / np.diff(before[::20]))
print(f"  smallest slope of the map, over 20 neighbours: {slopes.min():.2f}")

# The same attractor cut by the plane z = rho - 1, and an oscillator seen once in each period of its drive.
plane = bst.poincare(lorenz, "z = rho - 1").trajectory(20_000, transient=100)
ueda = bst.system("Ueda")
strobe = bst.stroboscopic(ueda, period=2 * np.pi).ensemble(50, 1000, seed=0)

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(15, 5), layout="constrained")
left.plot(z[:-1], z[1:], ",", color="#3b528b", rasterized=True)
left.plot([z.min(), z.max()], [z.min(), z.max()], color="0.7", lw=0.8, zorder=0)
left.set(title="Lorenz: maxima of $z$", xlabel="a maximum", ylabel="the next")
middle.plot(plane["x"], plane["y"], ",", color="#3b528b", rasterized=True)
middle.set(title=r"Lorenz at $z = \rho - 1$, upwards", xlabel="$x$", ylabel="$y$")
right.plot(*strobe.x.reshape(-1, 2).T, ",", color="#3b528b", rasterized=True)
right.set(title="Ueda, once a period of the drive", xlabel="$x$", ylabel="$y$")
for ax in (left, middle, right):
    ax.spines[["top", "right"]].set_visible(False)
figure.savefig("first_return.png", dpi=150)
print("wrote first_return.png")
