"""Settings: environment variables `TRACKER_*`, or a file `.env` in the working directory."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from projections.ledger.keys import KeyFile, SettingKeys, parse_signing_keys
from tracker.log.away import READ_SECONDS
from tracker.signed_note import MalformedKey, is_key_name

MIN_ADMIN_KEY_CHARACTERS = 32
"""Characters of the admin key, at least: a shorter one could be guessed."""

_PUBLIC_URL = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(?:/[A-Za-z0-9._~-]+)*/?")
_BASE_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?|/")

POSTGRES_URL = ("postgresql://", "postgres://", "postgresql+")
"""How the URL of a PostgreSQL database may begin."""

FILE_ENDING = "_FILE"
"""The ending of a variable that names the file in which the value of a setting stands."""

ALIKE = 0.8
"""How alike (`difflib`, 0 to 1) a setting must be to a key that is none to be named: a slip, not another word."""


class Settings(BaseSettings):
    """The settings of an operator. The variable of a field is `TRACKER_` and its name in capitals."""

    # Without input in messages: a key that is too short must not be printed.
    model_config = SettingsConfigDict(
        env_prefix="TRACKER_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    database_url: str = Field(default="sqlite:///tracker.db", repr=False)
    """`sqlite:///file.db` or `postgresql://…`. It may hold a password, so it is never shown."""

    database_password: SecretStr | None = None
    """PostgreSQL: the password, where `database_url` has none."""

    replica_url: str | None = Field(default=None, repr=False)
    """PostgreSQL: a streaming replica of the database, which answers reads while it has all that is recorded."""

    admin_key: SecretStr | None = None
    """Accepted with every role; 32 characters or more."""

    public_read: bool = True
    """Reads need no key."""

    rate_limit: Annotated[int, Field(ge=0)] = 600
    """Writes a minute and key; 0 for no limit."""

    failed_key_limit: Annotated[int, Field(ge=0)] = 60
    """Refused keys a minute and address; 0 for no limit."""

    data_license: str | None = None
    """Named in exports and on the page."""

    origin: str | None = None
    """The log's name in checkpoints and wherever what leaves here names its source; by default one that ends in the
    log's id."""

    signing_key: SecretStr | None = Field(default=None, repr=False)
    """The keys that sign checkpoints, with spaces or commas: `PRIVATE+KEY+…` or a seed in base64, the one that stays
    valid longest first. Without it a key is made in `state_dir`."""

    public_url: str | None = None
    """The address at which readers reach this service, for what is read elsewhere. It is never taken from a request."""

    base_path: str = ""
    """The path below which readers reach this service on its host, such as `/tracker`; none at the root of a host.

    The service answers below it and without it, so a proxy may keep it in the address or strip it."""

    state_dir: Path | None = None
    """What must outlive the store: the highest known event, the last checkpoint, the keys that sign.

    By default `<file>.state` beside a SQLite file, `tracker-state` in the working directory with PostgreSQL."""

    archive_dir: Path | None = None
    """Where copies of sources are kept; by default `archive` beside a SQLite file, nowhere with PostgreSQL."""

    trust_clock: bool = False
    """The operator says that this machine's clock is right, whatever other clocks say."""

    app_role: str | None = None
    """PostgreSQL: the role that `tracker init` lets add to the record, and never change it."""

    max_lag: Annotated[int, Field(ge=0)] = 1000
    """Events the projection may be behind while the service still counts as ready."""

    read_timeout: Annotated[float, Field(gt=0)] = READ_SECONDS
    """Seconds that a read waits for the store before it is answered 503."""

    connections: Annotated[int, Field(ge=6)] = 20
    """Connections to PostgreSQL that one serving process opens for requests, at most; it has up to three besides."""

    threads: Annotated[int, Field(ge=4)] = 64
    """Threads of one serving process that ask the store for reads, and decode batches, at most."""

    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Addresses and networks, with commas, whose `X-Forwarded-For` is believed; nobody's by default."""

    webhook_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Networks, with commas, that webhooks may be sent to although they are private, without TLS too; nobody's here."""

    access_log: bool = False
    """One line of JSON for each answer: request id, key, route, status and milliseconds."""

    traces: bool = False
    """Spans of requests, commits and projections are sent by OpenTelemetry, to where its own variables say."""

    read_only: bool = False
    """This process answers reads alone, as beside a replica: writes are 503, and it runs no projector."""

    projector: bool = True
    """Whether the API process runs the projector too; `tracker serve --no-projector` says no."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where settings come from, the strongest first; `TRACKER_<NAME>_FILE` names a file that has the value."""
        named = NamedFiles(settings_cls, env_settings, dotenv_settings)
        return init_settings, named, env_settings, dotenv_settings

    @model_validator(mode="before")
    @classmethod
    def _with_password(cls, given: Any) -> Any:
        """The database's URL with the password that was given apart from it."""
        password = given.get("database_password") if isinstance(given, dict) else None
        if not password:
            return given
        secret = password.get_secret_value() if isinstance(password, SecretStr) else str(password)
        urls = {"database_url": _with_secret(str(given.get("database_url", "")), secret)}
        if given.get("replica_url"):
            urls["replica_url"] = _with_secret(str(given["replica_url"]), secret)
        return given | urls

    @model_validator(mode="after")
    def _can_have_a_replica(self) -> Self:
        if self.replica_url is not None and (self.sqlite or not self.replica_url.startswith(POSTGRES_URL)):
            raise ValueError("TRACKER_REPLICA_URL is a PostgreSQL replica of what TRACKER_DATABASE_URL names")
        return self

    @field_validator("admin_key")
    @classmethod
    def _is_long(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < MIN_ADMIN_KEY_CHARACTERS:
            raise ValueError(f"the admin key needs {MIN_ADMIN_KEY_CHARACTERS} characters or more")
        return key

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is not None and not _PUBLIC_URL.fullmatch(url):
            raise ValueError("it is an address such as https://pledges.example.org, without query and fragment")
        return url and url.rstrip("/")

    @field_validator("base_path")
    @classmethod
    def _is_a_path(cls, path: str) -> str:
        if path and not _BASE_PATH.fullmatch(path):
            raise ValueError("it is a path such as /tracker, without query and fragment")
        return path.rstrip("/")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """The address for readers has the base path, or names a host alone."""
        if self.public_url and self.base_path and urlsplit(self.public_url).path not in ("", self.base_path):
            raise ValueError(f"TRACKER_PUBLIC_URL names a path that is not TRACKER_BASE_PATH, {self.base_path}")
        return self

    @field_validator("origin")
    @classmethod
    def _is_a_key_name(cls, origin: str | None) -> str | None:
        if origin is not None and not is_key_name(origin):
            raise ValueError("the origin names the key that signs: it has no spaces and no plus, like example.com/log")
        return origin

    @field_validator("signing_key")
    @classmethod
    def _can_sign(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None:
            try:
                parse_signing_keys(given.get_secret_value())
            except MalformedKey as error:
                raise ValueError(error.detail) from None
        return given

    @field_validator("trusted_proxies", "webhook_networks", mode="before")
    @classmethod
    def _is_split(cls, given: object) -> object:
        return [part.strip() for part in given.split(",") if part.strip()] if isinstance(given, str) else given

    @property
    def runs_projector(self) -> bool:
        """Whether the API process runs the projector too; one that only reads never does."""
        return self.projector and not self.read_only

    @property
    def sqlite(self) -> bool:
        """Whether the store is a SQLite file: one process, and tables made by itself."""
        return self.database_url.startswith("sqlite:")

    def public_address(self, path: str) -> str:
        """The address of a path for readers elsewhere: below `public_url`, or only below `base_path` without it."""
        host = self.public_url or ""
        has_base = host and urlsplit(host).path
        return f"{host}{'' if has_base else self.base_path}{path}"

    def log_origin(self, log: str) -> str:
        """The name of the log of this id: `origin`, or one that ends in the id, so that no two logs share it."""
        return self.origin or f"commitments-tracker-{log}"

    def signing_keys(self, *, replaces_lost_keys: bool = False) -> KeyFile | SettingKeys:
        """Where the keys that sign checkpoints come from (`KeyFile`)."""
        if self.signing_key is None:
            return KeyFile(self.state_directory, replaces_lost_keys=replaces_lost_keys)
        return SettingKeys(parse_signing_keys(self.signing_key.get_secret_value()))

    @property
    def connections_of_log(self) -> int:
        """How many of the connections are the log's: a third, since most of what is asked are the read models."""
        return max(2, self.connections // 3 + 1)

    @property
    def store_name(self) -> str:
        """The store's address without user and password."""
        if self.sqlite:
            return str(Path(self._sqlite_file).resolve())
        parts = urlsplit(self.database_url)
        hosts = parts.netloc.rpartition("@")[2]  # several, with commas, where one of them leads
        return f"{hosts if ':' in hosts else f'{hosts}:'}{parts.path}"

    @property
    def database_user(self) -> str | None:
        """PostgreSQL: the role that the store's address names."""
        return None if self.sqlite else urlsplit(self.database_url).username

    @property
    def state_directory(self) -> Path:
        """Where the state is kept: `state_dir`, or its default for the store."""
        if self.state_dir is not None:
            return self.state_dir
        return Path(f"{self._sqlite_file}.state" if self.sqlite else "tracker-state")

    @property
    def archive_directory(self) -> Path | None:
        """Where copies of sources are kept: `archive_dir`, or its default for the store; None if nowhere."""
        if self.archive_dir is not None or not self.sqlite:
            return self.archive_dir
        return Path(self._sqlite_file).parent / "archive"

    @property
    def _sqlite_file(self) -> str:
        return self.database_url.partition("://")[2].removeprefix("/").partition("?")[0]


class NamedFiles(PydanticBaseSettingsSource):
    """Settings whose values stand in files, as secrets do in containers: `TRACKER_ADMIN_KEY_FILE=/run/secrets/key`.

    White space around the value is not of it, and an empty file sets nothing.
    """

    def __init__(
        self, settings_cls: type[BaseSettings], env: PydanticBaseSettingsSource, dotenv: PydanticBaseSettingsSource
    ) -> None:
        super().__init__(settings_cls)
        self._others = (env, dotenv)
        self._written = dotenv.env_vars if isinstance(dotenv, DotEnvSettingsSource) else {}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The value of one setting from its file, None if no file is named.

        Raises: SettingsError if the file cannot be read, or the setting is also given itself.
        """
        variable = f"{Settings.model_config['env_prefix']}{field_name}{FILE_ENDING}".upper()
        named = os.environ.get(variable) or self._written.get(variable.lower())
        if not named:
            return None, field_name, False
        if any(field_name in other() for other in self._others):
            raise SettingsError(f"{variable}: {variable.removesuffix(FILE_ENDING)} is set, too; one of them is enough")
        try:
            return Path(named).read_text("utf-8").strip() or None, field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{variable}: {named} cannot be read: {error}") from None

    def __call__(self) -> dict[str, Any]:
        """The settings that stand in files."""
        found = ((name, self.get_field_value(field, name)[0]) for name, field in Settings.model_fields.items())
        return {name: value for name, value in found if value is not None}


def _with_secret(url: str, password: str) -> str:
    """The URL of a PostgreSQL database with the password that was given apart from it.

    Raises: ValueError if it is another URL, or has a password already.
    """
    scheme, _, rest = url.partition("://")
    if not scheme.startswith("postgres"):
        raise ValueError("TRACKER_DATABASE_PASSWORD goes with a TRACKER_DATABASE_URL of PostgreSQL")
    user, at, place = rest.rpartition("@")
    if not at or ":" in user:
        raise ValueError("TRACKER_DATABASE_PASSWORD goes with a URL that names a user and no password")
    return f"{scheme}://{user}:{quote(password, safe='')}@{place}"


def _known() -> set[str]:
    """The variables of all settings, and of the files that may have them."""
    prefix = Settings.model_config["env_prefix"]
    return {f"{prefix}{name}{ending}".upper() for name in Settings.model_fields for ending in ("", FILE_ENDING)}


def unknown_keys() -> list[str]:
    """A sentence for every `TRACKER_*` of the file `.env` that is no setting, with the one that may have been meant.

    Variables of the environment are not looked at: others put some of this prefix there, Kubernetes for one.
    """
    prefix, known = Settings.model_config["env_prefix"], _known()
    written = (key.upper() for key in DotEnvSettingsSource(Settings, case_sensitive=False).env_vars)
    return [_unknown(key, known) for key in written if key.startswith(prefix) and key not in known]


def foreign_variables() -> list[str]:
    """The `TRACKER_*` of the environment that are no settings: misspelt, or of somebody else."""
    prefix, known = Settings.model_config["env_prefix"], _known()
    return sorted(name for name in os.environ if name.upper().startswith(prefix) and name.upper() not in known)


def _unknown(key: str, known: set[str]) -> str:
    meant = get_close_matches(key, sorted(known), n=1, cutoff=ALIKE)
    return f"{key} in .env is no setting and changes nothing" + (f"; {meant[0]} is one" if meant else "")
