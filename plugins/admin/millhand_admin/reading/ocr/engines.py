"""The recognisers: tesseract as a process of its own, PP-OCR through rapidocr."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from millhand.messages import tr
from millhand_admin.paper.fact import Box
from millhand_admin.reading.limits import UnreadableDocument
from millhand_admin.reading.ocr.charset import Language
from millhand_admin.reading.page import Word

_TIMEOUT_S = 60.0
_TESSERACT = {
    Language.ENGLISH: "eng",
    Language.VIETNAMESE: "vie",
    Language.CHINESE: "chi_sim",
}


class Engine(Protocol):
    """A recogniser for one language at a time."""

    name: str

    def available(self, language: Language) -> bool:
        """Tell whether it is installed, with what the language needs."""
        ...

    def characters(self, language: Language) -> frozenset[str]:
        """Return every character that it can write."""
        ...

    def words(self, grey: NDArray[np.uint8], language: Language) -> list[Word]:
        """Recognise a picture, ``(height, width) uint8``. Blocks for seconds."""
        ...


class Tesseract:
    """Tesseract 5, Debian's packages; one process a page, one thread, killed when it takes long."""

    name = "tesseract"

    def available(self, language: Language) -> bool:
        """Ask the program which languages it has."""
        return _TESSERACT[language] in _tesseract_languages()

    def characters(self, language: Language) -> frozenset[str]:
        """Read the character set out of the language's model."""
        return _unicharset(_TESSERACT[language])

    def words(self, grey: NDArray[np.uint8], language: Language) -> list[Word]:
        """Recognise a page.

        Raises:
            UnreadableDocument: ``recogniser``, it failed or took too long.
        """
        height, width = grey.shape
        picture = f"P5 {width} {height} 255\n".encode() + grey.tobytes()
        command = ["tesseract", "stdin", "stdout", "-l", _TESSERACT[language], "--psm", "3", "tsv"]
        try:
            done = subprocess.run(  # noqa: S603  a fixed program, the picture on its standard input
                command, input=picture, capture_output=True, timeout=_TIMEOUT_S, check=True,
                env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            raise UnreadableDocument(
                tr("The recogniser failed: {why}.", why=type(error).__name__), fault="recogniser"
            ) from error
        return list(_words_of_tsv(done.stdout.decode("utf-8", errors="replace"), height, width))


def _words_of_tsv(text: str, height: int, width: int) -> list[Word]:
    found = []
    for row in csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["level"] != "5" or not (row["text"] or "").strip():
            continue
        left, top = int(row["left"]), int(row["top"])
        right, bottom = left + int(row["width"]), top + int(row["height"])
        box = Box(left=left / width, top=top / height, right=min(right / width, 1),
                  bottom=min(bottom / height, 1))  # fmt: skip
        sure = min(max(float(row["conf"]) / 100, 0.0), 1.0)
        found.append(Word(row["text"].strip(), box, sure))
    return found


@lru_cache(maxsize=1)
def _tesseract_languages() -> frozenset[str]:
    if shutil.which("tesseract") is None:
        return frozenset()
    done = subprocess.run(
        ["tesseract", "--list-langs"],  # noqa: S607  wherever the system has it
        capture_output=True, timeout=_TIMEOUT_S, check=False,
    )  # fmt: skip
    return frozenset(done.stdout.decode(errors="replace").split())


@lru_cache(maxsize=3)
def _unicharset(code: str) -> frozenset[str]:
    """Unpack a model's character set: one line for each, its first word."""
    data = _model_file(code)
    if data is None or shutil.which("combine_tessdata") is None:
        return frozenset()
    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder) / f"{code}."
        subprocess.run(  # noqa: S603
            ["combine_tessdata", "-u", str(data), str(prefix)],  # noqa: S607
            capture_output=True, timeout=_TIMEOUT_S, check=False,
        )  # fmt: skip
        file = Path(folder) / f"{code}.lstm-unicharset"
        if not file.exists():
            return frozenset()
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()[1:]
    return frozenset(letter for line in lines for letter in line.split(" ", 1)[0])


def _model_file(code: str) -> Path | None:
    done = subprocess.run(
        ["tesseract", "--list-langs"],  # noqa: S607
        capture_output=True, timeout=_TIMEOUT_S, check=False, text=True,
    )  # fmt: skip
    folder = re.search(r'"([^"]+)"', done.stdout)
    path = None if folder is None else Path(folder[1]) / f"{code}.traineddata"
    return path if path is not None and path.exists() else None


class PpOcr:
    """PP-OCR as rapidocr ships it: models inside the wheel, one thread, nothing fetched."""

    name = "pp-ocr"

    def available(self, language: Language) -> bool:
        """Tell whether rapidocr is installed; it has one model for all languages."""
        del language
        return _rapidocr() is not None

    def characters(self, language: Language) -> frozenset[str]:
        """Return the recogniser's dictionary."""
        del language
        engine = _rapidocr()
        if engine is None:
            return frozenset()
        if engine.text_rec is None:  # loaded when it is first needed
            blank = np.full((48, 96, 3), 255, np.uint8)
            engine(blank, use_det=False, use_cls=False, use_rec=True)
        return frozenset("".join(engine.text_rec.session.get_character_list()))

    def words(self, grey: NDArray[np.uint8], language: Language) -> list[Word]:
        """Recognise a page; a word here is a run of text as it was detected."""
        del language
        engine = _rapidocr()
        if engine is None:
            raise UnreadableDocument(tr("rapidocr is not installed."), fault="recogniser")
        height, width = grey.shape
        picture = np.repeat(grey[..., None], 3, axis=2)
        # Said at every call: rapidocr remembers what the one before switched off.
        result = engine(picture, use_det=True, use_cls=True, use_rec=True)
        if result.boxes is None:
            return []
        return [
            Word(text, _box(corners, height, width), float(sure))
            for corners, text, sure in zip(result.boxes, result.txts, result.scores, strict=True)
            if text.strip()
        ]


def _box(corners: Any, height: int, width: int) -> Box:
    across = np.clip(corners[:, 0] / width, 0, 1)
    down = np.clip(corners[:, 1] / height, 0, 1)
    return Box(left=float(across.min()), top=float(down.min()), right=float(across.max()),
               bottom=float(down.max()))  # fmt: skip


@lru_cache(maxsize=1)
def _rapidocr() -> Any:
    try:
        from rapidocr import RapidOCR
    except ImportError:
        return None
    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    return RapidOCR(params={"Global.log_level": "error", **threads})
