"""What people type about rules and limits. Rules live in `traces.admission.changes`."""

from __future__ import annotations

from typing import Any

from django import forms

from traces.models import DropRule, IngestLimit


class RuleForm(forms.ModelForm[DropRule]):
    class Meta:
        model = DropRule
        fields = ("match", "pattern", "key", "drops_failed")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("pattern", "key"):
            self.fields[name].widget.attrs.update({"autocomplete": "off", "spellcheck": "false"})


class LimitForm(forms.ModelForm[IngestLimit]):
    class Meta:
        model = IngestLimit
        fields = ("spans_per_second", "bytes_per_day")
