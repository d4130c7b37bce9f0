# One image for all programs. They run from their TypeScript source with tsx; a container's command
# is the program's file and its arguments: broker/main.ts, clients/load.ts --rate 200.

ARG BASE_IMAGE=node:24-bookworm-slim

FROM ${BASE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No package needs its install script: the two with binaries bring them. A registry that is out of
# reach is an error within a minute, not within ten.
RUN npm ci --omit=dev --ignore-scripts --fetch-retries=1 --fetch-timeout=20000
# zeromq brings its binary for every system.
RUN rm -r node_modules/zeromq/build/darwin node_modules/zeromq/build/win32
# A binary that is missing is found out here, not at the first start.
RUN echo 'import "zeromq"' >try.ts && node --import tsx try.ts

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="majordomo" org.opencontainers.image.licenses="MIT"
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY . .
# A clone made under a strict umask is readable to its owner only.
RUN find . -path ./node_modules -prune -o -exec chmod a+rX {} +
# A new volume takes its owner from here.
RUN install -d -o 1000 -g 1000 /data
# Nothing is written outside /data: the file system may be read-only.
ENV TSX_DISABLE_CACHE=1
# By number: not every base image has a name for it.
USER 1000
# Half of what Node 24 sets aside for what is new: it counts as memory, and is not missed.
ENTRYPOINT ["node", "--max-semi-space-size=16", "--import", "tsx"]
CMD ["broker/main.ts"]
