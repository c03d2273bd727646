ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
# Pinned, and in a layer of their own: a change of the source or of the README installs none of it again, and needs no network.
COPY .docker/requirements.txt .docker/build-requirements.txt ./
RUN python -m venv tools \
    && tools/bin/pip install --no-cache-dir -r build-requirements.txt \
    && python -m venv --without-pip /opt/venv \
    && tools/bin/pip --python /opt/venv/bin/python install --no-cache-dir --no-deps -r requirements.txt \
    && find /opt/venv -type d -name tests -prune -exec rm -rf {} +
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN tools/bin/pip wheel --no-cache-dir --no-index --no-deps --no-build-isolation --wheel-dir dist . \
    && tools/bin/pip --python /opt/venv/bin/python install --no-cache-dir --no-index --no-deps dist/*.whl

FROM ${PYTHON_IMAGE}
ENV PATH="/opt/venv/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    DATA_DIR=/data
# Any user may run it, with any file system at /data: like /tmp, it belongs to all, and what each keeps there is its own.
# The settings above are kept in a file as well, for `-e DATA_DIR=` and the like: an empty value counts as not set.
RUN useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin mock \
    && install --directory --mode=1777 /data \
    && install --directory /app /opt/venv/etc \
    && printf '%s\n' "NODE_ENV=$NODE_ENV" "HOST=$HOST" "PORT=$PORT" "DATA_DIR=$DATA_DIR" > /opt/venv/etc/civitai-mock.env \
    && rm -rf /usr/local/lib/python3.*/site-packages/* /usr/local/bin/pip*
COPY --from=build /opt/venv /opt/venv
USER 10001
WORKDIR /app
EXPOSE 3000
# Every other second from the start on: no start period, in which Docker 25 and later would first wait for five.
HEALTHCHECK --interval=2s --timeout=5s --retries=5 CMD ["civitai-mock", "healthcheck"]
# Process 1 gets no signal without a handler: blocked, they wait until it has one.
ENTRYPOINT ["env", "--block-signal=TERM,INT,HUP", "civitai-mock"]
ARG REVISION=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="civitai-mock" \
    org.opencontainers.image.description="A faithful, fast, local stand-in for Civitai's generation orchestrator" \
    org.opencontainers.image.version="0.1.0" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.source="${SOURCE}" \
    org.opencontainers.image.revision="${REVISION}"
