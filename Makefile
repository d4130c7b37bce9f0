# `make` without a target lists the targets. All need Node and npm; some need Docker and say so.

.DEFAULT_GOAL := help
SERVICE ?= echo
BODY ?= hello
N ?= 5

# The values as they were given: make must not read a $ in them, nor the shell a quote.
call load: override export SERVICE := $(value SERVICE)
call load: override export BODY := $(value BODY)
GIVEN := $(filter-out file default undefined,$(origin SERVICE) $(origin BODY))

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: node_modules ## Without Docker: one worker is killed, one is frozen, no request is lost
	@npm run -s demo

check: node_modules ## Types, lint and house rules: a few seconds
	@npm run -s check

test: node_modules ## All suites for a contributor: rules, simulation, processes, browser, databases, peers, versions, containers
	@npm run -s test

proof: node_modules ## Before a release: suites on libzmq, long simulation, chaos, mutants; ARGS='--only chaos'
	@npm run -s proof -- $(ARGS)

databases: node_modules ## The db worker on SQLite and on a PostgreSQL server of its own; needs postgresql
	@npm run -s databases

conformance: node_modules ## 7/MDP, 18/MDP and 8/MMI on the wire; MDP_BROKER=tcp://… tests another broker
	@npm run -s conformance

peers: node_modules ## Peers in Python and C against ours; needs python3-zmq, libzmq3-dev and gcc
	@npm run -s peers

e2e: node_modules ## Docker: workers and brokers killed, paused, cut off; ONLY=paused selects scenarios
	@npm run -s e2e

chaos: node_modules ## Docker: random faults under load; DURATION=30m, SEED=42 repeats the faults
	@npm run -s chaos

simulate: node_modules ## Simulated faults for all rules together; SEEDS=100000, or SEED=42 for one
	@npm run -s simulate

mutants: node_modules ## Break each rule on purpose, on a copy, and see a test fail
	@npm run -s mutants

bench: node_modules ## Speed beside NATS, Redis, RabbitMQ and others, half an hour; QUICK=1, ONLY=queue
	@npm run -s bench

call: node_modules ## Send one request to the broker at MDP_PORT: make call SERVICE=math BODY='2 + 2'
	@npm run -s call -- "$$SERVICE" "$$BODY"

console: node_modules ## The page of the broker at 127.0.0.1:5555, at http://127.0.0.1:8080
	@npm run -s console

load: node_modules ## Put load on the broker at MDP_PORT: make load ARGS='--rate 500'; SERVICE=resize BODY=@file
	@npm run -s load -- $(if $(GIVEN),--service "$$SERVICE" --body "$$BODY") $(ARGS)

up: ## Docker: start the whole stack in the background and wait until it is healthy
	docker compose up --build --detach --wait
	@for second in 1 2 3 4 5; do \
	  docker compose logs --no-log-prefix console | grep -oE '(open http|try: )[^"]*' | tail -n 4 | grep . && break; sleep 1; done
	@echo "Next: make logs, make scale N=5, make down."

logs: ## Docker: follow the logs of the stack
	docker compose logs --follow --tail 20

scale: ## Docker: set the number of workers: make scale SERVICE=echo N=5
	docker compose up --detach --no-recreate --no-deps --scale $(SERVICE)=$(N) $(SERVICE)

smoke: node_modules ## Docker: build, call, scale, kill and stop the shipped compose files
	.ci/smoke
	.ci/smoke compose.postgres.yaml

down: ## Docker: stop the stack; the documents stay (docker compose down --volumes removes them)
	docker compose down

clean: ## Remove installed and generated files
	rm -rf node_modules bench/node_modules data reports e2e/peers/built bench/native/built

# npm warns on old Nodes about packages that then run on the Node that it installs here.
node_modules: package.json package-lock.json
	@echo "Installing packages …"
	@npm ci --loglevel=error
	@touch node_modules

# The clients of the systems that the benchmark compares: nothing else needs them.
bench/node_modules: bench/package.json bench/package-lock.json
	@echo "Installing the packages of bench/ …"
	@npm ci --prefix bench --no-audit --no-fund --loglevel=error
	@touch bench/node_modules

.PHONY: help demo check test proof databases conformance peers e2e chaos simulate mutants bench call console load up logs scale smoke down clean
