# One image for every process; the command says which: receiver, web, worker, beat, migrate.
FROM python:3.12-slim AS build
WORKDIR /build
COPY requirements.txt .
RUN python -m venv /opt/traceroot && \
    /opt/traceroot/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

FROM python:3.12-slim
RUN apt-get update -qq && \
    apt-get install -y -qq --no-install-recommends git bubblewrap && \
    rm -rf /var/lib/apt/lists/* && \
    useradd --system --uid 10001 --create-home traceroot
COPY --from=build /opt/traceroot /opt/traceroot
WORKDIR /app
COPY --chown=traceroot . .
ENV PATH=/opt/traceroot/bin:$PATH PYTHONUNBUFFERED=1 TRACEROOT_DATA_DIR=/data TRACEROOT_PRODUCTION=true
RUN mkdir /data && chown traceroot /data
USER traceroot
VOLUME /data
EXPOSE 8000 4317 4318
ENTRYPOINT ["/app/deploy/entrypoint.sh"]
CMD ["web"]
