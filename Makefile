# Sentiscope. `make` lists what there is. Everything is set up on first use and kept in .venv*.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
ACCEL ?= cpu
DATA ?= ../shared/data
WEIGHTS ?= ../shared/weights
FAULT_ROUNDS ?= 10
TEST_PROCESSES ?= 2
PROFILE ?= cpu
NICE := $(shell test -t 1 && printf '\033[1m')
PLAIN := $(shell test -t 1 && printf '\033[0m')
# What is in the environment the service reads itself: PORT, and not a HOST, which shells have too.
LISTEN = $(if $(filter command,$(origin HOST)),--host $(HOST)) $(if $(filter command,$(origin PORT)),--port $(PORT))
say = @echo "$(NICE)==> $(1)$(PLAIN)"

UV := .venv/bin/uv
BIN := .venv/bin
SERVE := .venv-serve
EVIDENCE := $(BIN)/python -m training.evidence
export UV_LINK_MODE ?= copy
export PYTHONWARNINGS ?=
export ORT_DISABLE_TELEMETRY ?= 1

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

# --- Set-up -----------------------------------------------------------------------------------

$(UV): requirements/uv.txt
	$(call say,Setting up: a virtual environment and uv (once))
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Sentiscope needs Python 3.11 to 3.13, this is {v[0]}.{v[1]}; name another with PYTHON=")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

.venv/.ready: requirements/dev.txt pyproject.toml | $(UV)
	$(call say,Setting up: PyTorch and everything else (about 5 GB; once; half a minute on a fast link))
	@$(UV) pip install --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	$(call say,Compiling to bytecode)
	@$(BIN)/python -m compileall -q -j 0 $(BIN)/../lib app models sentiscope training worker > /dev/null || true
	@touch $@

$(SERVE)/.ready-$(ACCEL): requirements/serve-$(ACCEL).txt pyproject.toml | $(UV)
	$(call say,Setting up: the light environment without PyTorch (once; $(ACCEL)))
	@rm -rf $(SERVE)
	@$(PYTHON) -m venv --without-pip $(SERVE)
	@$(UV) pip install --python $(SERVE)/bin/python --require-hashes -r requirements/serve-$(ACCEL).txt
	@$(UV) pip install --quiet --python $(SERVE)/bin/python --no-deps --no-build-isolation --editable .
	@$(SERVE)/bin/python -m compileall -q $(SERVE)/lib app models sentiscope > /dev/null || true
	@touch $@

.PHONY: setup
setup: .venv/.ready ## Set everything up and start nothing

# --- Run --------------------------------------------------------------------------------------

.PHONY: run
run: .venv/.ready ## Set up and run everything on http://127.0.0.1:8000: API, worker, Redis (PORT=, HOST=)
	@exec $(BIN)/sentiscope run $(LISTEN)

.PHONY: serve
serve: $(SERVE)/.ready-$(ACCEL) ## Set up and serve predictions only, without PyTorch (PORT=, HOST=, ACCEL=cpu|gpu)
	@exec $(SERVE)/bin/sentiscope serve $(LISTEN)

# --- Quality ----------------------------------------------------------------------------------

.PHONY: test
test: .venv/.ready ## Set up and run the tests (ARGS= for pytest)
	$(call say,Running the tests)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: faults
faults: .venv/.ready ## Kill every process of the job system in mid-epoch, again and again (FAULT_ROUNDS=10)
	$(call say,Killing processes: $(FAULT_ROUNDS) rounds)
	@FAULT_ROUNDS=$(FAULT_ROUNDS) $(BIN)/python -m pytest tests/faults --timeout 1800 $(ARGS)

.PHONY: fuzz
fuzz: .venv/.ready ## Throw all damaged images and thousands of requests at the service (five minutes)
	$(call say,Fuzzing)
	@FUZZ=whole $(BIN)/python -m pytest tests/fuzz --timeout 1800 $(ARGS)

.PHONY: lint
lint: .venv/.ready ## Format check, lint, types, import contracts
	$(call say,Checking format and lint and types and import contracts)
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: audit
audit: .venv/.ready ## Look the pinned dependencies up among known vulnerabilities (skipped where OSV is out of reach)
	$(call say,Auditing the dependencies)
	@$(BIN)/python -m tests.vulnerabilities

.PHONY: check
check: lint audit test ## All that CI runs, and the audit

.PHONY: reference
reference: .venv/.ready ## Make the pages of docs/reference anew, out of the code
	@$(BIN)/python -m sentiscope.reference

.PHONY: format
format: .venv/.ready ## Format the code and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: lock
lock: $(UV) ## Pin the dependencies anew: hashed, and without any address
	$(call say,Resolving)
	@c="$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate"; \
	$$c requirements/uv.in -o requirements/uv.txt; \
	$$c pyproject.toml --extra cpu --group build -o requirements/serve-cpu.txt; \
	$$c pyproject.toml --extra gpu --group build -o requirements/serve-gpu.txt; \
	$$c pyproject.toml --extra cpu --extra jobs --extra otel --group build -o requirements/api.txt; \
	$$c pyproject.toml --extra cpu --extra jobs --extra train --group build -o requirements/worker.txt; \
	$$c pyproject.toml --extra cpu --extra jobs --extra otel --extra parquet --extra report --extra train --group dev -o requirements/dev.txt

# --- Models and figures -----------------------------------------------------------------------

