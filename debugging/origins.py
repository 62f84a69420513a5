"""Where a repository may come from: an https address or a path under the operator's roots.

Checking happens here, before git sees an address. Hosts are resolved once, every address must be
public (unless the operator says otherwise), and git is pinned to what was checked, so that a name
cannot point elsewhere a moment later. Fetching is in `mirror_updates`.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from debugging import access_tokens, git

_PORTS = {"https": 443, "http": 80}
_REFUSED_KEYS = re.compile(
    rb"^(include|includeif)\.|\.(promisor|partialclonefilter)$", re.MULTILINE
)


class SourceRefused(git.GitError):
    """The address or path is not one that may be fetched; the message says why."""


class HostNotFound(SourceRefused):
    """The address is well formed, but its host has no address just now."""


@dataclass(frozen=True, slots=True)
class SourceRules:
    """What the operator allows. No local root means no local path. `ca_file` names certificates to
    trust in place of the system's."""

    allowed_roots: tuple[Path, ...] = ()
    allow_private_addresses: bool = False
    allow_http: bool = False
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class RemoteSource:
    """An address that passed the check. `pin` is curl's host:port:address."""

    location: str
    protocol: str
    pin: str
    token: str | None = field(default=None, repr=False)
    ca_file: Path | None = None

    def network(self) -> git.Network:
        """What git may use while it talks to this source. The token is sent to its host only."""
        settings = [
            ("http.curloptResolve", self.pin),
            ("http.proxy", ""),
            ("http.lowSpeedLimit", "1000"),
            ("http.lowSpeedTime", "30"),
        ]
        if self.ca_file is not None:
            settings.append(("http.sslCAInfo", str(self.ca_file)))
        if self.token is None:
            return git.Network(protocols=(self.protocol,), settings=tuple(settings))
        credentials = access_tokens.credentials(self.token)
        origin = f"{self.protocol}://{urlsplit(self.location).netloc}/"
        return git.Network(
            protocols=(self.protocol,),
            settings=tuple(settings),
            configuration=(
                f'[http "{origin}"]\n\textraHeader = "Authorization: Basic {credentials}"\n'
            ),
            secrets=(self.token, credentials),
        )


@dataclass(frozen=True, slots=True)
class LocalSource:
    """A repository directory under an allowed root, with all symlinks resolved."""

    location: str

    def network(self) -> git.Network:
        """Git's reader of a local repository drops settings from the environment, and refuses
        directories of other users unless a configuration file trusts them."""
        quoted = self.location.replace("\\", "\\\\").replace('"', '\\"')
        text = f'[safe]\n\tdirectory = "{quoted}"\n[core]\n\thooksPath = /dev/null\n'
        return git.Network(protocols=("file",), configuration=text)


Source = RemoteSource | LocalSource


def check_source(location: str, rules: SourceRules, *, token: str | None = None) -> Source:
    """The source that `location` names; raises `SourceRefused` with the reason otherwise."""
    location = location.strip()
    if not location or location.startswith("-") or re.search(r"[\x00-\x1f\x7f]", location):
        raise SourceRefused("The repository needs an https address or a path.")
    if location.startswith("/"):
        return _check_local(location, rules)
    if "::" in location.partition("/")[0]:
        raise SourceRefused("Addresses that start a helper program (ext::) are not allowed.")
    if "://" not in location:
        raise SourceRefused(_no_address(location, rules))
    return _check_remote(location, rules, token)


def _no_address(location: str, rules: SourceRules) -> str:
    """Why a text without a scheme is not taken: most are what git itself would take."""
    host = r"(?P<host>[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})"
    found = re.fullmatch(rf"([\w.-]+@)?{host}[:/]/*(?P<path>[^:]+)", location)
    if found:
        return _use_https(found["host"], found["path"], rules)
    if "@" in location.partition(":")[0]:
        return "Repositories are fetched by https only. Give the https address of the repository."
    return (
        f"{_short(location)} is neither an https address nor an absolute path. A path must begin "
        "with / and lie under a root that the operator allows."
    )


def _use_https(host: str, path: str, rules: SourceRules) -> str:
    """Names the https address when that would be taken, else what is wrong with it too."""
    address = f"https://{f'[{host}]' if ':' in host else host}/{path}"
    advice = f"Use {address} instead."
    try:
        _check_remote(address, rules, None)
    except HostNotFound as error:
        advice = f"That would be {address}, but {_lower(error)}"
    except SourceRefused as error:
        advice = str(error)
    return f"Repositories are fetched by https only. {advice}"


