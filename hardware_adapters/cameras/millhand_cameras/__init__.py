"""Folders, videos, and live cameras by RTSP and Video4Linux for Millhand."""

from __future__ import annotations

from collections.abc import Sequence

from millhand.plugins.hookspecs import hookimpl
from millhand.plugins.registrations import AdapterType, AttackType, Capabilities, Face


@hookimpl
def millhand_capabilities() -> Capabilities:
    """Say that files are read, and network cameras that a scenario names."""
    return Capabilities(
        network=True,
        notes="Reads picture files; connects only to the cameras that the scenario names.",
    )


@hookimpl
def millhand_adapters() -> Sequence[AdapterType]:
    """Register the cameras; OpenCV is imported when one that needs it is opened."""
    return [
        AdapterType(
            name="folder",
            target="millhand_cameras.folder:FolderCamera",
            summary="Shows the pictures in a folder, one at each trigger.",
            faces=frozenset({Face.CAMERA}),
        ),
        AdapterType(
            name="video",
            target="millhand_cameras.video:VideoCamera",
            summary="Shows the frames of a video file, one at each trigger.",
            faces=frozenset({Face.CAMERA}),
        ),
        AdapterType(
            name="rtsp",
            target="millhand_cameras.live:RtspCamera",
            summary="A network camera: the first picture after each trigger.",
            faces=frozenset({Face.CAMERA}),
            schemes=("rtsp", "rtsps"),
        ),
        AdapterType(
            name="v4l2",
            target="millhand_cameras.live:V4l2Camera",
            summary="A camera on this computer: the first picture after each trigger.",
            faces=frozenset({Face.CAMERA}),
        ),
    ]


@hookimpl
def millhand_attacks() -> Sequence[AttackType]:
    """Register the attack by picture files."""
    return [
        AttackType(
            "camera.hostile-files",
            "millhand_cameras.attacks:HostilePictures",
            "Picture files that are bombs, cut off, or no pictures.",
        )
    ]
