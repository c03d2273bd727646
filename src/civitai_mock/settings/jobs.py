"""Settings of jobs: how long they and their blobs are kept, and how schedulers claim and run them."""

from enum import StrEnum

from pydantic import SecretStr

from civitai_mock.settings.fields import SettingsGroup, setting


class ResultCache(StrEnum):
    """Says whether an equal request gets the results that are there."""

    ON = "on"
    OFF = "off"


class LifetimeSettings(SettingsGroup):
    """Says how long jobs may take, and how long they, workflows, blobs and blob URLs are there."""

    job_lifetime_hours: int = setting(
        24,
        "Sets how long a job, its events and its blobs are kept, in hours",
        expected="a number from 1 to 8760",
        ge=1,
        le=8760,
    )
    job_timeout_s: int = setting(
        600,
        "Limits how long one claim of a job may take, in s; the time that a prompt waits for others on ComfyUI does"
        " not count",
        expected="a number from 1 to 86400",
        ge=1,
        le=86_400,
    )
    blob_url_lifetime_s: int = setting(
        3600, "Sets how long a blob URL works, in s", expected="a number from 1 to 604800", ge=1, le=604_800
    )
    workflow_lifetime_days: int = setting(
        30,
        "Sets how long a workflow is kept after its end, and an uploaded blob, in days",
        expected="a number from 1 to 3650",
        ge=1,
        le=3650,
    )
    workflow_url_lifetime_s: int = setting(
        31_536_000,
        "Sets how long a blob URL of v2 works, in s",
        expected="a number from 1 to 315360000",
        ge=1,
        le=315_360_000,
    )
    blob_signing_key: SecretStr | None = setting(
        None,
        "Signs blob URLs; if it is unset, a key is drawn and kept in the store",
        expected="16 characters or more",
        min_length=16,
    )


class SchedulerSettings(SettingsGroup):
    """Says how many jobs a scheduler holds, how it keeps and reports them, and how it stops."""

    result_cache: ResultCache = setting(
        ResultCache.OFF,
        "Says whether a request that equals an earlier one of its namespace gets the same images at once, for nothing",
        expected="on or off",
    )
    scheduler_max_in_flight: int | None = setting(
        None,
        "Limits how many jobs one scheduler holds at once; if it is unset, 10000 where the work is simulated, as a job"
        " that waits is a timer, and 1000 with ComfyUI servers",
        expected="a number from 1 to 100000, or nothing",
        ge=1,
        le=100_000,
    )
    scheduler_lease_ms: int = setting(
        15_000,
        "Sets how long a claim lasts without renewal, in ms; the jobs of a dead scheduler start again at most half"
        " as long after that",
        expected="a number from 1000 to 3600000",
        ge=1000,
        le=3_600_000,
    )
    progress_interval_ms: int = setting(
        2000,
        "Sets the shortest time between two progress events of a running job, in ms; 0 means that there are none",
        expected="a number from 0 to 3600000",
        ge=0,
        le=3_600_000,
    )
    shutdown_grace_ms: int = setting(
        5000,
        "Sets how long running jobs may go on after Ctrl-C or SIGTERM, in ms",
        expected="a number from 0 to 3600000",
        ge=0,
        le=3_600_000,
    )
