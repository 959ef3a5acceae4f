"""Folder and video cameras for Millhand."""

from __future__ import annotations

from collections.abc import Sequence

from millhand.plugins.hookspecs import hookimpl
from millhand.plugins.registrations import AdapterType, Capabilities, Face


@hookimpl
def millhand_capabilities() -> Capabilities:
    """Say that pictures are only read from files."""
    return Capabilities(notes="Reads picture and video files; opens no network connection.")


@hookimpl
def millhand_adapters() -> Sequence[AdapterType]:
    """Register the two cameras."""
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
    ]
