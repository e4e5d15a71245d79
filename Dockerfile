# Exact versions, so that every build has the same base. A digest is exacter still: this command prints it, to be added
# behind the tag (python:3.12.14-slim-bookworm@sha256:…):
#   docker buildx imagetools inspect python:3.12.14-slim-bookworm
FROM python:3.12.14-slim-bookworm
WORKDIR /app
# With what traces need; nothing of it is imported if OTEL_EXPORTER_OTLP_ENDPOINT is not set.
COPY requirements-tracing.txt .
# The container needs no embedded server. This removes its requirement, which ends at the first line
# without a backslash at the end.
RUN sed '/^fiftyone/,/[^\\]$/d' requirements-tracing.txt > /tmp/requirements.txt \
 && pip install --no-cache-dir --require-hashes -r /tmp/requirements.txt
COPY planner planner
COPY auth auth
COPY routes routes
COPY models models
COPY database database
# Mails become files in DATA_DIR unless SMTP_URL is set.
RUN useradd --create-home --uid 10001 planner && install -d -m 700 -o planner -g planner /data
USER planner
VOLUME /data
ENV HOST=0.0.0.0 PORT=8000 DATA_DIR=/data PYTHONUNBUFFERED=1
EXPOSE $PORT
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD \
  ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/readyz', timeout=4)"]
# What /version says, because the image has no repository:
#   docker build --build-arg PLANNER_COMMIT=$(git rev-parse HEAD) .
ARG PLANNER_COMMIT=
ENV PLANNER_COMMIT=$PLANNER_COMMIT
# The other settings are environment variables too, such as WORKERS.
CMD ["python", "-m", "planner", "serve"]