def _lower(error: SourceRefused) -> str:
    text = str(error)
    return text[:1].lower() + text[1:]


def _check_local(location: str, rules: SourceRules) -> LocalSource:
    if not rules.allowed_roots:
        raise SourceRefused(
            "Local paths are switched off here. The operator can list the roots that are allowed."
        )
    roots = tuple(root.resolve() for root in rules.allowed_roots)
    try:
        path = Path(location).resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise SourceRefused(f"There is no directory {location}.") from error
    if not _inside(path, roots):
        raise SourceRefused(f"{location} is not under a root that the operator allows.")
    repository = _git_directory(path)
    _check_layout(repository, location, roots)
    return LocalSource(str(repository))


def _git_directory(path: Path) -> Path:
    if (path / ".git").is_file():
        raise SourceRefused(
            f"{path} is a linked worktree or submodule. Give the path of the main repository."
        )
    repository = path / ".git" if (path / ".git").is_dir() else path
    if not (repository / "HEAD").is_file() or not (repository / "objects").is_dir():
        raise SourceRefused(f"{path} is not a git repository.")
    return repository


def _check_layout(repository: Path, location: str, roots: tuple[Path, ...]) -> None:
    """Git follows these to other directories, so each must stay under the roots."""
    for name in ("", "HEAD", "config", "refs", "packed-refs", "objects", "objects/pack"):
        if not _inside((repository / name).resolve(), roots):
            raise SourceRefused(f"{location} links to files outside of the allowed roots.")
    for name in ("objects/info/alternates", "commondir", "config.worktree"):
        if (repository / name).exists():
            raise SourceRefused(
                f"{location} borrows from another repository ({name}), which is not allowed. "
                "Make a full clone of it."
            )
    if (repository / "config").is_file():
        _check_configuration(repository, location)


def _check_configuration(repository: Path, location: str) -> None:
    """Reading a partial clone may start the programs its configuration names."""
    listing = ["config", "--no-includes", "--name-only", "--list", "--file"]
    names = git.run([*listing, str(repository / "config")], directory=repository)
    if _REFUSED_KEYS.search(names):
        raise SourceRefused(
            f"{location} is a partial clone or includes other configuration, which is not "
            "allowed. Make a full clone of it."
        )


def _check_remote(location: str, rules: SourceRules, token: str | None) -> RemoteSource:
    try:
        parts = urlsplit(location)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SourceRefused(f"{_short(location)} is not a valid address.") from error
    schemes = ("https", "http") if rules.allow_http else ("https",)
    if parts.scheme not in schemes:
        raise SourceRefused(_other_scheme(parts, host, rules))
    if parts.username is not None or parts.password is not None:
        raise SourceRefused(
            "Leave user and password out of the address, where they would be shown. Give an access "
            "token in its own field instead."
        )
    if not host or not re.fullmatch(r"(?!-)[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+", host):
        raise SourceRefused("The address has no valid host name.")
    if parts.query or parts.fragment or len(parts.path) < 2:
        raise SourceRefused("The address must end with the path of the repository.")
    number = port or _PORTS[parts.scheme]
    address = _resolve_host(host, number, rules)
    pinned = f"[{address}]" if ":" in address else address
    pin = f"{host}:{number}:{pinned}"
    return RemoteSource(location, parts.scheme, pin, token, rules.ca_file)


def _other_scheme(parts: SplitResult, host: str | None, rules: SourceRules) -> str:
    if host and parts.scheme in ("http", "ssh", "git", "git+ssh") and len(parts.path) > 1:
        return _use_https(host, parts.path.lstrip("/"), rules)
    return "Repositories are fetched by https only."


def _resolve_host(host: str, port: int, rules: SourceRules) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise HostNotFound(f"The host {host} was not found.") from error
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    if not addresses:
        raise HostNotFound(f"The host {host} was not found.")
    for address in addresses:
        if not rules.allow_private_addresses and not _is_public(address):
            raise SourceRefused(
                f"The host {host} points to {address}, which is not a public address. "
                "The operator can allow private addresses."
            )
    return addresses[0]


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address.teredo is not None or address in ipaddress.ip_network("64:ff9b::/96"):
            return False
        if inner is not None:
            return _is_public(str(inner))
    return address.is_global and not address.is_multicast


def _inside(path: Path, roots: tuple[Path, ...]) -> bool:
    return any(path == root or path.is_relative_to(root) for root in roots)


def _short(location: str) -> str:
    return location if len(location) <= 120 else f"{location[:119]}…"
