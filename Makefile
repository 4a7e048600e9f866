# kuai: `make run` starts the robot in simulation, `make test` checks everything.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO ?= go
VENV := .venv
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unversioned)
LDFLAGS := -X main.version=$(VERSION)
MODEL := smollm2-135m-instruct

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## --- what a user types -------------------------------------------------------

run: build models ## build, fetch what is missing, start the robot in simulation
	bin/kuai run

build: deps ## build bin/kuai
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/kuai ./cmd/kuai

deps: ## system packages and MuJoCo, skipped when present
	@scripts/deps.sh run

fw: test-deps ## firmware for the Arduino Uno and Mega: sizes, and on a simulated board the longest pass of the main loop
	@for board in uno mega; do $(MAKE) --no-print-directory -s -C firmware/arduino BOARD=$$board OUT=$(CURDIR)/build/firmware; done
	@$(GO) run ./firmware/simavr/measure build/firmware

models: build ## the weights that the default configuration loads
	@bin/kuai models pull $(MODEL)

man: build ## manual pages of every command, in build/man
	@rm -rf build/man
	@bin/kuai man build/man

web: web/node_modules ## build the page: web/src into internal/web/page (committed, so only to change it)
	npm run --prefix web --silent check
	npm run --prefix web --silent build

pictures: build models web/node_modules ## take docs/page.png and docs/page-phone.png anew
	node web/test/pictures.mjs bin/kuai docs

eval: models ## whole episodes in simulation, headless: success rates of the default suite
	bin/kuai eval

bench: models test-deps ## every figure of docs/figures.md; JSON=1 for one object a line
	@bin/kuai models pull whisper-base
	bin/kuai bench $(if $(JSON),--json)

PEERS_VENV := .venv-peers
PEERS ?=

peers-deps: $(PEERS_VENV)/ready ## what kuai is measured beside, pinned, in .venv-peers

$(PEERS_VENV)/ready: scripts/peers/requirements.txt
	python3 -m venv $(PEERS_VENV)
	$(PEERS_VENV)/bin/pip install -q -r $<
	@touch $@

bench-peers: peers-deps test-deps models ## kuai beside onnxruntime, openvino, llama.cpp and faster-whisper, in turns (PEERS="--only asr")
	@bin/kuai models pull whisper-base
	$(GO) build -o build/turns ./cmd/turns
	@[ -f build/peers/clip-vit-b32/model.safetensors ] || build/turns tower build/peers/clip-vit-b32
	$(PEERS_VENV)/bin/python scripts/peers $(PEERS) $(if $(JSON),--json)

figures: models test-deps ## measure everything and write docs/figures.md, with build/peers.jsonl if it is there (about 10 minutes, on a quiet machine)
	@mkdir -p build
	@bin/kuai models pull whisper-base
	{ bin/kuai bench --json; bin/kuai eval --given --episodes 200 --json; bin/kuai eval --json; } > build/figures.jsonl
	cat build/figures.jsonl $(wildcard build/peers.jsonl) | python3 scripts/figures.py > docs/figures.md

jetson: test-deps ## build/jetson/kuai.deb: the Debian package for a Jetson (JetPack 6, arm64), cross-built
	deploy/jetson/package.sh $(VERSION)

test-jetson: ## unit tests of what moves the joints as arm64 programs, under qemu (after make jetson)
	deploy/jetson/test.sh
	$(GO) test -count=1 -v ./deploy

test-jetson-install: test-deps ## install, upgrade, remove and purge build/jetson/kuai.deb in an arm64 system of its own (needs root; after make jetson)
	deploy/jetson/install.sh

## --- training ----------------------------------------------------------------

TRAIN_VENV := .venv-train
SEED ?= 1
BASE ?= $(HOME)/.local/share/kuai/models/$(MODEL)/SmolLM2-135M-Instruct.Q4_1.gguf

train-deps: $(TRAIN_VENV)/ready ## PyTorch and peft, pinned, in .venv-train

