# syntax=docker/dockerfile:1
# Two images from one file: `serve` (the API, without PyTorch) and `worker` (training jobs, CUDA by
# PyTorch's own wheels). Both run as a user without rights on a read-only root; data is in var/.

FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ORT_DISABLE_TELEMETRY=1 \
    PATH=/opt/sentiscope/bin:$PATH
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin sentiscope \
    && install -d -o sentiscope -g sentiscope /srv/sentiscope /srv/sentiscope/var
WORKDIR /srv/sentiscope

FROM base AS builder
ENV UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1
COPY requirements/uv.txt requirements/
RUN python -m venv /opt/uv \
    && /opt/uv/bin/pip install --no-cache-dir --require-hashes -r requirements/uv.txt \
    && python -m venv --without-pip /opt/sentiscope

FROM scratch AS code
WORKDIR /code
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY models models
COPY sentiscope sentiscope
COPY training training
COPY worker worker

FROM builder AS build-serve
COPY requirements/api.txt requirements/
RUN --mount=type=cache,target=/root/.cache/uv \
    /opt/uv/bin/uv pip install --python /opt/sentiscope/bin/python --require-hashes -r requirements/api.txt
COPY --from=code /code ./
RUN /opt/uv/bin/uv pip install --python /opt/sentiscope/bin/python --no-deps --no-build-isolation .

FROM builder AS build-worker
COPY requirements/worker.txt requirements/
RUN --mount=type=cache,target=/root/.cache/uv \
    /opt/uv/bin/uv pip install --python /opt/sentiscope/bin/python --require-hashes -r requirements/worker.txt
COPY --from=code /code ./
RUN /opt/uv/bin/uv pip install --python /opt/sentiscope/bin/python --no-deps --no-build-isolation .

FROM base AS worker
COPY --from=build-worker /opt/sentiscope /opt/sentiscope
ENV HOME=/tmp \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001:10001
VOLUME /srv/sentiscope/var
STOPSIGNAL SIGTERM
# That it runs is told by the container; that it can be told of jobs, by this.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s \
    CMD ["python", "-c", "import redis; from worker.settings import JobSettings; redis.Redis.from_url(JobSettings().redis_url, socket_timeout=5).ping()"]
CMD ["sentiscope", "worker", "--name", "worker"]

FROM base AS serve
COPY --from=build-serve /opt/sentiscope /opt/sentiscope
ENV SENTISCOPE_HOST=0.0.0.0 \
    SENTISCOPE_PORT=8000
USER 10001:10001
VOLUME /srv/sentiscope/var
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:8000/health/ready', timeout=2)"]
CMD ["sentiscope", "serve"]
