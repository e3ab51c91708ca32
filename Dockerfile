# The whole service in a container. compose.yaml runs the container together with a Redis.
FROM python:3.13-slim AS packages
WORKDIR /build
COPY requirements-run.txt ./
COPY layers/core/requirements.txt layers/core/
COPY layers/yahoo/requirements.txt layers/yahoo/
COPY functions/api/requirements.txt functions/api/
COPY local/requirements.txt local/
# Only wheels are installed, so that no compiler is needed. The tests of the packages are removed.
RUN python -m venv --without-pip /venv \
 && pip --python /venv/bin/python install --no-cache-dir --no-compile --no-deps --require-hashes --only-binary=:all: \
      -r requirements-run.txt \
 && find /venv -type d -name tests -prune -exec rm -rf {} + \
 && /venv/bin/python -m compileall -q /venv/lib

FROM python:3.13-slim
RUN install -d -o 10001 -g 10001 -m 700 /data
COPY --from=packages /venv /venv
WORKDIR /app
COPY layers/core/marketdata layers/core/marketdata
COPY functions functions
COPY local local
RUN /venv/bin/python -m compileall -q /app
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app:/app/layers/core \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    MARKETDATA_HOME=/data \
    MARKETDATA_CONTAINER=1 \
    HOST=0.0.0.0 \
    PORT=8000
USER 10001:10001
# The log and the last good asset lists. All other files may be read-only, with a tmpfs on /tmp.
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/health', timeout=4)"]
CMD ["python", "-m", "local", "start"]
