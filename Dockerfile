# One image for every process; compose.yaml and deploy/ name each one's own command.
FROM python:3.13-slim-trixie AS packages

COPY requirements.txt .
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

FROM python:3.13-slim-trixie

# The first process of a container, which hands signals on and takes in what its children leave.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/*

COPY --from=packages /venv /venv
# The root file system may be read-only: nothing is written but under /tmp.
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HEARTBEAT_FILE=/tmp/heartbeat

WORKDIR /app
COPY . .
RUN python -m compileall -q .

# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
ENTRYPOINT ["tini", "--"]
CMD ["python", "manage.py", "serve", "--host", "::"]
