# The CUDA backend: its compiler and headers come as Python packages, so that
# neither a GPU nor NVIDIA's installer is needed to build and check it.
CUDA_VENV := .venv-cuda
CUDA_ARCH := $(shell $(GO) env GOARCH)
CUDA_STUB := build/cuda/$(CUDA_ARCH)
CUDA_HEADERS = $(firstword $(wildcard $(CURDIR)/$(CUDA_VENV)/lib/python3*/site-packages/nvidia/cuda_runtime/include))
CUDA_ENV = CGO_CFLAGS="-O2 -I$(CUDA_HEADERS)" CGO_LDFLAGS="-L$(CURDIR)/$(CUDA_STUB)"
CUDA_FAKE := build/cuda/fake
CUDA_PAGE ?= docs/gpu

cuda-deps: $(CUDA_VENV)/ready $(CUDA_STUB)/libcuda.a ## NVRTC, ptxas and CUDA's headers, pinned, in .venv-cuda, and a libcuda to link with

$(CUDA_VENV)/ready: scripts/cuda-requirements.txt
	python3 -m venv $(CUDA_VENV)
	$(CUDA_VENV)/bin/pip install -q -r $<
	@touch $@

build/cuda/amd64/libcuda.a: scripts/libcuda.py $(CUDA_VENV)/ready
	python3 $< $(CUDA_HEADERS)/cuda.h build/cuda/amd64 gcc

# For a Jetson the same, with the cross compiler: deploy/jetson/env.sh uses it.
jetson: build/cuda/arm64/libcuda.a

build/cuda/arm64/libcuda.a: scripts/libcuda.py $(CUDA_VENV)/ready
	python3 $< $(CUDA_HEADERS)/cuda.h build/cuda/arm64 $(if $(filter arm64,$(CUDA_ARCH)),gcc,aarch64-linux-gnu-gcc)

ptx: cuda-deps ## compile the CUDA kernels to kernels/cuda/ptx (committed, so only to change them)
	$(CUDA_VENV)/bin/python scripts/ptx.py write kernels/cuda/ptx

test-cuda: cuda-deps ## the CUDA kernels under emulation, their PTX compiled anew, the host side on an imaginary card
	$(CUDA_VENV)/bin/python scripts/ptx.py check kernels/cuda/ptx
	$(GO) test -count=1 -timeout 60m -skip TestPTXCompiledAnew ./kernels/cuda/...
	$(CUDA_ENV) $(GO) vet -tags cuda ./kernels/cuda/...
	scripts/fakecuda.sh $(CUDA_HEADERS) $(CUDA_FAKE)
	$(CUDA_ENV) $(GO) test -count=1 -tags cuda ./kernels/cuda/gpu
	for unified in 0 1; do LD_LIBRARY_PATH=$(CURDIR)/$(CUDA_FAKE) KUAI_GPU=must KUAI_FAKE_UNIFIED=$$unified \
		$(CUDA_ENV) $(GO) test -count=1 -timeout 60m -tags cuda -run 'Device|Imaginary|TwoProcesses' ./kernels/cuda; done
	$(CUDA_ENV) GO=$(GO) scripts/gpu-check-test.sh $(CUDA_FAKE)

build-cuda: deps cuda-deps ## build bin/kuai with the CUDA backend; it starts without a GPU too
	$(CUDA_ENV) $(GO) build -tags cuda -ldflags '$(LDFLAGS)' -o bin/kuai ./cmd/kuai

gpu-check: cuda-deps ## on a machine with a GPU: build, check every kernel and model on it, measure, write docs/gpu/<name>.md
	$(CUDA_ENV) GO=$(GO) scripts/gpu-check.sh $(CUDA_PAGE)

.PHONY: cuda-deps ptx test-cuda build-cuda gpu-check
