"""``millhand models keygen | sign``: so that only what you signed is run."""

from __future__ import annotations

from pathlib import Path

import click

from millhand.cli.output import console
from millhand.messages import tr


@click.command(
    help=tr(
        "Make a key pair that signs model packages (ECDSA on P-256).\n"
        "\n"
        "The private key stays where packages are made. The public key goes to every plant that "
        "runs them: a scenario that names it runs only what you signed.\n"
        "\n"
        "\b\n"
        "  millhand models keygen keys/models.key"
    )
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def keygen(*, file: Path) -> None:
    """Make a key pair."""
    from millhand.models.signature import make_key

    public = make_key(file)
    out = console()
    out.print(tr("private key: {file}", file=file), markup=False)
    out.print(tr("public key:  {file}", file=public), markup=False)
    out.print(tr("Copy the public key into the scenario's folder and name it there:"))
    out.print(f"  models: {{signed_by: keys/{public.name}}}", markup=False)


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