.PHONY: datasets
datasets: .venv/.ready ## Import FI and Emotion6 from DATA=../shared/data into var/datasets
	@test -d var/datasets/fi || $(BIN)/sentiscope datasets import fi $(DATA)/fi-0.zip $(DATA)/fi-1.zip $(DATA)/fi-2.zip \
		--name fi --title "FI, our split" \
		--terms "Not stated where found; photos belong to their Flickr and Instagram owners. Research use only."
	@test -d var/datasets/emotion6 || $(BIN)/sentiscope datasets import emotion6 $(DATA)/emotion6.zip \
		--name emotion6 --title "Emotion6, fold 0" --test-fold 0 \
		--terms "Academic research only; image copyright remains with the original owners."

.PHONY: demo
demo: .venv/.ready ## The paper's whole chain on generated pictures: three pre-trainings, amalgamation, export
	@test -d var/datasets/demo-emotions || $(BIN)/sentiscope datasets demo
	@for step in stimuli organizing perceiving amalgamate; do \
		$(BIN)/sentiscope train training/configs/demo/$$step.yaml --run var/runs/demo/$$step; done
	@$(BIN)/sentiscope evaluate training/configs/demo/evaluate.yaml --run var/runs/demo/evaluate
	@$(BIN)/sentiscope export training/configs/demo/export.yaml --run var/runs/demo/export

.PHONY: open-datasets
open-datasets: datasets ## Import also MiniPlaces, Flickr8k, its mined pairs and WikiArt Emotions
	@test -d var/datasets/miniplaces || $(BIN)/sentiscope datasets import miniplaces $(DATA)/miniplaces.zip \
		--name miniplaces --title MiniPlaces --terms "Research only."
	@test -d var/datasets/flickr8k || $(BIN)/sentiscope datasets import flickr8k $(DATA)/flickr8k.zip \
		--name flickr8k --title Flickr8k --terms "Non-commercial research only."
	@test -d var/datasets/flickr8k-anp || $(BIN)/sentiscope datasets import anp_mined var/datasets/flickr8k $(DATA)/3244ANPs.txt \
		--name flickr8k-anp --title "Flickr8k, mined pairs" --terms "Non-commercial research only."
	@test -d var/datasets/wikiart || $(BIN)/sentiscope datasets import wikiart_emotions $(DATA)/wikiart_emotions.zip \
		--name wikiart --title "WikiArt Emotions" --terms "Research only; do not redistribute."

.PHONY: evidence-datasets
evidence-datasets: open-datasets ## Folds, native labels and parts for the evidence (docs/protocol.md)
	@$(EVIDENCE) prepare --profile $(PROFILE) --source $(DATA)

.PHONY: results
results: evidence-datasets ## Run what is missing of the evidence's table, then test and write it (PROFILE=cpu|cpu-96|gpu, ARGS=)
	@$(EVIDENCE) run --profile $(PROFILE) $(ARGS)
	@$(EVIDENCE) summarize --profile $(PROFILE)

.PHONY: ablations
ablations: evidence-datasets ## The same for the ablations
	@$(EVIDENCE) run --plan ablations --profile $(PROFILE) $(ARGS)
	@$(EVIDENCE) summarize --plan ablations --profile $(PROFILE)

.PHONY: own-data
own-data: evidence-datasets ## The same for the shipped backbone on a data set that it never saw
	@$(EVIDENCE) run --plan own_data --profile $(PROFILE) $(ARGS)
	@$(EVIDENCE) summarize --plan own_data --profile $(PROFILE)

.PHONY: report
report: .venv/.ready ## Tables and plots of docs/results.md from the committed figures
	@$(EVIDENCE) report

.PHONY: metrics
metrics: datasets ## Score the default model on the test split and fold: the figures of its card
	@$(EVIDENCE) score training/configs/open/evaluate_default.yaml

.PHONY: default-model
default-model: datasets ## Train and publish the default model from scratch (hours on a CPU; resumable)
	@$(BIN)/sentiscope train training/configs/open/default.yaml --run var/runs/default
	@$(BIN)/sentiscope export training/configs/open/export_default.yaml

.PHONY: bench
bench: .venv/.ready ## Images per second of the default model: decode, pre-processing and ONNX Runtime
	@$(BIN)/python bench/floor.py

.PHONY: bench-training
bench-training: .venv/.ready ## Images per second of training, its pipeline and amalgamation (ARGS= for python -m bench.training)
	@$(BIN)/python -m bench.training $(ARGS)

.PHONY: bench-jobs
bench-jobs: .venv/.ready ## Milliseconds of the job API over 10,000 stored jobs (ARGS= for python -m bench.jobs)
	@$(BIN)/python -m bench.jobs $(ARGS)

.PHONY: bench-serving
bench-serving: .venv/.ready ## Ours, mosec, BentoML, LitServe and Ray Serve against the floor (ARGS= for python -m bench.serving)
	@$(BIN)/python -m bench.serving $(ARGS)

.PHONY: bench-limits
bench-limits: .venv/.ready ## Overload, 100,000 requests, promotions under load, start-up (ARGS= for python -m bench.serving.limits)
	@$(BIN)/python -m bench.serving.limits $(ARGS)

.PHONY: bench-probe
bench-probe: datasets ## The bar: a linear probe on frozen ImageNet features, on the same splits
	@$(BIN)/python -m bench.linear_probe --weights $(WEIGHTS)/mobilenet_v2_imagenet1k.safetensors

.PHONY: clean
clean: ## Remove environments and caches; keeps var/ (data, runs, models)
	@rm -rf .venv .venv-serve .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
