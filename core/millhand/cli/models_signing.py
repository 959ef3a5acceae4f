"""``millhand models keygen | sign``: so that only what you signed is run."""

from __future__ import annotations

import os
from pathlib import Path

import click

from millhand.cli.output import console
from millhand.errors import ConfigError
from millhand.messages import tr

PRIVATE, PUBLIC = "models.key", "models.pub"


@click.command(
    help=tr(
        "Make a key pair that signs model packages (ECDSA on P-256).\n"
        "\n"
        "The private key stays where packages are made. The public key goes to every plant that "
        "runs them: with it, a package that you did not sign is refused.\n"
        "\n"
        "\b\n"
        "  millhand models keygen keys/"
    )
)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def keygen(*, folder: Path) -> None:
    """Make a key pair."""
    from millhand.models.signature import new_key

    private, public = new_key()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(folder / PRIVATE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ConfigError(
            tr("{file} exists.", file=folder / PRIVATE),
            mend=tr("Name another folder; what the old key signed would be refused by the new."),
        ) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(private)
    (folder / PUBLIC).write_bytes(public)
    out = console()
    out.print(tr("private key: {file}", file=folder / PRIVATE), markup=False)
    out.print(tr("public key:  {file}", file=folder / PUBLIC), markup=False)


@click.command(
    help=tr(
        "Sign a package with a local key, in the format of OpenSSF Model Signing. The package is "
        "verified first, and written into as model.sig; its id stays.\n"
        "\n"
        "\b\n"
        "  millhand models sign models/impeller --key keys/models.key"
    )
)
@click.argument("package", type=click.Path(path_type=Path))
@click.option(
    "--key",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=tr("The private key."),
)
def sign(*, package: Path, key: Path) -> None:
    """Sign a package."""
    from millhand.models.package import open_package
    from millhand.models.signature import SIGNATURE, sign_folder

    opened = open_package(package)
    signature = sign_folder(package, key.read_bytes())
    fresh = package.parent / f".{package.name}.{SIGNATURE}"
    fresh.write_bytes(signature)
    fresh.replace(package / SIGNATURE)
    text = tr("{id} is signed: {file}", id=opened.id, file=package / SIGNATURE)
    console().print(text, style="good", markup=False)
