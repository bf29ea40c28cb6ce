# The project's commands; `make help` lists them.

NAME    := ecr-cross-account-credential-provider
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
BUILD   := CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)'
LINT    := go tool -modfile=.ci/lint/go.mod golangci-lint
FUZZ    ?= 20s
# The race detector needs a C compiler.
RACE    := $(if $(shell command -v cc),-race)

.PHONY: build test platforms lint fuzz demo clean help

build: ## write bin/$(NAME): static and stripped
	$(BUILD) -o bin/$(NAME) ./cmd/$(NAME)

test: platforms ## run every test
	go test $(RACE) -shuffle=on ./...
	go -C test/conformance test $(RACE) -shuffle=on ./...
	@echo
	@echo "That was everything but: make lint, make fuzz (FUZZ=20s for each target)."

platforms: ## compile for every platform that is served
	GOOS=linux GOARCH=amd64 $(BUILD) -o /dev/null ./cmd/$(NAME)
	GOOS=linux GOARCH=arm64 $(BUILD) -o /dev/null ./cmd/$(NAME)
	GOOS=windows GOARCH=amd64 $(BUILD) -o /dev/null ./cmd/$(NAME)

lint: ## vet, staticcheck and the linters; formatting; go.mod and go.sum
	$(LINT) run ./...
	$(LINT) fmt --diff ./...
	cd test/conformance && go tool -modfile=../../.ci/lint/go.mod golangci-lint run -c ../../.golangci.yml ./...
	go mod tidy -diff
	go -C test/conformance mod tidy -diff

fuzz: ## run each fuzz target for $(FUZZ)
	@set -e; go list ./... | while read -r package; do \
	  go test -list '^Fuzz' "$$package" | grep '^Fuzz' | while read -r target; do \
	    echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZ) "$$package"; \
	  done; \
	done

demo: build ## show requests, the calls to AWS that they cause, and answers
	@go run ./test/demo -plugin bin/$(NAME)

clean: ## remove what was built
	rm -rf bin

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
