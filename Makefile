# Every target sets up what it needs in .venv, once.  PYTHON=python3.12 make ... chooses another interpreter.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
Q ?= What are the symptoms of glaucoma?

.PHONY: ask test check prove bench demo-model experts router wheels settings-page commands-page man-page keys-table clean
.DELETE_ON_ERROR:

## ask: answer Q with the demonstration model
ask: $(VENV)/ready
	@$(BIN)/medpocket ask -m demo "$$Q"
export Q

## test: the test suite, under 5 minutes
test: $(VENV)/ready-dev
	$(BIN)/python -m pytest -n auto

## check: lint, types, directions of imports
check: $(VENV)/ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

## prove: the long tests; nothing there may be skipped
prove: $(VENV)/ready-train wheels
	$(BIN)/python -m pytest -m prove --no-skips --timeout 1200

## bench: speed and memory of the demonstration model and of a 7B-shaped file, written once (4.4 GB), beside llama.cpp's tools
bench: $(VENV)/ready
	$(BIN)/medpocket bench demo --shape 7b $(if $(TOOLS),--tools "$(TOOLS)")

## demo-model: train the demonstration model anew; DATA is the folder of its texts (docs/demo-model.md)
demo-model: $(VENV)/ready-train
	@test -n "$(DATA)" || { echo "make demo-model needs DATA=FOLDER" >&2; echo "docs/demo-model.md says what must be in it" >&2; exit 2; }
	$(BIN)/python -m medpocket.forge.demo --data "$(DATA)" --out assets/demo.gguf

## experts: train the demonstration experts anew; DATA as for demo-model (docs/experts.md)
experts: $(VENV)/ready-train
	@test -n "$(DATA)" || { echo "make experts needs DATA=FOLDER" >&2; echo "docs/demo-model.md says what must be in it" >&2; exit 2; }
	$(BIN)/python -m medpocket.forge.demo_experts --data "$(DATA)" --base assets/demo.gguf --out build/experts/made

## router: train the router's weights anew, from the lexicon, the utterances and the texts in DATA (docs/router.md)
router: $(VENV)/ready
	@test -n "$(DATA)" || { echo "make router needs DATA=FOLDER" >&2; echo "docs/demo-model.md says what must be in it" >&2; exit 2; }
	OMP_NUM_THREADS=1 $(BIN)/python -m medpocket.forge.router --data "$(DATA)" --out assets/router.bin

## wheels: the wheels of a kit for this platform and PYTHON, or for PYTHONS, in build/wheels; llama.cpp is compiled once (docs/kit.md)
wheels: $(VENV)/ready-dev build/portable/ready
	$(BIN)/python packaging/wheels.py build/wheels build/portable/*.whl $(PYTHONS)

build/portable/ready: $(addprefix packaging/,portable_wheel.sh llama_source.sh llama_only.cmake portable_layout.py elf.py)
	rm -f build/portable/*.whl
	PYTHON="$(PYTHON)" packaging/portable_wheel.sh build/portable
	@touch $@

## settings-page: write docs/settings.md from the settings themselves
settings-page: $(VENV)/ready
	$(BIN)/python -m medpocket.config > docs/settings.md

## commands-page: write docs/commands.md from the commands' help
commands-page: $(VENV)/ready
	$(BIN)/python packaging/commands_page.py > docs/commands.md

## man-page: write packaging/medpocket.1, the manual that a wheel brings
man-page: $(VENV)/ready
	$(BIN)/python packaging/man_page.py > packaging/medpocket.1

## keys-table: write the table of keys in docs/app.md from the keys themselves
keys-table: $(VENV)/ready
	$(BIN)/python packaging/keys_table.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "setting up .venv; llama.cpp is compiled once, which takes some minutes" >&2
	$(PIP) -e .
	@touch $@

$(VENV)/ready-dev: $(VENV)/ready
	$(PIP) -e '.[dev]'
	@touch $@

$(VENV)/ready-train: $(VENV)/ready-dev
	$(PIP) -e '.[dev,train]'
	@touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
