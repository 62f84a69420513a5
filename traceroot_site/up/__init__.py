"""`manage.py up`: the whole product in one directory, started, watched and stopped together."""
