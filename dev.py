"""
House-keeping in four commands; needs Python 3.10 or later and Rust, sets up everything else itself.

    python3 dev.py run             build, and write the dataset of every system of the catalogue into data/
    python3 dev.py test [--slow]   build, and run every check and test
    python3 dev.py bench           build beside the peers, and measure side by side
    python3 dev.py work-precision  likewise, and draw error against time into docs/work_precision.png

Environments are kept in .venv and .bench. They are set up again only when what they depend on has changed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
SOURCES = ("Cargo.toml", "Cargo.lock", "build.rs", "pyproject.toml", "README.md", "src", "python")
PEERS = ("scipy", "numba", "dysts", "heyoka", "diffrax", "pydiffsol", "tsdynamics", "scikit-learn", "tslearn",
         "matplotlib")  # fmt: skip
PEERS_PYTHON = (3, 12)
"""TSDynamics needs it; the other peers take it."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="write the dataset of every system into data/")
    commands.add_parser("test", help="run every check and test").add_argument("--slow", action="store_true")
    commands.add_parser("bench", help="measure beside the peers; options go to tests/bench/bench.py")
    commands.add_parser("work-precision", help="draw error against time; options go to tests/bench/work_precision.py")
    options, rest = parser.parse_known_args()
    if rest and options.command not in ("bench", "work-precision"):
        parser.error(f"unknown: {' '.join(rest)}")
    try:
        if options.command == "run":
            return run()
        if options.command == "test":
            return test(options.slow)
        return bench("bench.py" if options.command == "bench" else "work_precision.py", rest)
    except subprocess.CalledProcessError as error:
        print(f"dev.py: this command failed: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def run() -> int:
    """The dataset of every system: 10 000 points of each, 100 a period."""
    begun = time.monotonic()
    python = environment(ROOT / ".venv", Path(sys.executable), extras="dev")
    command = [python, "-m", "bestiary.cli", "generate", "all", "-n", "10000", "--granularity", "fine"]
    status = subprocess.run([*command, "--out", ROOT / "data"], cwd=ROOT, check=False).returncode
    say(f"{'done' if status == 0 else 'failed'} after {time.monotonic() - begun:.0f} s, building included")
    return status


def test(slow: bool) -> int:
    """Every check, the fast ones first. All are run, even when one fails."""
    python = environment(ROOT / ".venv", Path(sys.executable), extras="dev")
    tests = [python, "-m", "pytest", "-n", "auto", "--dist", "worksteal", *(["--slow"] if slow else [])]
    checks: list[tuple[str, Sequence[str | Path]]] = [
        ("ruff", [python, "-m", "ruff", "check", "."]),
        ("ruff format", [python, "-m", "ruff", "format", "--check", "."]),
        ("cargo fmt", ["cargo", "fmt", "--check"]),
        ("mypy", [python, "-m", "mypy"]),
        ("clippy", ["cargo", "clippy", "--all-targets", "--", "-D", "warnings"]),
        ("clippy, extension", ["cargo", "clippy", "--features", "python", "--", "-D", "warnings"]),
        ("cargo test", ["cargo", "test", "--quiet"]),
        ("pytest", tests),
    ]
    lines, failed = [], False
    for name, command in checks:
        say(name)
        begun = time.monotonic()
        right = subprocess.run(command, cwd=ROOT, check=False, env=with_python(python)).returncode == 0
        failed |= not right
        lines.append(f"{'ok    ' if right else 'FAILED'}  {name} ({time.monotonic() - begun:.0f} s)")
    say("summary\n" + "\n".join(lines))
    return 1 if failed else 0


def bench(script: str, rest: Sequence[str]) -> int:
    """A script of the side-by-side measurement, in an environment that holds the peers."""
    base = newest_python()
    if base is None:
        wanted = ".".join(map(str, PEERS_PYTHON))
        say(f"no Python >= {wanted} found: some peers cannot be installed and will be shown as missing")
        base = Path(sys.executable)
    python = environment(ROOT / ".bench", base, extras="", optional=PEERS)
    return subprocess.run([python, ROOT / "tests" / "bench" / script, *rest], cwd=ROOT, check=False).returncode


def environment(folder: Path, base: Path, extras: str, optional: Sequence[str] = ()) -> Path:
    """A virtual environment with the package as the sources are now, and its Python."""
    python = folder / ("Scripts" if os.name == "nt" else "bin") / ("python.exe" if os.name == "nt" else "python")
    mark = folder / "bestiary-fingerprint"
    wanted = fingerprint(str(base), extras, *optional)
    if python.exists() and mark.exists() and mark.read_text() == wanted:
        return python
    if shutil.which("cargo") is None:
        sys.exit("dev.py: Rust is needed to build the compiled part; see https://rustup.rs")
    if not python.exists():
        say(f"making the environment {folder.name}")
        subprocess.run([base, "-m", "venv", folder], check=True)
    mark.unlink(missing_ok=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    missing = [name for name in optional if subprocess.run([*pip, name], check=False).returncode != 0]
    if missing:
        say(f"could not be installed: {', '.join(missing)}")
    say("building the package (a few minutes the first time)")
    target = f"{ROOT}[{extras}]" if extras else str(ROOT)
    rust = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target")}
    # A package of the same version is left alone by pip, so the old build goes first.
    subprocess.run([python, "-m", "pip", "uninstall", "--quiet", "--yes", "bestiary"], check=True, env=rust)
    subprocess.run([*pip, target], check=True, env=rust)
    if not missing:
        mark.write_text(wanted)
    return python


def fingerprint(*more: str) -> str:
    """A hash of the sources of the package and of what else the environment depends on."""
    digest = hashlib.sha256("\0".join(more).encode())
    for name in SOURCES:
        path = ROOT / name
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and file.suffix not in (".so", ".pyd", ".pyc"):
                digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def newest_python() -> Path | None:
    """A Python that every peer can be installed into: on the path, or among those of pyenv."""
    names = [f"python3.{minor}" for minor in (13, 12)]
    candidates = [Path(found) for name in names if (found := shutil.which(name))]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates += [path / "bin" / "python" for minor in (13, 12) for path in sorted(pyenv.glob(f"3.{minor}.*"))]
    code = f"import sys; sys.exit(sys.version_info < {PEERS_PYTHON})"
    for candidate in candidates:
        try:
            if subprocess.run([candidate, "-c", code], check=False, capture_output=True).returncode == 0:
                return candidate
        except OSError:
            continue
    return None


def with_python(python: Path) -> dict[str, str]:
    """The environment in which a Rust build finds this Python, and pytest our command."""
    return {**os.environ, "PYO3_PYTHON": str(python), "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
