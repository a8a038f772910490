FROM python:3.13.9-slim-trixie AS build

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/build && python -m venv /opt/tracker

WORKDIR /src
# With Parquet and OpenTelemetry.
COPY requirements-image.lock requirements-build.lock ./
RUN /opt/build/bin/pip install --require-hashes -r requirements-build.lock \
 && /opt/tracker/bin/pip install --require-hashes --only-binary :all: -r requirements-image.lock

COPY pyproject.toml README.md LICENSE NOTICE ./
COPY tracker tracker
COPY projections projections
COPY api api
COPY seeds seeds
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
 && /opt/tracker/bin/pip install --no-deps --no-index /dist/*.whl \
 && /opt/tracker/bin/pip uninstall --yes pip


FROM python:3.13.9-slim-trixie

RUN groupadd --system --gid 10001 tracker \
 && useradd --system --uid 10001 --gid tracker --home-dir /data --no-create-home --shell /usr/sbin/nologin tracker \
 && install --directory --owner tracker --group tracker /data /state /archive
COPY --from=build /opt/tracker /opt/tracker

ENV PATH=/opt/tracker/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PORT=8000

USER 10001:10001
WORKDIR /data
EXPOSE 8000
# Whether a restart would help; docs/operations.md says what to ask for reads and for the whole service.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health/live', timeout=4)"]

# Without settings the record is /data/tracker.db: mount a volume there.
CMD ["sh", "-c", "exec tracker serve --host 0.0.0.0 --port \"$PORT\""]
