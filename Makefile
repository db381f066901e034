# Every verb sets up what it needs: a virtual environment of its own, .venv beside this file.
# `make test ARGS="tests/data/test_split.py -q"` passes arguments on; `make PYTHON=/path/to/python demo`
# chooses the interpreter.

NEW_ENOUGH := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for each in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$each -c '$(NEW_ENOUGH)' 2>/dev/null && { echo $$each; break; }; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-lowest test-other check reproduce bench torture pictures architecture docs setup clean

demo: .venv/ready
	$(BIN)/bakeoff run digits

test: .venv/dev
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

# The tests that tell soonest whether versions of Python or of libraries work: a few minutes.
FAST := tests/utils tests/storage tests/recipe tests/data tests/cli tests/report \
	tests/analysis/test_compare.py tests/training/test_trainer.py tests/study/test_run.py \
	tests/use/test_predict.py tests/use/test_serve.py

# With the lowest versions that pyproject.toml allows, extras too, in an environment of their own.
test-lowest: .venv-lowest/ready
	.venv-lowest/bin/pytest --numprocesses auto --dist loadfile $(or $(ARGS),$(FAST))

# With another Python, `make test-other PYTHON=python3.14`, and the newest libraries for it.
test-other: .venv-other/ready
	.venv-other/bin/pytest --numprocesses auto --dist loadfile $(or $(ARGS),$(FAST))

check: .venv/dev
	$(BIN)/ruff check src tests reproduction benchmarks
	$(BIN)/ruff format --check src tests reproduction benchmarks
	$(BIN)/mypy

# Kills, full disks, damaged files, crowds: prints the figures of docs/reliability.md. `make torture
# ARGS="crash --moments 10"` does a part.
torture: .venv/dev
	$(BIN)/python -m tests.robustness.torture $(ARGS)

# The twenty models of five documents on the real data: hours on two cores, fewer with the native
# kernels. It goes on where it was stopped; `.venv/bin/python -m reproduction --help` shows how to do it in pieces.
reproduce: .venv/ready
	$(BIN)/python -m reproduction $(ARGS)

# The README's picture and table and those of docs/gallery.md and docs/tutorial.md; ten minutes on a
# machine that does nothing else, all but one for the second study, of which one picture is drawn.
pictures: .venv/dev
	$(BIN)/bakeoff run digits
	$(BIN)/bakeoff run three-models
	$(BIN)/bakeoff run docs/pictures/schedule.yaml --out studies/schedule
	$(BIN)/python docs/pictures/draw.py studies/digits studies/three-models studies/schedule

# Bakeoff's speed beside Keras on three backends, PyTorch, Lightning and scikit-learn: writes
# docs/benchmarks.md. Half an hour on two cores that do nothing else; it goes on where it was
# stopped. `make bench ARGS="model-8"` measures one workload, `make bench ARGS="--name laptop"` keeps
# another machine's page beside the first, `make bench ARGS="--help"` tells more.
bench: .venv/ready .venv-bench/ready
	.venv-bench/bin/python -m benchmarks $(ARGS)

# The documentation as a site in build/site, links checked.
docs: .venv/dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# The drawings in docs/architecture.md, from the files' first lines and imports, and the tables in
# docs/recipe.md, from the vocabulary.
architecture: .venv/ready
	$(BIN)/python docs/draw_architecture.py
	$(BIN)/python docs/draw_vocabulary.py

setup: .venv/dev

# Two stamps: what a user needs, and what a developer needs on top. Both are made again when
# pyproject.toml is newer.
# Installing compiles the native kernels where there is a C++ compiler.
# pip would write the bytecode of all packages, and of what it builds with, by one core: a minute. So
# it does not (0 is how its environment says --no-compile): all cores write that of what users need,
# and Python that of the rest when it is first imported.
.venv/ready .venv/dev: export PIP_NO_COMPILE := 0
.venv/ready: pyproject.toml hatch_build.py $(wildcard src/bakeoff/training/native/src/*)
	@"$(or $(PYTHON),false)" -c '$(NEW_ENOUGH)' || { echo "expected Python 3.11 or newer with its venv module, found $(or $(PYTHON),none): install one, or name it with make PYTHON=/path/to/python" >&2; exit 1; }
	@test -x $(BIN)/python && $(BIN)/python -c '$(NEW_ENOUGH)' || { rm -rf .venv && "$(PYTHON)" -m venv .venv; }
	$(PIP) --upgrade 'pip>=25.1'
	$(PIP) --editable .
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true
	@touch $@

.venv/dev: .venv/ready
	$(PIP) --group dev
	@touch $@

# Each begins anew, so that nothing of other versions stays.
.venv-lowest/ready: pyproject.toml tests/project/lowest.py
	rm -rf .venv-lowest && "$(PYTHON)" -m venv .venv-lowest
	.venv-lowest/bin/python tests/project/lowest.py > .venv-lowest/lowest.txt
	.venv-lowest/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.venv-lowest/bin/python -m pip install --quiet --constraint .venv-lowest/lowest.txt \
		--editable '.[parquet,onnx,litert,serve,tune]' --group test
	@touch $@

.venv-other/ready: pyproject.toml
	rm -rf .venv-other && "$(PYTHON)" -m venv .venv-other
	.venv-other/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.venv-other/bin/python -m pip install --quiet --editable '.[serve]' --group test
	@touch $@

.venv-bench/ready: benchmarks/requirements.txt pyproject.toml .venv/ready
	@test -x .venv-bench/bin/python || $(BIN)/python -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.venv-bench/bin/python -m pip install --quiet --requirement benchmarks/requirements.txt --editable .
	@touch $@

clean:
	rm -rf .venv .venv-bench .venv-lowest .venv-other build dist
