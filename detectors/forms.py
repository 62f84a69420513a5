"""What people may type about detectors and alerts."""

from __future__ import annotations

from django import forms

from detectors.checks.repeated_call import DEFAULT_TIMES
from detectors.models import Detector


class AlertRouteForm(forms.Form):
    email = forms.EmailField(
        label="Email address",
        max_length=254,
        widget=forms.EmailInput(attrs={"class": "input", "placeholder": "oncall@example.com"}),
    )

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).strip().lower()


class DetectorForm(forms.ModelForm):  # type: ignore[type-arg]
    """`times` and `prompt` are there for the detectors that have them."""

    times = forms.IntegerField(
        label="Equal calls that count as repeated",
        min_value=2,
        max_value=100,
        widget=forms.NumberInput(attrs={"class": "input"}),
    )

    class Meta:
        model = Detector
        fields = ("is_enabled", "includes_evaluations", "severity", "sample_rate", "prompt")
        labels = {
            "is_enabled": "Look at new traces",
            "includes_evaluations": "Look at evaluation runs too",
            "sample_rate": "Share of traces to judge",
            "prompt": "What to look for",
        }
        help_texts = {
            "includes_evaluations": "Runs of a test set are no production traffic, and fail often.",
            "sample_rate": "From 0 to 1. Chosen by a hash of the trace: the choice never changes.",
            "prompt": "In plain words: what counts as a failure, and what does not.",
        }
        widgets = {
            "is_enabled": forms.CheckboxInput(),
            "includes_evaluations": forms.CheckboxInput(),
            "severity": forms.Select(attrs={"class": "select"}),
            "sample_rate": forms.NumberInput(
                attrs={"class": "input", "step": "0.01", "min": 0, "max": 1}
            ),
            "prompt": forms.Textarea(attrs={"class": "input", "rows": 14}),
        }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if self.instance.kind == Detector.Kind.JUDGE:
            self.fields["prompt"].required = True
        else:
            del self.fields["prompt"], self.fields["sample_rate"]
        if self.instance.template == "repeated_call":
            self.fields["times"].initial = self.instance.config.get("times", DEFAULT_TIMES)
        else:
            del self.fields["times"]

    def save(self, commit: bool = True) -> Detector:
        """Every change makes a new version; verdicts name theirs."""
        detector: Detector = super().save(commit=False)
        if "times" in self.cleaned_data:
            detector.config = {**detector.config, "times": self.cleaned_data["times"]}
        if self.has_changed():
            detector.version += 1
        if commit:
            detector.save()
        return detector
