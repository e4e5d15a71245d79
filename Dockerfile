FROM python:3.12-slim
WORKDIR /app
COPY requirements.txt .
# The container needs no embedded server. This removes its requirement, which ends at the first line
# without a backslash at the end.
RUN sed '/^fiftyone/,/[^\\]$/d' requirements.txt > /tmp/requirements.txt \
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
ENV HOST=0.0.0.0 DATA_DIR=/data PYTHONUNBUFFERED=1
EXPOSE 8000
HEALTHCHECK CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=3)"]
CMD ["python", "-m", "planner", "serve"]
