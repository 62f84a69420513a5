"""Every setting, read from the environment here and nowhere else.

With no environment at all the product runs embedded on a laptop: SQLite, an engine process of our
own, in-memory queue, loopback only. `DATABASE_URL`, `CLICKHOUSE_URL` and `REDIS_URL` each move one
part to a server.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import django
import django_stubs_ext

from traceroot_site import environment as env
from traceroot_site import static_version

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.path("TRACEROOT_DATA_DIR", BASE_DIR / "data")
IS_TEST = "pytest" in sys.modules
IS_PRODUCTION = env.flag("TRACEROOT_PRODUCTION", False)
DEBUG = env.flag("TRACEROOT_DEBUG", False)

# --- Addresses --------------------------------------------------------------------------------
HOST = env.text("TRACEROOT_HOST", "127.0.0.1")
PORT = env.integer("TRACEROOT_PORT", 8000)
OTLP_PORT = env.integer("TRACEROOT_OTLP_PORT", 4318)
GRPC_PORT = env.integer("TRACEROOT_GRPC_PORT", 4317)
GRPC_CERT_FILE = env.text("TRACEROOT_GRPC_CERT_FILE", "")  # PEM; with the key: OTLP/gRPC over TLS
GRPC_KEY_FILE = env.text("TRACEROOT_GRPC_KEY_FILE", "")
PUBLIC_URL = env.text("TRACEROOT_PUBLIC_URL", f"http://localhost:{PORT}").rstrip("/")
TRACEROOT_IS_LOOPBACK = HOST in {"127.0.0.1", "localhost", "::1"}
ALLOWED_HOSTS = env.words(
    "TRACEROOT_ALLOWED_HOSTS",
    ["localhost", "127.0.0.1", "[::1]", urlsplit(PUBLIC_URL).hostname or "localhost"],
)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL.startswith("https://") else []

SECRET_KEY = env.secret("TRACEROOT_SECRET_KEY", DATA_DIR / "secret-key", required=IS_PRODUCTION)

# --- Applications -----------------------------------------------------------------------------
INSTALLED_APPS = [
    "traceroot_site",
    "accounts",
    "integrations",
    "traces",
    "detectors",
    "debugging",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "channels",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "drf_spectacular",
    "rest_framework",
]
MIDDLEWARE = [
    "traceroot_site.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "traceroot_site.middleware.NoStoreMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "traceroot_site.middleware.MethodPageMiddleware",
]
ROOT_URLCONF = "traceroot_site.urls"
ASGI_APPLICATION = "traceroot_site.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "traceroot_site.context.site",
                "accounts.context.navigation",
            ],
        },
    },
]

# --- Stores -----------------------------------------------------------------------------------
DATABASES = {"default": env.database("DATABASE_URL", DATA_DIR / "traceroot.sqlite3")}
# What waits for the trace engine. A file of its own, synced at each commit, beside an embedded
# database; else the main database, or one of its own.
SPOOL_ALIAS = "default"
if env.text("SPOOL_DATABASE_URL", "") or not env.text("DATABASE_URL", ""):
    SPOOL_ALIAS = "spool"
    DATABASES["spool"] = env.database(
        "SPOOL_DATABASE_URL", DATA_DIR / "spool.sqlite3", is_queue=True
    )
DATABASE_ROUTERS = ["traces.spool.router.SpoolRouter"]
SPOOL_MAX_BYTES = env.integer("TRACEROOT_SPOOL_MAX_BYTES", 2 * 1024**3)
SPOOL_MIN_FREE_BYTES = env.integer("TRACEROOT_SPOOL_MIN_FREE_BYTES", 256 * 1024**2)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CLICKHOUSE_URL = env.text("CLICKHOUSE_URL", "")  # empty: the embedded engine of DATA_DIR
CLICKHOUSE_CLUSTER = env.text("CLICKHOUSE_CLUSTER", "")
CLICKHOUSE_SHARDED = env.flag("CLICKHOUSE_SHARDED", False)
CLICKHOUSE_QUERY_SECONDS = env.integer("CLICKHOUSE_QUERY_SECONDS", 20)
CLICKHOUSE_INSERT_SECONDS = env.integer("CLICKHOUSE_INSERT_SECONDS", 10)
CLICKHOUSE_POOL_SIZE = env.integer("CLICKHOUSE_POOL_SIZE", 8)
ENGINE_MAX_MEMORY_BYTES = env.integer("TRACEROOT_ENGINE_MAX_MEMORY_BYTES", 2 * 1024**3)
REDIS_URL = env.text("REDIS_URL", "")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {
            # redis-py's default time-out of 5 s would end every socket that is quiet for as long.
            "hosts": [{"address": REDIS_URL, "socket_timeout": None}]
        },
    }
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}

# --- Background work --------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL or "memory://"
# The in-memory transport looks for work once a second by default; that is most of a live update.
CELERY_BROKER_TRANSPORT_OPTIONS = {} if REDIS_URL else {"polling_interval": 0.05}
CELERY_BEAT_SCHEDULER = "traceroot_site.beat.Scheduler"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False  # the row is the queue; a lost wake-up is found by the next sweep
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_TIME_LIMIT = 900
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
RECEIVERS = max(1, env.integer("TRACEROOT_RECEIVERS", min(2, os.cpu_count() or 1)))
WORKER_THREADS = env.integer("TRACEROOT_WORKER_THREADS", 4)

# --- Ingest -----------------------------------------------------------------------------------
INGEST_MAX_COMPRESSED_BYTES = env.integer("TRACEROOT_INGEST_MAX_COMPRESSED_BYTES", 16 * 1024**2)
INGEST_MAX_BODY_BYTES = env.integer("TRACEROOT_INGEST_MAX_BODY_BYTES", 64 * 1024**2)
INGEST_MAX_SPANS_PER_REQUEST = env.integer("TRACEROOT_INGEST_MAX_SPANS_PER_REQUEST", 50_000)
# What is larger is cut, and says so: characters of one value and of a span, numbers of the others.
INGEST_MAX_VALUE_CHARS = env.integer("TRACEROOT_INGEST_MAX_VALUE_CHARS", 1024**2)
INGEST_MAX_SPAN_CHARS = env.integer("TRACEROOT_INGEST_MAX_SPAN_CHARS", 4 * 1024**2)
INGEST_MAX_ATTRIBUTES = env.integer("TRACEROOT_INGEST_MAX_ATTRIBUTES", 2_000)
INGEST_MAX_KEY_CHARS = env.integer("TRACEROOT_INGEST_MAX_KEY_CHARS", 1_024)
INGEST_MAX_EVENTS = env.integer("TRACEROOT_INGEST_MAX_EVENTS", 1_000)
INGEST_MAX_LINKS = env.integer("TRACEROOT_INGEST_MAX_LINKS", 1_000)
# Of a project that has no limits of its own; 0: none.
INGEST_SPANS_PER_SECOND = env.integer("TRACEROOT_INGEST_SPANS_PER_SECOND", 0)
INGEST_BYTES_PER_DAY = env.integer("TRACEROOT_INGEST_BYTES_PER_DAY", 0)
INGEST_RULES_REFRESH_SECONDS = env.integer("TRACEROOT_INGEST_RULES_REFRESH_SECONDS", 10)
INGEST_MAX_WAITING_BYTES = env.integer("TRACEROOT_INGEST_MAX_WAITING_BYTES", 192 * 1024**2)
INGEST_LEDGER_DAYS = env.integer("TRACEROOT_INGEST_LEDGER_DAYS", 14)
INGEST_BODY_SECONDS = env.integer("TRACEROOT_INGEST_BODY_SECONDS", 30)
SETTLE_QUIET_SECONDS = env.integer("TRACEROOT_SETTLE_QUIET_SECONDS", 10)
SETTLE_SILENCE_SECONDS = env.integer("TRACEROOT_SETTLE_SILENCE_SECONDS", 60)
# Late spans settle a trace anew so many times; then once it has been quiet for an hour.
SETTLE_GENERATIONS = env.integer("TRACEROOT_SETTLE_GENERATIONS", 20)
PRICES_REFRESH_SECONDS = env.integer("TRACEROOT_PRICES_REFRESH_SECONDS", 30)  # 0: own changes only
API_MAX_SPANS_PER_TRACE = env.integer("TRACEROOT_API_MAX_SPANS_PER_TRACE", 20_000)

# --- Deletion ---------------------------------------------------------------------------------
# What a client sends of a deleted trace is dropped for so long, and known to receivers so soon.
TOMBSTONE_DAYS = env.integer("TRACEROOT_TOMBSTONE_DAYS", 30)
TOMBSTONES_REFRESH_SECONDS = env.integer("TRACEROOT_TOMBSTONES_REFRESH_SECONDS", 1)  # 0: never
# After it, a second look for what was on its way meanwhile: longer than any INSERT takes.
DELETION_CHECK_SECONDS = env.integer("TRACEROOT_DELETION_CHECK_SECONDS", 30)
DELETION_LOOK_SECONDS = 5
# stages above that keep something of traces: modules with erase_traces and erase_project
TRACE_HOLDERS = ["detectors.deletion", "debugging.deletion"]

# --- Judge and debugging ----------------------------------------------------------------------
JUDGE_MODEL = env.text("TRACEROOT_JUDGE_MODEL", "")
JUDGE_BASE_URL = env.text("TRACEROOT_JUDGE_BASE_URL", "")
JUDGE_API_KEY = env.text("TRACEROOT_JUDGE_API_KEY", "")
JUDGE_TIMEOUT_SECONDS = env.integer("TRACEROOT_JUDGE_TIMEOUT_SECONDS", 60)
JUDGE_MAX_TOKENS = env.integer("TRACEROOT_JUDGE_MAX_TOKENS", 1500)
REPOSITORY_ROOTS = env.paths("TRACEROOT_REPOSITORY_ROOTS")
REPOSITORY_ALLOW_PRIVATE_ADDRESSES = env.flag("TRACEROOT_REPOSITORY_ALLOW_PRIVATE_ADDRESSES", False)
REPOSITORY_CA_FILE = next(
    iter(env.paths("TRACEROOT_REPOSITORY_CA_FILE")), None
)  # else the system's

# --- Accounts ---------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# figures beside the sidebar's items: callables (project id) -> int
NAVIGATION_COUNTS = {"findings": "detectors.findings.count_open"}
SIGN_UP = env.choice("TRACEROOT_SIGN_UP", "closed", {"open", "closed"})
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # a reset form must not mail strangers
PASSWORD_RESET_TIMEOUT = 3 * 86_400  # seconds; also for the first link of a new account
SIGN_IN_WAIT_SECONDS = 300  # after five wrong passwords for one address
ACCOUNT_RATE_LIMITS = {
    "login_failed": f"10/m/ip,5/{SIGN_IN_WAIT_SECONDS}s/key",
    "add_member": "60/h/user",
}
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"

# --- Mail -------------------------------------------------------------------------------------
EMAIL_HOST = env.text("EMAIL_HOST", "")
EMAIL_PORT = env.integer("EMAIL_PORT", 587)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", bool(EMAIL_HOST) and EMAIL_PORT == 587)
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL", EMAIL_PORT == 465)
EMAIL_TIMEOUT = 15
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if EMAIL_HOST
    else "traceroot_site.mail.EmailBackend"
)
EMAIL_FILE_PATH = DATA_DIR / "mail"
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "TraceRoot <traceroot@localhost>")

# --- Browser ----------------------------------------------------------------------------------
# The address changes with the content, so browsers keep the files for good.
STATIC_VERSION = static_version.version(BASE_DIR / "static", django.__version__)
STATIC_URL = "/static/" if DEBUG else f"/static/{STATIC_VERSION}/"
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/[0-9a-f]{10}/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}
IS_HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_NAME = "traceroot_session"
CSRF_COOKIE_NAME = "traceroot_csrf"
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_PRODUCTION else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024**2
CSRF_FAILURE_VIEW = "traceroot_site.errors.csrf_failure"

# --- API --------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api_authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "traces.api.errors.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "TraceRoot Public API",
    "VERSION": "0.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1/public",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
}

# --- Language, time, logs ---------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"  # Django exports TZ and the embedded engine takes its zone from it
USE_TZ = True
LOG_LEVEL = env.text("TRACEROOT_LOG_LEVEL", "INFO").upper()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname:<7} {name} {message}", "style": "{"},
    },
    "filters": {
        "request_lines": {"()": "traceroot_site.request_log.RequestLines"},
        "repeated_lines": {"()": "traceroot_site.repeated_lines.RepeatedLines"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_lines", "repeated_lines"],
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "kombu.connection": {"level": "ERROR"},  # warns that memory:// has no host name
        "daphne": {"level": "WARNING"},
        "django.channels.server": {"level": "WARNING"},
        "LiteLLM": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
        # Each attempt at an engine that is away; we say so once, in one line.
        "urllib3": {"level": "ERROR"},
        "clickhouse_connect": {"level": "ERROR"},
        "asyncio": {"level": "WARNING"},
    },
}

# litellm reads these when it is imported: no look-up of prices over the network, no telemetry.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
os.environ.setdefault("LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS", "True")
os.environ.setdefault("LITELLM_LOCAL_BLOG_POSTS", "True")
os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
