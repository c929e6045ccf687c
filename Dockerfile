FROM python:3.11-slim-bookworm

ENV PYTHONUNBUFFERED=1
WORKDIR /app

COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

COPY . .
RUN useradd --system --no-create-home ordersite
USER ordersite

# compose.yaml names each process's own command.
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0"]
