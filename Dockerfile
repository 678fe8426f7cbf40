# Tenantry with its engines inside; nobody who runs it needs Go.
#   docker build --tag tenantry .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/fleet" tenantry check
#
# BASE is an argument without a digest, because a digest is one registry's and one day's: pass the one that you have looked at.
#   docker build --build-arg BASE=registry.example/python@sha256:... --tag tenantry .
# What comes from package indexes is by hash (requirements*.lock, go.sum), the Go toolchain too.
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS build
# Ways to the package index and to Go modules, for those who have some of their own.
ARG PIP_CERT
ARG PIP_INDEX_URL
ARG GOPROXY
ARG SOURCE_DATE_EPOCH=1580601600
WORKDIR /source
COPY requirements.lock ./
RUN python -m venv /build && /build/bin/pip install --quiet --require-hashes --only-binary :all: -r requirements.lock
COPY . .
RUN GO=locked PYTHONPATH=generator /build/bin/python tools/release.py build host

FROM ${BASE}
ARG PIP_CERT
ARG PIP_INDEX_URL
# git shows what changes since a commit; Python's own image lacks it.
RUN apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/*
COPY --from=build /source/requirements-runtime.lock /source/dist/*manylinux*.whl /tmp/wheels/
# An environment of its own: the base may have packages that its system needs as they are.
RUN python -m venv /opt/tenantry && \
    /opt/tenantry/bin/pip install --quiet --no-cache-dir --require-hashes --only-binary :all: -r /tmp/wheels/requirements-runtime.lock && \
    /opt/tenantry/bin/pip install --quiet --no-cache-dir --no-deps --no-index /tmp/wheels/*.whl && \
    rm -r /tmp/wheels
# Any user may run it: what is written outside of the fleet, its cache and its state, is in folders that each can make.
ENV PATH=/opt/tenantry/bin:$PATH XDG_CACHE_HOME=/tmp/cache XDG_STATE_HOME=/tmp/state
USER 10001:10001
WORKDIR /fleet
ENTRYPOINT ["tenantry"]
CMD ["--help"]
