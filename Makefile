# tonopago. Two commands do everything on a fresh Debian 12 machine with Rust, git and make:
#   make demo    builds the program and runs one whole paid call, with no hardware and no network beyond loopback
#   make test    builds and runs all tests

CARGO ?= cargo
PROFILE := --release
TONOPAGO := target/release/tonopago
PYTHON ?= python3
VOICE_ENV := target/voice-env
SCENARIO ?= paid
SECONDS ?= 60
TARGET ?=

.PHONY: demo test faults fuzz bench bench-peers instructions lint fmt doc samples prompts build deps deb soak soak-month
.DEFAULT_GOAL := build

build: deps
	$(CARGO) build $(PROFILE)

# One scenario (`make demo SCENARIO=late-answer`), or all of them (`make demo SCENARIO=all`).
demo: build
	$(TONOPAGO) demo --scenario $(SCENARIO)

test: deps
	$(CARGO) test $(PROFILE)

# What the engine costs, and the latency of the detector.
bench: deps
	$(CARGO) bench --bench engine

# The same sound through spandsp, multimon-ng and this detector: throughput, latency, accuracy, false digits. `ARGS=--quick` for
# a short run, `ARGS='--recordings FOLDER'` for recordings with known digits. What is not installed is left out.
bench-peers: deps
	$(CARGO) bench --bench peers -- $(ARGS)

# Instructions for each sample, counted by valgrind: the same figure whatever else the machine does.
instructions: deps
	$(CARGO) bench --bench peers -- --instructions

# The long fault campaign: 10 000 payments on a network that fails, 500 kill -9 of the paying process; minutes.
faults: deps
	TONOPAGO_PAYMENTS=10000 TONOPAGO_KILLS=500 $(CARGO) test $(PROFILE) --test faults -- --nocapture --test-threads 1

# Bytes of others at every door, made up by libFuzzer from what the repository holds: each target for SECONDS, or only TARGET. The
# first build takes some ten minutes of processor time; docs/fuzzing.md.
fuzz:
	@sh .ci/deps c++
	CARGO="$(CARGO)" fuzz/run $(SECONDS) $(TARGET)

lint: deps
	$(CARGO) fmt --check
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) clippy $(PROFILE) --all-targets -- --deny warnings
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc $(PROFILE) --no-deps --document-private-items

fmt:
	$(CARGO) fmt
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml

doc:
	$(CARGO) doc $(PROFILE) --no-deps --open

# The recorded callers in samples/, made anew by the project's own generator; they come out the same to the byte.
samples: build
	$(TONOPAGO) samples --out samples

# The clips in menus/voices, rendered anew from their texts. Needs Python and the package registry, at build time only.
prompts: $(VOICE_ENV)/ready
	$(VOICE_ENV)/bin/python menus/voices/render.py

$(VOICE_ENV)/ready: menus/voices/requirements.txt
	$(PYTHON) -m venv $(VOICE_ENV)
	$(VOICE_ENV)/bin/pip install --quiet --requirement $<
	touch $@

# The box as a Debian package; needs `cargo install cargo-deb`.
deb: build
	$(CARGO) deb --no-build

# Twenty paid calls in a row over a virtual sound card, in real time.
soak: deps
	TONOPAGO_CALLS=20 $(CARGO) test $(PROFILE) --test commands callers_pay -- --nocapture

# Thirty days of a line's life in virtual time, with flat memory.
soak-month: deps
	TONOPAGO_SOAK_DAYS=30 $(CARGO) test $(PROFILE) --test soak -- --nocapture

# What building needs from Debian: a C compiler (SQLite is built in) and the ALSA headers (the sound card).
deps:
	@sh .ci/deps
