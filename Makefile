# `make` alone says what there is. Only Node and npm are needed, and Docker for what says so.

.DEFAULT_GOAL := help
SERVICE ?= echo
BODY ?= hello
N ?= 5

help: ## What there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: node_modules ## The main job in 20 s, without Docker: a worker killed, one frozen, nothing lost
	@npm run -s demo

test: node_modules ## Everything: types, lint, rules, a simulation, processes, databases, peers, containers
	@npm run -s test

check: node_modules ## Types, lint and house rules alone: a few seconds
	@npm run -s check

databases: node_modules ## The db worker on SQLite and on a PostgreSQL server of its own. Needs postgresql
	@npm run -s databases

conformance: node_modules ## The RFCs on the wire, a verdict per requirement; MDP_BROKER=tcp://… make conformance tests another broker
	@npm run -s conformance

peers: node_modules ## Who works with whom: peers in Python and C. Needs python3-zmq, libzmq3-dev and gcc
	@npm run -s peers

e2e: node_modules ## Docker: workers and broker killed, paused, cut off, in containers; ONLY=paused make e2e
	@npm run -s e2e

chaos: node_modules ## Docker: all goes wrong at random under load, nothing is lost; DURATION=30m SEED=42 make chaos
	@npm run -s chaos

simulate: node_modules ## Bad days for all the rules together: SEEDS=100000 make simulate, SEED=42 make simulate
	@npm run -s simulate

mutants: node_modules ## Each rule broken on purpose, on a copy, and the test that notices
	@npm run -s mutants

bench: node_modules ## Speed beside NATS, Redis, RabbitMQ … on this machine, half an hour; QUICK=1, ONLY=queue make bench
	@npm run -s bench

call: node_modules ## One request: make call SERVICE=math BODY='2 + 2'
	@npm run -s call -- '$(SERVICE)' '$(BODY)'

load: node_modules ## Load on the broker at 127.0.0.1:5555: make load ARGS='--rate 500'
	@npm run -s load -- $(ARGS)

up: ## Docker: the whole stack, in the background, healthy
	docker compose up --build --detach --wait
	@echo "Running. make logs shows it, make scale N=5 scales echo, make down ends it."

logs: ## Docker: what the stack says
	docker compose logs --follow --tail 20

scale: ## Docker: make scale SERVICE=echo N=5
	docker compose up --detach --no-recreate --no-deps --scale $(SERVICE)=$(N) $(SERVICE)

smoke: node_modules ## Docker: build, start, call, scale, kill and stop the shipped stacks; says what failed
	.ci/smoke
	.ci/smoke compose.postgres.yaml

down: ## Docker: end the stack; the documents stay (docker compose down --volumes removes them)
	docker compose down

clean: ## Remove what was installed and written here
	rm -rf node_modules data reports e2e/peers/built

# npm says much on old Nodes, of packages that then run on the Node that is installed here.
node_modules: package.json package-lock.json
	@echo "Installing what is missing …"
	@npm ci --loglevel=error
	@touch node_modules

.PHONY: help demo test check databases conformance peers e2e chaos simulate mutants bench call load up logs scale smoke down clean
