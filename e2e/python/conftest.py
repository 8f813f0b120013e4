"""What the suite needs in the tenant, made through the Management API with the official client alone."""

import os
import uuid
from dataclasses import dataclass

import pytest
from auth0.authentication import GetToken
from auth0.management import ManagementClient
from auth0.management.types import ResourceServerScope, UpdateEnabledClientConnectionsRequestContentItem

PASSWORD = "Correct-Horse-42"
PASSWORD_GRANTS = ["password", "http://auth0.com/oauth/grant-type/password-realm"]


def required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        pytest.exit(f"{name} is missing: run the suites through ./run", returncode=4)
    return value


@dataclass(frozen=True)
class Tenant:
    """One API, one directory (the default one), one application that is trusted with the header."""

    domain: str
    management: ManagementClient
    audience: str
    connection: str
    application_id: str
    tokens: GetToken

    def create_user(self, name: str):
        return self.management.users.create(
            connection=self.connection,
            email=f"{name}-{uuid.uuid4().hex[:8]}@example.com",
            password=PASSWORD,
            email_verified=True,
        )

    def newest_event(self, event_type: str, user_name: str):
        page = self.management.logs.list(per_page=100, sort="date:-1")
        return next(
            (event for event in page.items if event.type == event_type and event.user_name == user_name),
            None,
        )


@pytest.fixture(scope="session")
def tenant() -> Tenant:
    domain = required("E2E_DOMAIN")
    management = ManagementClient(
        domain=domain,
        client_id=required("E2E_CLIENT_ID"),
        client_secret=required("E2E_CLIENT_SECRET"),
    )
    api = management.resource_servers.create(
        name="Orders of Python",
        identifier="https://python.example.com/orders",
        scopes=[ResourceServerScope(value="read:orders", description="See orders")],
    )
    application = management.clients.create(
        name="Python backend",
        app_type="regular_web",
        token_endpoint_auth_method="client_secret_post",
        is_token_endpoint_ip_header_trusted=True,
        grant_types=PASSWORD_GRANTS,
    )
    connection = management.connections.create(name="python-users", strategy="auth0")
    management.connections.clients.update(
        connection.id,
        request=[UpdateEnabledClientConnectionsRequestContentItem(client_id=application.client_id, status=True)],
    )
    management.tenants.settings.update(default_directory=connection.name)
    return Tenant(
        domain=domain,
        management=management,
        audience=api.identifier,
        connection=connection.name,
        application_id=application.client_id,
        tokens=GetToken(domain, application.client_id, client_secret=application.client_secret),
    )
