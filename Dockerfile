# One image for all programs, which run from their TypeScript source with tsx. The command of a
# container is a program's file and its arguments: broker/main.ts, clients/load.ts --rate 200.

ARG BASE_IMAGE=node:24-bookworm-slim

FROM ${BASE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No package needs its install script: the two with binaries contain them. If the package registry
# is out of reach, the build fails within a minute.
RUN npm ci --omit=dev --ignore-scripts --fetch-retries=1 --fetch-timeout=20000
# zeromq contains binaries for all systems.
RUN rm -r node_modules/zeromq/build/darwin node_modules/zeromq/build/win32
# A missing binary fails the build, not the first start.
RUN echo 'import "zeromq"' >try.ts && node --import tsx try.ts

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="majordomo" org.opencontainers.image.licenses="MIT"
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY . .
# Only its owner can read a clone that was made under a strict umask.
RUN find . -path ./node_modules -prune -o -exec chmod a+rX {} +
# A new volume takes its owner from this folder.
RUN install -d -o 1000 -g 1000 /data
# Programs write to /data only, so the file system may be read-only.
ENV TSX_DISABLE_CACHE=1
# A number, because not every base image has a name for this user.
USER 1000
# Half of the space that Node 24 reserves for new objects, to save memory.
ENTRYPOINT ["node", "--max-semi-space-size=16", "--import", "tsx"]
CMD ["broker/main.ts"]
