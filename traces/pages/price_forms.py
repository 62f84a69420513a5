"""What people type about prices. Rules live in `traces.pricing.changes`."""

from __future__ import annotations

from typing import Any

from django import forms

from traces.models import CostRule, PriceOverride
from traces.models.price_override import RATES

USUAL = (
    "pattern", "provider", "input", "output", "cache_read", "cache_write_5m", "valid_from",
    "valid_until",
)  # fmt: skip
RARE = tuple(name for name in (*RATES, "per_request") if name not in USUAL)
_DEAREST = 10_000_000  # US dollars for a million tokens


class OverrideForm(forms.ModelForm[PriceOverride]):
    """Times are UTC."""

    class Meta:
        model = PriceOverride
        fields = (*USUAL, *RARE)
        widgets = {
            "valid_from": forms.DateTimeInput(attrs={"type": "datetime-local"}),
            "valid_until": forms.DateTimeInput(attrs={"type": "datetime-local"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("pattern", "provider"):
            self.fields[name].widget.attrs.update({"autocomplete": "off", "spellcheck": "false"})
        for name in (*RATES, "per_request"):
            self.fields[name].widget.attrs.update(
                {"min": "0", "step": "any", "inputmode": "decimal"}
            )
            number = self.fields[name]
            assert isinstance(number, forms.DecimalField)
            number.min_value, number.max_value = 0, _DEAREST

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        for name in (*RATES, "per_request"):
            value = found.get(name)
            if value is not None and not 0 <= value <= _DEAREST:
                self.add_error(name, f"A price is from 0 to {_DEAREST:,}.")
        return found


class RuleForm(forms.Form):
    counts = forms.ChoiceField(
        label="Where a span reports a cost and we compute one, this counts",
        choices=CostRule.Counts.choices,
        widget=forms.RadioSelect,
    )
    estimates_tokens = forms.BooleanField(
        label="Estimate the tokens of calls that report none",
        help_text="Counted from their texts some minutes after a trace has settled, and marked as "
        "estimated wherever they are shown.",
        required=False,
    )
