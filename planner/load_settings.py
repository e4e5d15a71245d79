"""The settings of how much is done at the same time, and how long anything waits."""

from pydantic import Field
from pydantic_settings import BaseSettings


class LoadSettings(BaseSettings):
    """What an operator can set for a planner of which much is asked; each number is that of one worker."""

    database_threads: int = Field(
        8,
        ge=1,
        le=1000,
        description="How many short reads of the database a worker has at the same time, and how many other "
        "operations, besides those below.",
    )
    search_slots: int = Field(2, ge=1, le=1000, description="How many searches a worker does at the same time.")
    occurrence_slots: int = Field(
        2,
        ge=1,
        le=1000,
        description="How many lists of occurrences and free/busy times a worker computes at the same time.",
    )
    export_slots: int = Field(
        2, ge=1, le=1000, description="How many feeds and exports a worker renders a part of at the same time."
    )
    import_slots: int = Field(
        2, ge=1, le=1000, description="How many requests a worker imports the files of at the same time."
    )
    lane_wait_seconds: float = Field(
        5, gt=0, le=600, description="A search, a list of occurrences or an export that would wait longer is refused."
    )
    sign_in_wait_seconds: float = Field(
        5, gt=0, le=600, description="What would wait longer for a password to be checked is refused at once."
    )
    max_requests: int = Field(
        512,
        ge=1,
        le=100_000,
        description="How many requests a worker answers at the same time, fewer while they take long; "
        "others are refused.",
    )
    max_connections: int = Field(
        4096,
        ge=16,
        le=1_000_000,
        description="How many connections a worker has; less if it may not open so many files (ulimit -n).",
    )
    listen_backlog: int = Field(
        2048, ge=1, le=65_535, description="How many new connections the system keeps until they are accepted."
    )
    request_seconds: float = Field(
        120, gt=0, le=3600, description="A request is ended that has no response after so long."
    )
    keep_alive_seconds: int = Field(60, ge=1, le=3600, description="After so long, an idle connection is closed.")
