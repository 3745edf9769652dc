# Greenroom's image: a virtual environment from the lock, and nothing that built it.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv /opt/greenroom
COPY requirements.lock ./
RUN /opt/greenroom/bin/pip install --require-hashes -r requirements.lock
COPY . .
# What builds the wheel is in the lock too, so nothing comes in without its hash.
RUN /opt/greenroom/bin/pip install --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin greenroom \
 && install --directory --owner=greenroom /data
COPY --from=build /opt/greenroom /opt/greenroom
ENV PATH=/opt/greenroom/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GREENROOM_HOST=0.0.0.0 \
    GREENROOM_PORT=8080
USER greenroom
# SQLite and a keys file go here, when they are used: mount a volume then. All else may be read-only, but for /tmp.
WORKDIR /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os; from urllib.request import ProxyHandler, build_opener; \
build_opener(ProxyHandler({})).open('http://127.0.0.1:' + os.environ['GREENROOM_PORT'] + '/healthz', timeout=4)"]
ENTRYPOINT ["greenroom"]
CMD ["serve"]
