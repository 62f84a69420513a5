#!/bin/sh
# entrypoint.sh ROLE: one process of the production shape.
set -eu
case "${1:-web}" in
  web) exec python manage.py web --host 0.0.0.0 --port 8000 --no-worker ;;
  receiver) exec python manage.py receiver --host 0.0.0.0 --port 4318 ;;
  worker) exec celery -A traceroot_site worker --concurrency "${TRACEROOT_WORKER_PROCESSES:-4}" --loglevel INFO ;;
  beat) exec celery -A traceroot_site beat --loglevel INFO ;;
  migrate) python manage.py migrate && { [ -z "${SPOOL_DATABASE_URL:-}" ] || python manage.py migrate --database spool; } && python manage.py migrate_clickhouse && exec python manage.py seed_schedule ;;
  *) exec python manage.py "$@" ;;
esac
