"""Rows of detection: what is looked for, each run of it, what was found, and who is told."""

from detectors.models.alert import AlertDelivery, AlertRoute
from detectors.models.detector import Detector
from detectors.models.finding import Evidence, Finding
from detectors.models.run import DetectorRun
from detectors.models.sweep import SweepCursor

__all__ = [
    "AlertDelivery",
    "AlertRoute",
    "Detector",
    "DetectorRun",
    "Evidence",
    "Finding",
    "SweepCursor",
]
