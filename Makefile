# The project's commands; `make help` lists them.

NAME    := ecr-cross-account-credential-provider
TOOL    := ecr-cross-account
SECRETS := ecr-pull-secrets
VERSION := $(shell cat pkg/command/VERSION)
# Programs, tests and linters share the packages that they compile, because all have these settings. Only `make lint` runs vet.
# Without debugging information, compilers need a sixth less time. The programs are stripped anyway.
export GOFLAGS := -trimpath -vet=off -gcflags=all=-dwarf=false $(shell go env GOFLAGS)
export CGO_ENABLED := 0
# Go records commit and date in the programs if git works here. GOFLAGS does not change this.
VCS     := $(if $(shell git rev-parse HEAD 2>/dev/null),auto,false)
BUILD   := go build -trimpath -buildvcs=$(VCS) -ldflags '-s -w'
LINT    := go tool -modfile=$(CURDIR)/.ci/lint/go.mod golangci-lint
FUZZ    ?= 20s
# The race detector needs cgo, and so a C compiler.
RACE    := $(if $(shell command -v cc),-race)
CGO     := $(if $(RACE),CGO_ENABLED=1)
# Separate modules, because of what they link: a JSON Schema validator, Prometheus' and Terraform's parsers; Kubernetes, whose first
# build takes minutes; a client of its API; and writers of packages.
LIGHT   := test/schema test/metrics test/terraform
NESTED  := $(LIGHT) $(patsubst %/go.mod,%,$(wildcard test/conformance/*/go.mod test/conformance/constants/*/go.mod)) $(addprefix cmd/$(SECRETS)/,. image test test/helm) .ci/dist test/node
LIMIT   := 45m

.PHONY: build node cluster-programs secrets-programs secrets secrets-costs image dist dist-test test packages platforms platforms-test iam-scripts mutants generate lint fuzz e2e e2e-programs demo bench fleet clean help

# Compilers and linters need a sixth less time with more memory: 4 GB. Our programs are tested with USUAL, as users run them.
build node platforms cluster-programs e2e-programs secrets-programs secrets image lint test: export GOGC ?= 300
USUAL := env -u GOGC -u GOMEMLIMIT
EXEC  := -exec '$(USUAL)'

build: node ## write all programs to bin, static and stripped
	cd cmd/$(SECRETS) && $(BUILD) -o $(CURDIR)/bin/$(SECRETS) .

node: ## write only the plugin and the operator's tool, not ecr-pull-secrets
	$(BUILD) -o bin/$(NAME) ./cmd/$(NAME)
	$(BUILD) -o bin/$(TOOL) ./cmd/$(TOOL)

# Most of the slow tests wait for a fault to time out, so more tests than cores run at a time. The slowest package starts first.
test: platforms ## run most tests, and list the commands for the others
	$(CGO) go test $(RACE) $(EXEC) -shuffle=on -parallel 16 -timeout $(LIMIT) ./test/conformance ./...
	@set -ex; for module in $(LIGHT); do go -C $$module test -shuffle=on -timeout $(LIMIT) ./...; done
	@echo
	@echo "That was everything except: make lint, make platforms-test, make iam-scripts, make dist-test, make secrets, make secrets-costs, make image, make e2e, make fuzz (FUZZ=20s for each target)."

platforms: ## compile for every platform that is served, into bin/SYSTEM/ARCHITECTURE
	@set -ex; for platform in linux/amd64 linux/arm64 windows/amd64; do \
	  GOOS=$${platform%/*} GOARCH=$${platform#*/} $(BUILD) -o bin/$$platform/ ./cmd/$(NAME) ./cmd/$(TOOL); done

dist: node platforms ## write archives, packages, checksums and lists of components to dist
	go -C .ci/dist run . "$(CURDIR)"

dist-test: packages ## make the release in two clones and compare; install, upgrade and remove its packages (root on Debian)
	go -C .ci/dist test -timeout $(LIMIT) ./...

generate: ## write config-examples/schema.json and config-examples/iam, and the tables of keys and messages
	go test ./pkg/config/schema -run TestCommitted -update
	go test ./config-examples -run TestPolicies -update
	go test ./test/readme -run '^(TestKeys|TestMessages)$$' -update

# Installs what the tests need from Debian.
PACKAGES := DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
  awscli shellcheck mmdebstrap rpm zsh qemu-user-static wine64 gcc-mingw-w64-x86-64

packages: ## install what platforms-test, iam-scripts, dist-test and secrets-costs need (root on Debian)
	$(PACKAGES) 2>/dev/null || { apt-get update -qq && $(PACKAGES); }

platforms-test: packages ## run the command-line scripts for linux/arm64 and windows/amd64, emulated (root on Debian)
	test/platforms/run

iam-scripts: packages ## run the scripts of iam, and the fake AWS, with the AWS CLI; check install.sh (root on Debian)
	shellcheck config-examples/iam/minimal.sh config-examples/platforms/install.sh
	go test -tags awscli $(EXEC) -timeout $(LIMIT) ./test/iam ./test/fakeaws -run '^(TestScript|TestCLI)'

