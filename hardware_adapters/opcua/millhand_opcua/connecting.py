"""From an address to an activated session, with clear words for whatever stands in the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto import security_policies
from asyncua.crypto.uacrypto import CertProperties
from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from millhand.contracts import ConnectionFault
from millhand.messages import tr
from millhand_opcua.cancelling import cancellation_kept
from millhand_opcua.certificates import OwnCertificate, check_trusted, default_application_uri
from millhand_opcua.config import Mode, OpcUaConfig, Policy
from millhand_opcua.faults import Fault, LinkLost, Refused, from_status
from millhand_opcua.session import Session

_POLICIES: dict[Policy, type[security_policies.SecurityPolicy]] = {
    Policy.NONE: security_policies.SecurityPolicyNone,
    Policy.BASIC256SHA256: security_policies.SecurityPolicyBasic256Sha256,
    Policy.AES128_SHA256_RSAOAEP: security_policies.SecurityPolicyAes128Sha256RsaOaep,
    Policy.AES256_SHA256_RSAPSS: security_policies.SecurityPolicyAes256Sha256RsaPss,
}
_POLICY_NAMES = {policy.URI: name for name, policy in _POLICIES.items()}


async def open_session(config: OpcUaConfig, own: OwnCertificate | None, epoch: int) -> Session:
    """Connect, log in and learn the server's namespaces.

    Raises:
        LinkLost: away, or busy; try again soon.
        Refused: a person must act.
    """
    try:
        async with asyncio.timeout(config.connect_timeout_s):
            return await _log_in(config, own, epoch)
    except UaStatusCodeError as error:
        raise from_status(error.code, config.url) from None
    except Fault as fault:
        raise from_status(fault.code, config.url) from None
    except TimeoutError:
        raise LinkLost(
            tr(
                "{url} did not answer within {seconds} s.",
                url=config.url,
                seconds=config.connect_timeout_s,
            )
        ) from None
    except OSError as error:
        raise LinkLost(tr("{url}: {error}.", url=config.url, error=error)) from None
    except UaError as error:
        raise Refused(
            tr("{url}: {error}.", url=config.url, error=error),
            fault=ConnectionFault.CONFIGURATION,
        ) from None


async def _log_in(config: OpcUaConfig, own: OwnCertificate | None, epoch: int) -> Session:
    endpoint = _choose_endpoint(config, await _endpoints(config))
    async with _connected(config) as client:
        await _secure(client, config, own, endpoint)
        await _open_channel(client)
        await client.create_session()
        await client.activate_session(
            username=config.security.user or None,
            password=config.security.password.get_secret_value(),
        )
        session = Session(client, epoch, config.max_batch, config.request_timeout_s)
        await session.learn_server()
        return session


@asynccontextmanager
async def _connected(config: OpcUaConfig) -> AsyncIterator[Client]:
    """Make a client whose socket is dropped if the block fails or is cancelled."""
    client = Client(config.url, timeout=config.connect_timeout_s)
    client.name = client.description = "Millhand"
    client.product_uri = "urn:millhand"
    client.session_timeout = round(config.session_timeout_s * 1000)
    try:
        with cancellation_kept():
            yield client
    except BaseException:
        _drop(client)
        raise


async def _open_channel(client: Client) -> None:
    await client.connect_socket()
    protocol = client.uaclient.protocol
    if protocol is None or protocol.is_closed:  # its hello would wait for an answer in vain
        raise LinkLost(tr("the server closed the connection"))
    await client.send_hello()
    await client.open_secure_channel()


def _drop(client: Client) -> None:
    protocol = client.uaclient.protocol
    if protocol is not None and protocol.transport is not None:
        protocol.transport.abort()
    client.disconnect_socket()


async def _endpoints(config: OpcUaConfig) -> list[ua.EndpointDescription]:
    async with _connected(config) as client:
        await _open_channel(client)
        endpoints = await client.get_endpoints()
        await client.close_secure_channel()
        _drop(client)
        return endpoints


def _choose_endpoint(
    config: OpcUaConfig, offered: list[ua.EndpointDescription]
) -> ua.EndpointDescription:
    wanted = _POLICIES[config.security.policy].URI
    for endpoint in offered:
        if endpoint.SecurityPolicyUri == wanted and endpoint.SecurityMode == _mode(config):
            _check_log_in(config, endpoint)
            return endpoint
    choices = sorted({_endpoint_name(endpoint) for endpoint in offered})
    raise Refused(
        tr(
            "{url} does not offer security policy {policy}.",
            url=config.url,
            policy=_policy_name(wanted, _mode(config)),
        ),
        fault=ConnectionFault.SECURITY,
        mend=tr("It offers: {choices}.", choices=", ".join(choices)),
    )


def _mode(config: OpcUaConfig) -> ua.MessageSecurityMode:
    if config.security.policy is Policy.NONE:
        return ua.MessageSecurityMode.None_
    if config.security.mode is Mode.SIGN:
        return ua.MessageSecurityMode.Sign
    return ua.MessageSecurityMode.SignAndEncrypt


def _endpoint_name(endpoint: ua.EndpointDescription) -> str:
    return _policy_name(endpoint.SecurityPolicyUri or "", endpoint.SecurityMode)


def _policy_name(uri: str, mode: ua.MessageSecurityMode) -> str:
    policy = _POLICY_NAMES.get(uri) or uri.rpartition("#")[2]
    return policy if mode == ua.MessageSecurityMode.None_ else f"{policy}/{mode.name}"


def _check_log_in(config: OpcUaConfig, endpoint: ua.EndpointDescription) -> None:
    """Refuse early what the server would refuse, and what would show the password to all."""
    by_name = bool(config.security.user)
    kind = ua.UserTokenType.UserName if by_name else ua.UserTokenType.Anonymous
    tokens = [token for token in endpoint.UserIdentityTokens if token.TokenType == kind]
    if endpoint.UserIdentityTokens and not tokens:
        raise Refused(
            tr("{url} does not let in users by name and password.", url=config.url)
            if by_name
            else tr("{url} does not let anybody in without a user name.", url=config.url),
            fault=ConnectionFault.CREDENTIALS,
            mend=tr("Remove security.user.") if by_name else tr("Set security.user and password."),
        )
    if not by_name or endpoint.SecurityMode == ua.MessageSecurityMode.SignAndEncrypt:
        return
    none = security_policies.SecurityPolicyNone.URI
    uri = (tokens[0].SecurityPolicyUri if tokens else "") or endpoint.SecurityPolicyUri
    if uri == none and not config.security.allow_plain_password:
        raise Refused(
            tr("The password for {url} would travel readable.", url=config.url),
            fault=ConnectionFault.SECURITY,
            mend=tr(
                "Choose a security policy, or set security.allow_plain_password on a network that "
                "nobody else can reach."
            ),
        )


async def _secure(
    client: Client,
    config: OpcUaConfig,
    own: OwnCertificate | None,
    endpoint: ua.EndpointDescription,
) -> None:
    client.application_uri = config.application_uri or default_application_uri()
    if own is None:
        return
    server_der = _first_certificate(endpoint.ServerCertificate or b"")
    check_trusted(config.security, server_der, config.url)
    client.application_uri = own.application_uri
    await client.set_security(
        _POLICIES[config.security.policy],
        certificate=CertProperties(own.certificate_der, extension="der"),
        private_key=CertProperties(own.key_pem, extension="pem"),
        server_certificate=CertProperties(server_der, extension="der"),
        mode=_mode(config),
    )


def _first_certificate(chain: bytes) -> bytes:
    """Return the server's own certificate out of a chain of DER certificates."""
    if len(chain) < 4 or chain[1] != 0x82:
        return chain
    return chain[: int.from_bytes(chain[2:4], "big") + 4]
