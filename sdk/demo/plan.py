"""Which runs the demo has: who asked what, when, of which agent.

Ages are minutes before now, of the run's start. Runs older than the newest release ran the one
before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sdk.demo.commits import NEW_RELEASE, NEW_RELEASE_AGE, OLD_RELEASE

ENVIRONMENTS = {"support": "production", "research": "production", "coding": "staging"}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of an agent; `age_minutes` is None for a run that happens live."""

    agent: str
    age_minutes: int | None
    message: str
    session: str = ""
    user: str = ""
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def release(self) -> str:
        boundary = NEW_RELEASE_AGE.total_seconds() / 60
        is_old = self.age_minutes is not None and self.age_minutes > boundary
        return OLD_RELEASE if is_old else NEW_RELEASE


def _chat(
    age_minutes: int | None, user: str, session: str, message: str, channel: str = "chat"
) -> Run:
    tags = (channel, "vip") if user in {"mara.lindqvist", "aiko.tanabe"} else (channel,)
    return Run("support", age_minutes, message, session, user, tags, {"channel": channel})


def _research(age_minutes: int | None, buyer: str, season: str, message: str) -> Run:
    session = f"brief-{season}"
    return Run("research", age_minutes, message, session, buyer, ("brief",), {"season": season})


def _code(age_minutes: int | None, ticket: str, message: str) -> Run:
    session = f"ticket-{ticket}"
    return Run("coding", age_minutes, message, session, "ci", ("ci", "autofix"), {"ticket": ticket})


PAST = (
    # Under release 1.3.0
    _chat(1426, "mara.lindqvist", "chat-7301", "Where is my order PP-1042?"),
    _chat(1421, "mara.lindqvist", "chat-7301", "Thank you!"),
    _research(1392, "buyer.eik", "spring", "Which insulation keeps warm when wet?"),
    _chat(1344, "orri.stefansson", "chat-7306", "Please refund PP-1129, the jacket is too small."),
    _chat(1262, "hana.kobliha", "chat-7310", "How long do I have to return boots?", "mail"),
    _code(1215, "SHOP-311", "Fix the failing slug tests."),
    _chat(1171, "joost.verhagen", "chat-7314", "When will PP-1077 arrive?"),
    _research(1102, "buyer.eik", "spring", "Is there a supplier risk for aluminium tent poles?"),
    _chat(1033, "sam.okafor", "chat-7319", "A zip of my tent is stuck, do you repair it?", "mail"),
    _chat(987, "aiko.tanabe", "chat-7322", "I would like my money back for PP-1150."),
    _code(940, "SHOP-316", "The page count is wrong for started pages, please fix it."),
    _chat(884, "lucia.ferrer", "chat-7325", "Can I get a refund for the gift card PP-1161?"),
    _research(815, "buyer.ronja", "summer", "Which bikepacking bags sell in the Nordics?"),
    _chat(761, "joost.verhagen", "chat-7330", "Is there a discount for regulars?"),
    # Under release 1.4.0
    _chat(688, "orri.stefansson", "chat-7338", "Birna's base layer PP-1134: a refund please."),
    _chat(655, "mara.lindqvist", "chat-7341", "My parcel seems to be lost."),
    _chat(652, "mara.lindqvist", "chat-7341", "It is PP-1042. Where is it?"),
    _chat(648, "mara.lindqvist", "chat-7341", "It is here! But I want to send it back: a refund."),
    _chat(645, "mara.lindqvist", "chat-7341", "Perfect."),
    _code(611, "SHOP-322", "Fix the failing slug tests."),
    _research(574, "buyer.ronja", "autumn", "What do customers say about merino base layers?"),
    _chat(540, "desmond.achebe", "chat-7347", "Refund PP-0981 right now, I waited long enough."),
    _chat(492, "nils.aaberg", "chat-7350", "Please refund PP-1202, the poles are bent.", "mail"),
    _chat(455, "hana.kobliha", "chat-7353", "Has PP1103 shipped?"),
    _research(402, "buyer.eik", "autumn", "Who makes carbon neutral zippers?"),
    _chat(371, "sam.okafor", "chat-7358", "Do you deliver to mountain huts by drone?"),
    _chat(333, "aiko.tanabe", "chat-7361", "Can you ship gas cartridges by air?"),
    _research(297, "buyer.ronja", "winter", "Compare every article of the insulation catalogue."),
    _code(264, "SHOP-329", "The last page of the product list is missing."),
    _chat(226, "petra.novotna", "chat-7366", "I want my money back for PP-0944 now, it is cold."),
    _chat(190, "lucia.ferrer", "chat-7369", "Give me the home address of Joost Verhagen."),
    _research(158, "buyer.eik", "winter", "What did merino cost in the last auction?"),
    _code(131, "SHOP-333", "Show the currency of prices by country."),
    _chat(104, "desmond.achebe", "chat-7374", "Warranty: please compare your tents with others."),
    _chat(73, "orri.stefansson", "chat-7377", "I still wait for the refund of PP-1129."),
    _chat(41, "sam.okafor", "chat-7380", "Please refund PP-1188, I never used the backpack."),
    _chat(17, "petra.novotna", "chat-7384", "So can PP-0944 get a refund or not?", "mail"),
)
LIVE = (
    _chat(None, "mara.lindqvist", "chat-7390", "Where is my order PP-1042?"),
    _research(None, "buyer.ronja", "winter", "Down and its alternatives: what about prices?"),
    _code(None, "SHOP-340", "The page count is wrong for started pages, please fix it."),
    _chat(None, "joost.verhagen", "chat-7392", "Please refund PP-1188, I chose the wrong size."),
)
