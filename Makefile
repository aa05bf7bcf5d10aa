# Run `make` to see what there is. The two commands that need only Go are
# `go run ./cmd/pushpull dev` and `go test ./...`; everything here is extra.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help check build lint fmt generate test race vet tidy validate bench chaos \
	test-pull bench-backfill test-peers test-real-input test-providers test-destinations test-aws-cli \
	test-reference test-postgres test-run fuzz fuzz-push clean \
	build-ReceiverFunction build-ProcessorFunction build-PollerFunction

FUNCTIONS := receiver processor poller
# What template.yaml says, unless asked for another.
ARCH ?= $(if $(shell grep '^ *Architectures: *\[x86_64\]' template.yaml),amd64,arm64)
GOBUILD := CGO_ENABLED=0 go build -trimpath -tags lambda.norpc -ldflags "-s -w"
LINT := go tool -modfile=tools/lint.mod golangci-lint
FUZZTIME ?= 20s

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-zA-Z_-]+:.*## / {printf "  %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

check: lint vet tidy build race ## what CI runs on the code itself

generate: ## remake what is made from other files (config/compiled.txt, the JSON Schema)
	go generate ./...

build: ## build each function for Lambda, linux/arm64 and linux/amd64, into bin/
	@set -e; for arch in arm64 amd64; do for f in $(FUNCTIONS); do \
		GOOS=linux GOARCH=$$arch $(GOBUILD) -o bin/$$arch/$$f/bootstrap ./functions/$$f; \
		printf '  %-6s %-10s %9d bytes\n' $$arch $$f $$(wc -c < bin/$$arch/$$f/bootstrap); done; done

# `sam build` calls these (BuildMethod: makefile): the configuration is compiled
# first, so that what is deployed is what config/ says. Each runs in a copy of the
# project: without their paths in it, they share what was built before.
build-ReceiverFunction build-ProcessorFunction build-PollerFunction: build-%Function:
	GOFLAGS=-trimpath go generate ./config
	GOOS=linux GOARCH=$(ARCH) $(GOBUILD) -o "$(ARTIFACTS_DIR)/bootstrap" ./functions/$(shell echo $* | tr A-Z a-z)

validate: ## template.yaml by the SAM CLI and cfn-lint, and what sam build makes of it (needs Python)
	test/template/run.sh

lint: ## golangci-lint, as .golangci.yml says
	$(LINT) run

fmt: ## format
	$(LINT) fmt

vet: ## go vet for linux, macOS and Windows
	go vet ./...
	GOOS=darwin go vet ./...
	GOOS=windows go vet ./...

tidy: ## show what go mod tidy would change
	go mod tidy -diff

test: ## every test that needs only Go
	go test ./...

race: ## the same with the race detector, shuffled
	go test -race -shuffle=on ./...

fuzz: ## fuzz every parser of untrusted bytes, FUZZTIME each (default 20s)
	@test/fuzz.sh $(FUZZTIME)

fuzz-push: ## fuzz the receiving side, FUZZTIME at a time, until 10,000,000 inputs were run
	@test/fuzz.sh $(FUZZTIME) 10000000 shared/webhook shared/body shared/event functions/receiver

bench: ## the receiver next to a plain handler, with every preset, by scheme, its memory; the local stack's events per second
	go run ./bench

chaos: ## events pushed and polled while functions and the stack are killed; EVENTS=10000 SEED=…
	go run ./test/chaos

test-pull: ## the poller, killed at random, against stand-ins of APIs; push and poll; the budget; RECORDS=… SEED=…
	go run ./test/pull dialects
	go run ./test/pull together
	go run ./test/pull budget

bench-backfill: ## a backfill of RECORDS=1000000: memory, and time next to the API's own
	go run ./test/pull backfill

test-peers: ## the poller against localstripe, Kinto, json-server and Isso (needs Node and Python)
	test/peers/run.sh

test-real-input: ## GitHub's and Stripe's own payloads and signers against the running stack (needs Node)
	test/real-input/run.sh

test-providers: ## each provider's own SDK signs and we verify, we sign and it verifies (needs Node and Python)
	test/providers/run.sh

test-destinations: ## the destinations in AWS against a stand-in for its services, moto (needs Python)
	test/destinations/run.sh

test-aws-cli: ## the aws command line and boto3 against the local queues and tables (needs Python)
	test/aws-cli/run.sh

test-reference: ## the SQS and DynamoDB suites against ElasticMQ and Amazon's DynamoDB Local (needs Java and Maven)
	test/reference/run.sh

test-postgres: ## the postgres destination against a real PostgreSQL (as root on Debian it is installed)
	test/postgres/run.sh

test-run: ## the README's run command in a clean clone with a fresh HOME, driving an event through it
	test/run-command.sh

clean: ## remove what was built and the local stack's data
	rm -rf bin .pushpull .aws-sam