mutants: ## break the program in many places, one at a time, and print the breaks that no test finds
	@go run ./test/mutants

# Only vet needs packages for macOS, so they are not optimized. A main.go that is a symbolic link is linted in the module that it points to.
lint: ## vet, staticcheck and the linters; formatting; go.mod and go.sum
	$(LINT) run ./...
	$(LINT) fmt --diff ./...
	GOOS=darwin go vet -gcflags='all=-N -l -dwarf=false' ./...
	GOOS=windows go vet ./...
	go mod tidy -diff
	@set -e; for module in $(NESTED); do ( set -x; cd "$$module"; [ -h main.go ] || $(LINT) run --timeout $(LIMIT) ./...; go mod tidy -diff ); done

fuzz: ## run each fuzz target for a while (FUZZ=20s)
	@set -e; go list ./... | while read -r package; do \
	  go test -list '^Fuzz' "$$package" | grep '^Fuzz' | while read -r target; do \
	    echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZ) "$$package"; \
	  done; \
	done

# Builds programs of Kubernetes, such as the API server, with their version.
KUBE = go -C test/node build -ldflags '-s -w -X k8s.io/component-base/version.gitVersion='$$(go -C test/node list -m -f '{{.Version}}' k8s.io/kubernetes) -o ../../bin/

cluster-programs: ## write an API server, etcd, and ecr-pull-secrets with another clock
	$(KUBE) k8s.io/kubernetes/cmd/kube-apiserver
	go -C test/node build -ldflags '-s -w' -o ../../bin/ ./etcd
	go -C cmd/$(SECRETS)/test build -ldflags '-s -w' -o $(CURDIR)/bin/pull-secrets-clock ./clock

secrets-programs: build cluster-programs ## write the programs that the tests of ecr-pull-secrets run
	go -C cmd/$(SECRETS)/test/helm build -o $(CURDIR)/bin/helm .
	$(KUBE) k8s.io/kubernetes/cmd/kubectl

secrets: secrets-programs ## test ecr-pull-secrets, with a real API server and etcd, and its chart (Linux)
	$(CGO) go -C cmd/$(SECRETS) test $(RACE) $(EXEC) -shuffle=on -timeout $(LIMIT) ./...
	go -C cmd/$(SECRETS)/test test $(EXEC) -shuffle=on -parallel 8 -timeout $(LIMIT) .

secrets-costs: packages secrets-programs ## measure ecr-pull-secrets beside a CronJob of the AWS CLI and kubectl (root on Debian)
	shellcheck cmd/$(SECRETS)/test/cronjob.sh
	go -C cmd/$(SECRETS)/test test -tags awscli -v -timeout $(LIMIT) -run '^(TestDay|TestFootprint|TestCronJob)$$' .

image: ## write bin/ecr-pull-secrets.tar, an OCI archive for linux/amd64 and linux/arm64
	go -C cmd/$(SECRETS)/image test -timeout $(LIMIT) .
	@set -ex; cd cmd/$(SECRETS); for arch in amd64 arm64; do GOOS=linux GOARCH=$$arch $(BUILD) -o $(CURDIR)/bin/$(SECRETS)-$$arch .; done
	go -C cmd/$(SECRETS)/image run . -o $(CURDIR)/bin/$(SECRETS).tar -version '$(VERSION)' \
	  linux/amd64=$(CURDIR)/bin/$(SECRETS)-amd64 linux/arm64=$(CURDIR)/bin/$(SECRETS)-arm64

# For make e2e: RUN chooses cases by a regular expression, and E2E has more flags. See test/node/README.md.
RUN ?= .
E2E ?=

e2e-programs: node cluster-programs ## write the programs that make e2e runs, and install containerd (root on Debian)
	test/node/install.sh
	go -C test/node test ./...
	$(KUBE) k8s.io/kubernetes/cmd/kubelet
	go -C test/node build -ldflags '-s -w' -o ../../bin/pause ./pause
	go test -c -o bin/plugin-clock ./cmd/$(NAME)
	go -C test/node build -o ../../bin/node .

e2e: e2e-programs ## start pods on real nodes (root on Debian; RUN=regexp chooses cases, E2E=-shell opens a shell)
	$(USUAL) bin/node -run '$(RUN)' $(E2E)

demo: node ## show requests, the calls to AWS that they cause, and answers
	@go run ./test/demo -plugin bin/$(NAME) -tool bin/$(TOOL)

# For make bench: BASELINE is the stock plugin to compare with, and BENCH has more flags. See test/bench.
BASELINE ?=
BENCH ?=

bench: node ## measure the plugin's processes (BASELINE=path/to/ecr-credential-provider to compare, BENCH=-runs=50)
	@go run ./test/bench -plugin bin/$(NAME) $(if $(BASELINE),-baseline $(BASELINE)) $(BENCH)
	go test -run '^$$' -bench . ./test/bench ./pkg/cache

fleet: ## simulate fleets of up to 100,000 nodes that boot together, against AWS's quotas
	@go run ./test/bench/fleet -plot test/bench/fleet.svg

clean: ## remove what was built
	rm -rf bin dist

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
