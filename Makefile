# `make help` lists the targets; `make test` is what CI runs.

.DEFAULT_GOAL := help
.PHONY: help setup build build-js test demo parity size cold-start cold-start-workers bench-node bench-workers bench-crypto bench-envoy bench-cli istio-parity istio-mutations dist docs audit clean

tools := .tools/setup.stamp
run := scripts/with-tools

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is pinned (Rust targets, Envoy, schemas); says what it does, can be run twice
	@scripts/setup

$(tools): scripts/setup scripts/requirements.txt scripts/istio-schema/package-lock.json scripts/report-schemas/package-lock.json js/package-lock.json tests/node/package-lock.json tests/workers/package-lock.json rust-toolchain.toml
	@scripts/setup

build: $(tools) ## build the Envoy filter (target/wasm32-wasip1/release/lychgate_envoy.wasm)
	@$(run) scripts/build-filter

build-js: $(tools) ## build the npm package (js/dist)
	@$(run) js/scripts/build

test: $(tools) ## run every check and test, as CI does; STEPS="lint unit" picks some
	@$(run) scripts/test $(STEPS)

demo: $(tools) ## start Envoy, workerd and Node with the same policies and show what they answer
	@$(run) examples/envoy/run

parity: build build-js ## ask all hosts the same and compare byte for byte; N=100000 SEED=1 ENVOY=20000
	@N=$(N) SEED=$(SEED) ENVOY=$(ENVOY) $(run) scripts/parity

bench-node: build-js ## compare decisions in Node with other libraries; ARGS="--rounds 31"
	@$(run) scripts/bench-node $(ARGS)

bench-workers: build-js ## compare decisions in workerd with jose; ARGS="--rounds 31"
	@$(run) scripts/bench-workers $(ARGS)

size: build-js ## print the sizes of the npm package's module and entries, and check their limits
	@$(run) scripts/js-size

cold-start: build-js ## time Node's import of the package and the load of 100 policies
	@$(run) scripts/cold-start

cold-start-workers: build-js ## time workerd's import of the package and the load of 100 policies
	@$(run) scripts/cold-start-workers

bench-envoy: $(tools) ## compare throughput and CPU with native jwt_authn + RBAC
	@$(run) scripts/bench-envoy $(ARGS)

bench-crypto: $(tools) ## compare a signature check in WebAssembly with OpenSSL's and WebCrypto's
	@$(run) scripts/bench-crypto $(ARGS)

bench-cli: $(tools) ## time check, test and compile on 1,000 policies and 10,000 table tests
	@$(run) scripts/bench-cli

istio-parity: N ?= 1000000
istio-parity: SEED ?= 1
istio-parity: $(tools) ## compare N random requests, from SEED, with what Istio's own filters answer in Envoy
	@$(run) scripts/istio-parity $(N) $(SEED)

istio-mutations: $(tools) ## break the matcher and the token pipeline one fault at a time; each must be found
	@$(run) scripts/istio-mutations $(ARGS)

dist: $(tools) ## build what one publishes into dist/: filter, OCI image, SBOM, checksums
	@$(run) scripts/dist

docs: $(tools) ## build the API documentation, warnings are errors
	@RUSTDOCFLAGS="-D warnings" $(run) cargo doc --workspace --no-deps --locked

audit: $(tools) ## check licences, bans and sources with cargo-deny (compiles it once, about 4 minutes)
	@$(run) scripts/audit

clean: ## remove everything that make made, but the tools
	@rm -rf dist target
