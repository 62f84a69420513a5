from django.apps import AppConfig


class TracerootSiteConfig(AppConfig):
    name = "traceroot_site"
    verbose_name = "Site"

    def ready(self) -> None:
        from traceroot_site import checks  # noqa: F401 - registers the system checks
