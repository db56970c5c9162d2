"""A system of the catalogue: its equations, a trajectory, a picture, a table."""

from pathlib import Path

import bestiary as bst

lorenz = bst.system("Lorenz")
print(lorenz)
print(f"\nSource: {lorenz.citation}\n")

# 10 000 samples, 100 in each dominant period, from a state on the attractor.
run = lorenz.trajectory(10_000)
print(run)

# The chosen unit of time is yours: periods, Lyapunov times, or the system's own.
short = lorenz.trajectory(500, per_lyapunov=50)
print(f"\n{short.t[-1] / lorenz.lyapunov_time:.1f} Lyapunov times in {len(short)} samples")

# A table for Polars, and from there to wherever you like.
run.to_polars().write_parquet("lorenz.parquet")

picture = Path("lorenz.png")
run.plot(dark=True).figure.savefig(picture, dpi=150)
print(f"wrote lorenz.parquet and {picture}")
