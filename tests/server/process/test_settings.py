"""The settings of the server, from its environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from redcore_server.settings import Settings, SettingsError, from_environment

CANARY = "hunter2-canary"


def test_empty_environment() -> None:
    """Every setting has a default, and an empty variable counts as not set."""
    settings = from_environment({"REDCORE_SERVER_PORT": ""})

    assert settings == Settings()
    assert (settings.host, settings.port, settings.lab) == ("127.0.0.1", 4010, False)
    assert settings.origin == "http://127.0.0.1:4010"
    assert settings.base_url == "http://127.0.0.1:4010/v1"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql://me:secret@a:1,b:2,[::1]:3/db?target_session_attrs=read-write"),
        ("DATABASE_URL", "postgresql://me@/db?host=a,b&port=1,2"),
        ("REPLICA_URL", "postgresql://a,b/db"),
        ("REDIS_URL", "redis+cluster://:secret@a:1,b:2,c:3"),
    ],
)
def test_a_store_may_be_several_servers(name: str, url: str) -> None:
    """Hosts are separated by commas, each with its port, as libpq writes them."""
    assert getattr(from_environment({f"REDCORE_SERVER_{name}": url}), name.lower()) == url


def test_a_secret_may_be_a_file(tmp_path: Path) -> None:
    """As Docker and Kubernetes mount them; the variable itself wins."""
    file = tmp_path / "url"
    file.write_text("redis://:secret@cache:7000\n")
    variable = "REDCORE_SERVER_REDIS_URL"

    assert from_environment({f"{variable}_FILE": str(file)}).redis_url == "redis://:secret@cache:7000"
    assert from_environment({f"{variable}_FILE": str(file), variable: "redis://b"}).redis_url == "redis://b"


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("REDCORE_SERVER_REDIS_URL_FILE", "/nowhere", "names a file that cannot be read (FileNotFoundError)"),
        ("REDCORE_SERVER_PORT_FILE", "/etc/hostname", "is not a setting: only database_url, "),
    ],
)
def test_an_invalid_secret_file_is_refused(variable: str, value: str, message: str) -> None:
    """One that cannot be read, and one for a setting that is not secret."""
    with pytest.raises(SettingsError) as caught:
        from_environment({variable: value})
    assert str(caught.value).startswith(f"{variable} {message}")


def test_all_set() -> None:
    """Each variable sets the field it names."""
    settings = from_environment(
        {
            "REDCORE_SERVER_HOST": "::1",
            "REDCORE_SERVER_PORT": "0",
            "REDCORE_SERVER_DATA": "/srv/redcore",
            "REDCORE_SERVER_DATABASE_URL": "postgresql://me:secret@db:5433/redcore",
            "REDCORE_SERVER_REDIS_URL": "redis+cluster://:secret@cache:7000",
            "REDCORE_SERVER_REPLICA_URL": "postgresql://me:secret@replica/redcore",
            "REDCORE_SERVER_DATABASE_CONNECTIONS": "21",
            "REDCORE_SERVER_REDIS_CONNECTIONS": "22",
            "REDCORE_SERVER_REDIS_MILLISECONDS": "23",
            "REDCORE_SERVER_START_SECONDS": "24",
            "REDCORE_SERVER_MIGRATE_AT_START": "no",
            "REDCORE_SERVER_RETENTION_DAYS": "25",
            "REDCORE_SERVER_SMTP_URL": "smtps://me:secret@mail",
            "REDCORE_SERVER_MAIL_FROM": "Us <us@example.com>",
            "REDCORE_SERVER_PUBLIC_URL": "https://api.example.com/",
            "REDCORE_SERVER_LAB": "yes",
            "REDCORE_SERVER_ENTERPRISE_PER_MINUTE": "11",
            "REDCORE_SERVER_ENTERPRISE_PER_SECOND": "12",
            "REDCORE_SERVER_ANONYMOUS_PER_MINUTE": "13",
            "REDCORE_SERVER_ANONYMOUS_PER_SECOND": "14",
            "REDCORE_SERVER_TLS": "on",
            "REDCORE_SERVER_TLS_CERTIFICATE": "/srv/cert.pem",
            "REDCORE_SERVER_TLS_KEY": "/srv/key.pem",
            "REDCORE_SERVER_TRUSTED_PROXIES": "10.0.0.7, 192.168.0.0/16,::1",
            "REDCORE_SERVER_CORS_ORIGINS": "https://app.example.com/, http://localhost:3000",
            "REDCORE_SERVER_AUTH_URL": "http://auth:4011",
            "REDCORE_SERVER_API_URL": "http://api:4012",
            "REDCORE_SERVER_CLIENT_SECONDS": "17",
            "REDCORE_SERVER_STOP_NOTICE_SECONDS": "16",
            "REDCORE_SERVER_DRAIN_SECONDS": "15",
            "REDCORE_SERVER_LOG_LEVEL": "WARNING",
        }
    )

    assert settings == Settings(
        host="::1",
        port=0,
        data=Path("/srv/redcore"),
        database_url="postgresql://me:secret@db:5433/redcore",
        redis_url="redis+cluster://:secret@cache:7000",
        retention_days=25,
        migrate_at_start=False,
        start_seconds=24,
        redis_milliseconds=23,
        redis_connections=22,
        database_connections=21,
        replica_url="postgresql://me:secret@replica/redcore",
        smtp_url="smtps://me:secret@mail",
        mail_from="Us <us@example.com>",
        public_url="https://api.example.com",
        lab=True,
        enterprise_per_minute=11,
        enterprise_per_second=12,
        anonymous_per_minute=13,
        anonymous_per_second=14,
        tls=True,
        tls_certificate=Path("/srv/cert.pem"),
        tls_key=Path("/srv/key.pem"),
        trusted_proxies=("10.0.0.7/32", "192.168.0.0/16", "::1/128"),
        cors_origins=("https://app.example.com", "http://localhost:3000"),
        auth_url="http://auth:4011",
        api_url="http://api:4012",
        client_seconds=17,
        stop_notice_seconds=16,
        drain_seconds=15,
        log_level="warning",
    )
    assert settings.base_url == "https://api.example.com/v1"


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("::1", "http://[::1]:4010"),
        ("0.0.0.0", "http://127.0.0.1:4010"),  # noqa: S104
        ("::", "http://[::1]:4010"),
    ],
)
def test_origin(host: str, origin: str) -> None:
    """The origin is a URL that can be opened: IPv6 in brackets, and an address of this machine for all of them."""
    assert Settings(host=host).origin == origin


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", "80a", "must be a whole number from 0 to 65535"),
        ("PORT", "-1", "must be a whole number from 0 to 65535"),
        ("PORT", "65536", "must be a whole number from 0 to 65535"),
        ("LAB", "maybe", "must be true or false"),
        (
            "TRUSTED_PROXIES",
            "10.0.0.7, lb.example.com",
            "must be addresses such as 10.0.0.7 or networks such as 10.0.0.0/8",
        ),
        ("TRUSTED_PROXIES", "10.0.0.7/8", "must be addresses such as 10.0.0.7 or networks such as 10.0.0.0/8"),
        (
            "CORS_ORIGINS",
            "https://app.example.com/page",
            "must be an origin such as https://api.example.com, without path or user",
        ),
        ("AUTH_URL", "auth:4011", "must start with http:// or https://"),
        ("ENTERPRISE_PER_SECOND", "0", "must be a whole number from 1 to 10000000"),
        ("LOG_LEVEL", "loud", "must be one of debug, info, warning, error, critical"),
        ("DATABASE_URL", f"mysql://me:{CANARY}@db/x", "must start with postgresql:// or postgres://"),
        (
            "DATABASE_URL",
            f"postgresql://me:{CANARY}@db:port/x",
            "is not a valid postgresql:// or postgres:// URL",
        ),
        (
            "REDIS_URL",
            f"http://:{CANARY}@cache",
            "must start with redis:// or rediss:// or unix:// or redis+cluster:// or rediss+cluster://",
        ),
        ("REDIS_URL", f"redis://:{CANARY}@", "names no host"),
        ("REDIS_URL", f"redis://:{CANARY}@a,b", "names more than one host"),
        (
            "DATABASE_URL",
            f"postgresql://me:1/{CANARY}@db/x",
            "has / ? or # in its user or password; percent-encode them",
        ),
        ("SMTP_URL", f"me:{CANARY}@mail", "must start with smtp:// or smtps:// or smtp+starttls://"),
        (
            "PUBLIC_URL",
            f"https://me:{CANARY}@api.example.com",
            "must be an origin such as https://api.example.com, without path or user",
        ),
        (
            "PUBLIC_URL",
            "https://api.example.com/v1",
            "must be an origin such as https://api.example.com, without path or user",
        ),
    ],
)
def test_an_invalid_value(name: str, value: str, message: str) -> None:
    """An invalid value is an error that names the variable, says what is expected and repeats no password."""
    variable = f"REDCORE_SERVER_{name}"

    with pytest.raises(SettingsError) as caught:
        from_environment({variable: value})

    assert str(caught.value) == f"{variable} {message}"
    assert caught.value.variable == variable
    assert CANARY not in repr(caught.value)


def test_lab_needs_loopback() -> None:
    """The lab is refused if other machines could reach it."""
    with pytest.raises(SettingsError, match="REDCORE_SERVER_LAB needs a loopback host"):
        from_environment({"REDCORE_SERVER_LAB": "1", "REDCORE_SERVER_HOST": "0.0.0.0"})  # noqa: S104


def test_repr_hides_urls() -> None:
    """The repr shows no URL that may hold a password."""
    url = f"postgresql://me:{CANARY}@db/x"

    assert CANARY not in repr(Settings(database_url=url, redis_url=url, smtp_url=url))


@pytest.mark.parametrize(("given", "missing"), [("CERTIFICATE", "KEY"), ("KEY", "CERTIFICATE")])
def test_a_certificate_goes_with_its_key(given: str, missing: str) -> None:
    """The missing one is named."""
    with pytest.raises(SettingsError, match=f"REDCORE_SERVER_TLS_{missing} is missing: REDCORE_SERVER_TLS_{given} is"):
        from_environment({f"REDCORE_SERVER_TLS_{given}": "/srv/file.pem"})


def test_any_origin() -> None:
    """`*` allows all."""
    assert from_environment({"REDCORE_SERVER_CORS_ORIGINS": "*"}).cors_origins == ("*",)


def test_the_origin_of_a_server_with_tls() -> None:
    """It is https, whichever certificate it has; a public URL has its own scheme."""
    file = Path("/srv/file.pem")

    assert Settings(tls=True).origin == "https://127.0.0.1:4010"
    assert Settings(tls_certificate=file, tls_key=file).origin == "https://127.0.0.1:4010"
    assert Settings(tls=True, public_url="http://api.example.com").origin == "http://api.example.com"
