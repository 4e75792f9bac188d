# The way in for people and for CI. Everything below is also a plain command: see CONTRIBUTING.md.

JOBS ?= $(shell nproc)
DEPS := $(if $(PENSTOCK_DEPS),$(PENSTOCK_DEPS),.deps)
export JOBS

.DEFAULT_GOAL := help
.PHONY: help setup build demo demo-kafka test check bench bench-kafka oracle format clean

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what the build needs (Debian 12; root or sudo)
	@tools/setup

build: setup ## build/release/bin/penstock
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS) --target penstock
	@echo "built build/release/bin/penstock"

demo: build ## live traffic into a fresh server, then the sums checked (DEMO_SECONDS=20)
	@$(DEPS)/venv/bin/python tools/demo

demo-kafka: build ## the same with three real Kafka brokers as the log
	@$(DEPS)/venv/bin/python tools/demo --kafka

test: setup ## checks, then all tests: unit, sanitizers, fuzz corpora, integration
	@tools/test

check: setup ## format, doors, house rules, clang-tidy
	@tools/check

bench: setup ## micro-benchmarks and the load test
	@tools/bench

bench-kafka: build ## Penstock on three Kafka brokers beside Kafka Streams (ten minutes)
	@$(DEPS)/venv/bin/python tools/bench-kafka

oracle: setup ## ask Kafka Streams again: the golden files of tests/oracle
	@tools/oracle generate

format: ## format all sources in place
	@git ls-files -z --cached --others --exclude-standard '*.h' '*.cc' | xargs -0 -r clang-format-14 -i

clean: ## remove what was built, keep what was installed
	@rm -rf build