$(TRAIN_VENV)/ready: train/planner/requirements.txt
	python3 -m venv $(TRAIN_VENV)
	$(TRAIN_VENV)/bin/pip install -q -r $<
	@touch $@

train-guard: train-deps ## the classifiers of policy/guard (requests, the robot's own words): their weights, from templates (a minute)
	.venv-train/bin/python -m train.guard.train --what harm
	.venv-train/bin/python -m train.guard.train --what toxic

train-planner: train-deps models ## the planner's adapter: data, LoRA, curves in build/planner (SEED=1)
	nice -n 10 $(TRAIN_VENV)/bin/python -m train.planner.generate --out build/planner/data
	nice -n 10 $(TRAIN_VENV)/bin/python -m train.planner.train --base $(BASE) --data build/planner/data --out build/planner/seed$(SEED) --seed $(SEED) $(TRAIN)

VLA ?= $(HOME)/.cache/kuai-train/vla
VLA_RUN ?= $(VLA)/seed$(SEED)

train-vla: build train-deps ## the policy that sees: demonstrations, training, DAgger; resumes (SEED=1, VLA=FOLDER; the weights end in VLA/seed1/policy)
	nice -n 15 $(TRAIN_VENV)/bin/python -m train.vla.run --data $(VLA) --out $(VLA_RUN) --seed $(SEED) $(TRAIN)

VISION ?= $(HOME)/.cache/kuai-train/vision

train-vision: build train-deps ## the towers of kuai query: pictures, training; resumes (SEED=1, VISION=FOLDER, TRAIN=--install to take them into the repository)
	OMP_NUM_THREADS=1 nice -n 10 $(TRAIN_VENV)/bin/python -m train.vision.run --data $(VISION) --out $(VISION)/seed$(SEED) --seed $(SEED) $(TRAIN)

VOICE ?= $(HOME)/.cache/kuai-train/voice
MINUTES ?= 300
WHISPER ?= $(HOME)/.local/share/kuai/models/whisper-base/model.bin
MINILM ?= $(HOME)/.local/share/kuai/models/all-minilm-l6-v2
VOICE_PYTHON := OMP_NUM_THREADS=1 nice -n 10 $(TRAIN_VENV)/bin/python -m train.voice

train-voice-deps: train-deps test-deps
	$(TRAIN_VENV)/bin/pip install -q -r train/voice/requirements.txt

train-voice: train-voice-deps build ## the stop word detector, its second opinion and the sound head: resumes (SEED=1, VOICE=FOLDER, MINUTES=300 of one core for the detector)
	@bin/kuai models pull whisper-base
	@bin/kuai models pull all-minilm-l6-v2
	$(VOICE_PYTHON).run --out $(VOICE) --minutes $(MINUTES) --seed $(SEED) $(TRAIN)
	$(VOICE_PYTHON).hits --checkpoint $(VOICE)/detector/checkpoint.pt --bank $(VOICE)/bank --whisper $(WHISPER) --out $(VOICE)/hits/train --files 250 --seed $(SEED)
	$(VOICE_PYTHON).hits --checkpoint $(VOICE)/detector/checkpoint.pt --bank $(VOICE)/bank --whisper $(WHISPER) --out $(VOICE)/hits/test --files 25 --seed 99 --split test
	$(VOICE_PYTHON).verifier --train $(VOICE)/hits/train --test $(VOICE)/hits/test --out $(VOICE)/verifier --seed $(SEED)
	$(VOICE_PYTHON).sounds --whisper $(WHISPER) --out $(VOICE)/sounds/train.npz --split train
	$(VOICE_PYTHON).sounds --whisper $(WHISPER) --out $(VOICE)/sounds/test.npz --split test --scale 0.16
	$(VOICE_PYTHON).head --text $(MINILM) --train $(VOICE)/sounds/train.npz --test $(VOICE)/sounds/test.npz --out $(VOICE)/head --seed $(SEED)

