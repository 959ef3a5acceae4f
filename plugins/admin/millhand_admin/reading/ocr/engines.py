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
_LONGEST = 1280
"""Pixels of the longer side when text is looked for; it is recognised at full size."""
_NARROWEST = 160
"""Pixels that a run of text, 48 high, is filled up to at least: cells of tables are short, and what
is filled up costs as much as letters (rapidocr fills up to 320, and six runs to the widest)."""
_SURE_OF_TURN = 1.0
"""Tesseract's confidence below which a page stays as it lies."""
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

    def line(self, grey: NDArray[np.uint8]) -> str:
        """Recognise the digits and Latin letters of one line, as a second opinion."""
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
        text = _tesseract(grey, "-l", _TESSERACT[language], "--psm", "3", "tsv")
        return list(_words_of_tsv(text, height, width))

    def line(self, grey: NDArray[np.uint8]) -> str:
        """Recognise one line as English.

        Raises:
            UnreadableDocument: ``recogniser``, it failed or took too long.
        """
        return self.line_in(grey, Language.ENGLISH)

    def line_in(self, grey: NDArray[np.uint8], language: Language) -> str:
        """Recognise one line in a language.

        Raises:
            UnreadableDocument: ``recogniser``, it failed or took too long.
        """
        return _tesseract(grey, "-l", _TESSERACT[language], "--psm", "7").strip()

    def upright(self, grey: NDArray[np.uint8]) -> tuple[int, str] | None:
        """Tell how a page lies.

        Returns:
            How often it must be turned by 90 degrees counterclockwise, and the script that it is
            in (``Latin``, ``Han``); None where there are too few letters to tell.
        """
        try:
            text = _tesseract(grey, "--psm", "0", "-c", "min_characters_to_try=12")
        except UnreadableDocument:
            return None
        turn = re.search(r"Rotate: (\d+)\s+Orientation confidence: ([\d.]+)", text)
        script = re.search(r"Script: (\w+)", text)
        if turn is None or script is None:
            return None
        degrees = int(turn[1]) if float(turn[2]) >= _SURE_OF_TURN else 0
        return (-degrees // 90) % 4, script[1]


def _tesseract(grey: NDArray[np.uint8], *options: str) -> str:
    """Run the program on a picture; one thread.

    Raises:
        UnreadableDocument: ``recogniser``, it failed or took too long.
    """
    height, width = grey.shape
    picture = f"P5 {width} {height} 255\n".encode() + grey.tobytes()
    try:
        done = subprocess.run(  # noqa: S603  a fixed program, the picture on its standard input
            ["tesseract", "stdin", "stdout", *options],  # noqa: S607
            input=picture, capture_output=True, timeout=_TIMEOUT_S, check=True,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise UnreadableDocument(
            tr("The recogniser failed: {why}.", why=type(error).__name__), fault="recogniser"
        ) from error
    return done.stdout.decode("utf-8", errors="replace")


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
        # Said at every call: rapidocr remembers what was switched off. Pages come upright.
        result = engine(picture, use_det=True, use_cls=False, use_rec=True)
        if result.boxes is None:
            return []
        return [
            Word(text, _box(corners, height, width), float(sure))
            for corners, text, sure in zip(result.boxes, result.txts, result.scores, strict=True)
            if text.strip()
        ]

    def line(self, grey: NDArray[np.uint8]) -> str:
        """Recognise one line, without looking for text first."""
        return self.sure_line(grey)[0]

    def sure_line(self, grey: NDArray[np.uint8]) -> tuple[str, float]:
        """Recognise one line, and how sure that is, from 0 to 1."""
        engine = _rapidocr()
        if engine is None:
            return "", 0.0
        result = engine(np.repeat(grey[..., None], 3, axis=2), use_det=False, use_cls=False,
                        use_rec=True)  # fmt: skip
        return " ".join(result.txts or ()), min(map(float, result.scores or ()), default=0.0)

    def corners(self, grey: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Find lines: four corners ``(4, 2)`` each, in pixels, from the top left clockwise."""
        engine = _rapidocr()
        if engine is None:
            return []
        picture = np.repeat(grey[..., None], 3, axis=2)
        result = engine(picture, use_det=True, use_cls=False, use_rec=False)
        return [] if result.boxes is None else [np.asarray(one, np.float32) for one in result.boxes]


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
    looked_for = {"Det.limit_type": "max", "Det.limit_side_len": _LONGEST}
    read_singly = {"Rec.rec_batch_num": 1, "Rec.rec_img_shape": [3, 48, _NARROWEST]}
    return RapidOCR(params={"Global.log_level": "error", **looked_for, **read_singly, **threads})
