# Nothing is needed but Python 3.11, 3.12 or 3.13; uv is used where it is installed. PYTHON=/path/to/python chooses another Python.
.PHONY: demo test test-browser test-slurm mutants env

# Trains on pages that the program draws itself: a few minutes.
demo: env
	.venv/bin/python run.py

# What has to hold before anything is merged.
test:
	sh .ci/environment dev
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m mypy
# Each of the test processes keeps to one core: the threads of several would wait for each other. The tests of a file go
# to one of them, since they share what was set up for them.
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest --numprocesses 2 --dist loadfile

# The reports in a real browser, Chromium, which is installed where that is possible. `make test` runs these too, where there is one.
test-browser:
	sh .ci/environment dev
	sh .ci/chromium
	OMP_NUM_THREADS=1 .venv/bin/python -m pytest -m browser -rs

# Small wrong changes of the program, listed in tests/benchmarks/named_mutants.yaml: whether the tests named there fail on each.
.PHONY: named-mutants
named-mutants:
	sh .ci/environment dev
	OMP_NUM_THREADS=1 .venv/bin/python tests/benchmarks/named_mutants.py

# Sweeps on a SLURM of one node, which is started for them and stopped again: as root, on Debian or Ubuntu.
test-slurm:
	sh .ci/environment dev
	sh .ci/slurm install
	OMP_NUM_THREADS=1 sh .ci/slurm run .venv/bin/python -m pytest -m slurm -rs

# Which small changes of the code the tests notice, room by room: hours. ROOMS="metrics text" SEED=2 SAMPLE=80 choose.
mutants:
	sh .ci/environment mutants
	.venv/bin/python tests/benchmarks/mutants.py $(ROOMS) --seed $(or $(SEED),1) --sample $(or $(SAMPLE),80)

# The environment alone, for `. .venv/bin/activate`.
env:
	sh .ci/environment

export PYTHON
