"""The one settings class: environment variables CLASSIFY_*, held by cli.py and run.py only."""

from __future__ import annotations

from pathlib import Path

import platformdirs
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_CHECKOUT = Path(__file__).resolve().parent.parent


def _in_checkout() -> bool:
    return (_CHECKOUT / "pyproject.toml").is_file() and (_CHECKOUT / "criteria").is_dir()


def default_home() -> Path:
    """`./workspace` in a checkout, else the platform's data directory."""
    return _CHECKOUT / "workspace" if _in_checkout() else Path(platformdirs.user_data_dir("akashi"))


def default_cache() -> Path:
    """`./cache` in a checkout, else the platform's cache directory."""
    return _CHECKOUT / "cache" if _in_checkout() else Path(platformdirs.user_cache_dir("akashi"))


def bundled(name: str) -> Path:
    """Folder of shipped data (`criteria`, `prompts`): the checkout's own, else the copy inside the package."""
    return _CHECKOUT / name if _in_checkout() else Path(__file__).resolve().parent / "_bundled" / name


class Settings(BaseSettings):
    """What an operator may set. Times are seconds, sizes bytes.

    model_rpm: calls a minute that all processes of one database make together, 0 for no limit; lease_s: how long a
    worker that nothing is heard of keeps its municipalities; retry_s: before what failed on a worker is tried again.
    """

    model_config = SettingsConfigDict(env_prefix="CLASSIFY_", extra="ignore", populate_by_name=True)

    home: Path = Field(default_factory=default_home)
    cache: Path = Field(default_factory=default_cache)
    db: str = ""
    archive: str = ""
    criteria: str = "dx-2024"
    registry_url: str = "https://raw.githubusercontent.com/code4fukui/localgovjp/master/localgovjp-utf8.csv"
    prefecture_url: str = "https://raw.githubusercontent.com/code4fukui/localgovjp/master/prefjp-utf8.csv"
    populations: Path | None = None
    user_agent: str = "Akashi/0.1 (+survey of municipal web pages)"
    max_pages: int = Field(default=400, ge=1)
    delay_s: float = Field(default=1.0, ge=0)
    deadline_s: float = Field(default=30.0, gt=0)
    max_bytes: int = Field(default=20_000_000, gt=0)
    chromium: str = ""
    model: str = ""
    models: Path | None = None
    prompts: str = "judge-v1"
    double_share: float = Field(default=0.2, ge=0, le=1)
    proxy_secret: SecretStr = Field(default=SecretStr(""))
    concurrency: int = Field(default=8, ge=1)
    model_rpm: float = Field(default=0.0, ge=0)
    model_timeout_s: float = Field(default=300.0, gt=0)
    lease_s: float = Field(default=60.0, ge=1)
    retry_s: float = Field(default=30.0, gt=0)
    openai_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="OPENAI_API_KEY")
    openai_base_url: str = Field(default="", validation_alias="OPENAI_BASE_URL")

    @property
    def database_url(self) -> str:
        """SQLAlchemy URL of the store: CLASSIFY_DB, else SQLite in the workspace."""
        return self.db or f"sqlite:///{self.home / 'akashi.db'}"
