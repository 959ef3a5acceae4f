"""What a scenario says about a camera that reads files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
)

from millhand.messages import tr

PIXELS_LIMIT = 89_000_000
"""Most pixels that a picture may be allowed; beyond it the image library warns by itself."""

Pixels = Annotated[int, Field(gt=0, le=65_536)]
Offset = Annotated[int, Field(ge=0, le=65_536)]


class PictureConfig(BaseModel):
    """What is done to every picture before it is handed on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trigger: Literal["software"] = Field(
        default="software", description="A picture is taken when the engine asks for one."
    )
    crop: tuple[Offset, Offset, Pixels, Pixels] | None = Field(
        default=None, description="Cut out [x, y, width, height], in pixels of the upright picture."
    )
    size: tuple[Pixels, Pixels] | None = Field(
        default=None, description="Scale to [width, height], after cutting out."
    )
    colour: Literal["rgb", "grey"] = Field(
        default="rgb", description="Deliver three channels or one."
    )
    max_pixels: int = Field(
        default=50_000_000,
        gt=0,
        le=PIXELS_LIMIT,
        description="Larger pictures are refused before they are unpacked.",
    )


class FileConfig(PictureConfig):
    """Pictures that were taken before."""

    at_end: Literal["loop", "end"] = Field(
        default="loop", description="After the last picture: begin again, or deliver no more."
    )


class FolderConfig(FileConfig):
    """A folder of pictures."""

    path: Path = Field(description="The folder.")
    pattern: str = Field(
        default="*",
        description="Which files: * any name, **/* also in folders below. Only PNG, JPEG, BMP, "
        "TIFF and WebP are taken.",
    )
    order: Literal["name", "random"] = Field(
        default="name",
        description="By name, numbers in it counted as such (2 before 10), or shuffled anew each "
        "round.",
    )
    seed: int = Field(default=0, ge=0, description="Seed of the random order.")
    max_file_mb: float = Field(
        default=256.0, gt=0, description="Larger files are refused unread, in megabytes."
    )

    @field_validator("pattern")
    @classmethod
    def _stays_inside(cls, pattern: str) -> str:
        parts = Path(pattern).parts
        if not parts or Path(pattern).is_absolute() or ".." in parts:
            raise ValueError(tr("must name files inside the folder, such as *.png"))
        return pattern


class VideoConfig(FileConfig):
    """A video file."""

    path: Path = Field(description="The file.")
    every: int = Field(default=1, gt=0, description="Show every n-th frame.")
    recorded_at: AwareDatetime | None = Field(
        default=None,
        description="When the first frame was exposed, with time zone; where absent, the file's "
        "time is taken as the end of the recording.",
    )

    def start_utc_ns(self, file_utc_ns: int, length_s: float) -> int:
        """Return when the first frame was exposed."""
        recorded: datetime | None = self.recorded_at
        if recorded is not None:
            return round(recorded.timestamp() * 1e6) * 1000
        return file_utc_ns - round(length_s * 1e9)


class LiveConfig(PictureConfig):
    """A camera that runs freely; the first picture exposed after the trigger is taken."""

    latency_ms: float = Field(
        default=0.0,
        ge=0,
        le=10_000,
        description="How long a picture is on its way from exposure to here; one that comes sooner "
        "after a trigger shows what was there before it.",
    )
    silence_s: float = Field(
        default=2.0,
        ge=0.2,
        le=60,
        description="Without a picture for so long the camera counts as gone, in seconds.",
    )


class RtspConfig(LiveConfig):
    """A network camera."""

    url: str = Field(
        pattern=r"^rtsps?://[^\s@]+$",
        description="Address of its stream: rtsp://host:554/stream, without user and password.",
    )
    user: str = Field(default="", description="User name; empty where the camera asks for none.")
    password: SecretStr = Field(default=SecretStr(""), description="Password of the user.")
    connect_timeout_s: float = Field(
        default=5.0, gt=0, le=60, description="Longest time for one attempt to connect, in seconds."
    )


class V4l2Config(LiveConfig):
    """A camera on this computer, by Video4Linux."""

    device: Path = Field(
        default=Path("/dev/video0"),
        description="Its device file; /dev/v4l/by-id/… stays the same when plugs change.",
    )
    width: Pixels | None = Field(default=None, description="Width asked of the camera, in pixels.")
    height: Pixels | None = Field(default=None, description="Height asked of it, in pixels.")
    rate_hz: float | None = Field(
        default=None, gt=0, le=1000, description="Pictures a second asked of it."
    )
    fourcc: str | None = Field(
        default=None, pattern=r"^[ -~]{4}$", description="Pixel format asked of it: MJPG, YUYV."
    )
    exposure: float | None = Field(
        default=None, description="Exposure in the driver's own unit; automatic where left out."
    )
