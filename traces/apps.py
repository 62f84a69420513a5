from django.apps import AppConfig


class TracesConfig(AppConfig):
    name = "traces"
    verbose_name = "Traces"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_out

        from traces import converters, live

        converters.register()
        user_logged_out.connect(live.signed_out, dispatch_uid="traces.live.signed_out")
