"""Documents in and drafts out for Millhand: folders, HTTP upload, IMAP, ERP."""

from __future__ import annotations

from collections.abc import Sequence

from millhand.messages import tr
from millhand.plugins.hookspecs import hookimpl
from millhand.plugins.registrations import AdapterType, Capabilities, CommandType, Face

_RECORDS = frozenset({Face.RECORDS})


@hookimpl
def millhand_capabilities() -> Capabilities:
    """Say that mail servers and ERP systems are reached, and that one may be served."""
    return Capabilities(
        network=True,
        notes="Reaches the mail server and the ERP system that the scenario names; "
        "`records.upload` listens on the address that it names.",
    )


@hookimpl
def millhand_adapters() -> Sequence[AdapterType]:
    """Register the adapters; each is imported when a scenario names it."""
    return [
        AdapterType(
            name="records.inbox",
            target="millhand_records.inbox:InboxAdapter",
            summary=tr("Takes the files that somebody puts into a folder."),
            faces=_RECORDS,
        ),
        AdapterType(
            name="records.rehearsed",
            target="millhand_records.rehearsed:RehearsedAdapter",
            summary=tr("Hands out the files of a folder by a timetable, for demonstrations."),
            faces=_RECORDS,
        ),
        AdapterType(
            name="records.upload",
            target="millhand_records.upload:UploadAdapter",
            summary=tr("Takes the documents that are sent to it by HTTP."),
            faces=_RECORDS,
        ),
        AdapterType(
            name="records.imap",
            target="millhand_records.imap:ImapAdapter",
            summary=tr("Takes the attachments of the mails in a mailbox."),
            faces=_RECORDS,
        ),
        AdapterType(
            name="records.drop",
            target="millhand_records.drop:DropAdapter",
            summary=tr("Puts drafts into a folder as CSV and JSON, each once."),
            faces=_RECORDS,
        ),
        AdapterType(
            name="records.idoc",
            target="millhand_records.idoc:IdocAdapter",
            summary=tr("Puts drafts into a folder as SAP IDocs, each once."),
            faces=_RECORDS,
        ),
        AdapterType(
            name="records.odoo",
            target="millhand_records.odoo:OdooAdapter",
            summary=tr("Makes draft bills in Odoo, each once."),
            faces=_RECORDS,
        ),
        AdapterType(
            name="records.erpnext",
            target="millhand_records.erpnext:ErpNextAdapter",
            summary=tr("Makes draft purchase invoices in ERPNext, each once."),
            faces=_RECORDS,
        ),
    ]


@hookimpl
def millhand_commands() -> Sequence[CommandType]:
    """Register ``millhand records dry-run``."""
    return [
        CommandType(
            name="dry-run",
            group="records",
            target="millhand_records.dry_run:dry_run",
            summary=tr("Show what delivering drafts would change at their receivers."),
        )
    ]