parity-voice: ## after new weights of the stop word detector: what PyTorch makes of them, for the test
	$(VOICE_PYTHON).parity perception/keyword/weights/keyword.safetensors perception/keyword/testdata/parity.json

## --- checks ------------------------------------------------------------------

test: test-deps models web-deps ## every test, as CI runs it; the page in a browser where Node 20 is there
	$(GO) vet ./...
	$(GO) test -timeout 20m ./...
	scripts/arm64.sh -test.short
	$(GO) test -race -timeout 20m -skip TestBrowser $$($(GO) list ./... | grep -E '$(RACED)')

# The packages with goroutines of their own; the numeric ones would only be slow.
RACED := /(robot|perception|fusion/listen|policy|actuation|internal/(broker|daemon|record|replay|web|topics)|sim/rtsp)(/|$$)

test-arm64: test-deps ## the kernels compiled for Arm, every case, under qemu on three processors
	scripts/arm64.sh

test-train: train-deps ## the generators of training data and their planner, kinds of adapters, the training of the policy that sees and of the towers, lineage
	$(TRAIN_VENV)/bin/python -m unittest train.planner.test_planner train.planner.test_household train.planner.test_adapters train.vla.test_vla train.vision.test_vision train.lineage.test_lineage

test-llama: peers-deps models ## a planner elsewhere (planner.remote): llama.cpp's own server chooses, with SmolLM2
	KUAI_LLAMA_PYTHON=$(CURDIR)/$(PEERS_VENV)/bin/python KUAI_LLAMA_GGUF=$(BASE) $(GO) test ./policy/remote -run Llama -v -count=1 -timeout 20m

mutation: ## change the safety core in every small way; each change must fail a test
	$(GO) run ./actuation/safety/mutate

branches: ## every condition of the safety core, and every part of one, seen both true and false
	$(GO) run ./actuation/safety/mutate -branches

soak: ## ten million random commands to the safety core: no output breaks a limit
	$(GO) test ./actuation/safety -run RandomStream -v -timeout 60m -safety.commands 10000000

soak-day: ## 24 hours of the robot's time, as fast as it goes (a quarter of an hour): nothing is left behind
	$(GO) test ./internal/daemon -run TestSoak -v -timeout 120m -daemon.soak 24h

test-web: web/node_modules models ## the page in a real browser (needs Node 20 and Chromium)
	$(GO) test -count=1 -v -run 'TestBrowser|TestBuilt' ./internal/web ./internal/daemon

web-deps:
	@if node -e 'process.exit(parseInt(process.versions.node) < 20)' 2>/dev/null; then $(MAKE) --no-print-directory web/node_modules; \
	else echo "Node 20 is not installed: the tests of the page in a browser are skipped"; fi

web/node_modules: web/package-lock.json
	npm ci --prefix web --no-audit --no-fund
	@touch $@

test-lerobot: .venv-lerobot/bin/python ## datasets opened by the lerobot package (needs Python 3.12; several GB)
	KUAI_LEROBOT_PYTHON=$(CURDIR)/.venv-lerobot/bin/python $(GO) test -count=1 -run LeRobot ./internal/dataset

.venv-lerobot/bin/python:
	$(or $(PYTHON312),python3.12) -m venv .venv-lerobot
	.venv-lerobot/bin/pip install -q 'lerobot[dataset]==0.6.1'

test-deps: ## what only the tests need: peers, cross compilers, a browser
	@scripts/deps.sh run test

include kernels/cuda/cuda.mk

lint: $(VENV)/bin/ruff ## gofmt, vet, staticcheck, clang-format, ruff
	@scripts/lint.sh

$(VENV)/bin/ruff:
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install -q ruff==0.14.5

.PHONY: help run build deps fw models man web pictures eval bench peers-deps bench-peers figures jetson test-jetson test-jetson-install train-deps train-guard train-planner train-vision train-voice-deps train-voice parity-voice test-train test-llama test mutation branches soak soak-day test-arm64 test-web test-lerobot web-deps test-deps lint
