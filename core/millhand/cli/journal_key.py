"""``millhand journal keygen``, and what ``verify`` is given to compare with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from millhand.cli.output import console
from millhand.errors import ConfigError
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.cli.places import JournalPlace
    from millhand.journal.chain import ChainHead
    from millhand.journal.proof import SignedProof


@click.command(
    help=tr(
        "Make a key pair that signs the journal's checkpoints (Ed25519).\n"
        "\n"
        "The private key stays on the cell's computer, readable for its owner only. Whoever holds "
        "the public key and the exported checkpoints can prove later that nothing was changed or "
        "cut off: keep both elsewhere.\n"
        "\n"
        "\b\n"
        "  millhand journal keygen my-cell/secrets/journal.key"
    )
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def keygen(*, file: Path) -> None:
    """Make a key pair."""
    from millhand.journal.signing import PublicKey, make_key

    public = make_key(file)
    out = console()
    out.print(tr("private key: {file}", file=file), markup=False)
    name = PublicKey.read(public).name
    out.print(tr("public key:  {file}, named {name}", file=public, name=name), markup=False)
    out.print(tr("Name it in the scenario, relative to its folder:"))
    out.print(f'  journal: {{sign: "file:secrets/{file.name}"}}', markup=False)


def evidence(
    against: Path | None, key_files: tuple[Path, ...], place: JournalPlace
) -> tuple[ChainHead | None, SignedProof | None]:
    """Read what a journal is to be compared with: a head, and signatures by known keys.

    Without ``against``, checkpoints that lie beside the journal are taken; an attacker may have
    cut those off as well.

    Raises:
        ConfigError: a file holds something else, or signed checkpoints come without a key.
    """
    from millhand.journal.chain import ChainHead
    from millhand.journal.places import CHECKPOINTS
    from millhand.journal.proof import SignedProof
    from millhand.journal.signing import PublicKey, SignedHead, read_heads

    beside = place.folder / CHECKPOINTS
    file = against or (beside if key_files and beside.is_file() else None)
    heads = read_heads(file) if file is not None else []
    signed = [head for head in heads if isinstance(head, SignedHead)]
    plain = [head for head in heads if isinstance(head, ChainHead)]
    if signed and not key_files:
        raise ConfigError(
            tr("{file} holds signed checkpoints; they prove nothing without a key.", file=file),
            mend=tr("Give the public key too: --key journal.pub"),
        )
    if len(plain) > 1:
        raise ConfigError(tr("{file} holds several heads.", file=file))
    keys = [PublicKey.read(one) for one in key_files]
    return plain[0] if plain else None, SignedProof(keys, signed) if keys else None
