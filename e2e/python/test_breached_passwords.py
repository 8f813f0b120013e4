"""Breached password detection through PyPI `auth0-python`, unchanged: settings and the login's answer."""

import uuid

import pytest
from auth0.authentication.exceptions import Auth0Error
from conftest import PASSWORD

LEAKED = "AUTH0-TEST-" + PASSWORD
STAGES = {"pre-user-registration": {"shields": []}, "pre-change-password": {"shields": []}}


@pytest.fixture
def shield(tenant):
    settings = tenant.management.attack_protection.breached_password_detection
    yield settings
    settings.update(enabled=False, shields=[], admin_notification_frequency=[], stage=STAGES)


def test_the_settings_are_kept(shield):
    changed = shield.update(
        enabled=True,
        shields=["block", "user_notification", "admin_notification"],
        admin_notification_frequency=["immediately", "daily", "weekly", "monthly"],
        method="standard",
        stage={
            "pre-user-registration": {"shields": ["block"]},
            "pre-change-password": {"shields": ["admin_notification"]},
        },
    )
    assert changed.enabled and changed.method == "standard"
    kept = shield.get()
    assert set(kept.shields) == {"block", "user_notification", "admin_notification"}
    assert set(kept.admin_notification_frequency) == {"immediately", "daily", "weekly", "monthly"}
    assert kept.stage.pre_user_registration.shields == ["block"]
    assert kept.stage.pre_change_password.shields == ["admin_notification"]


def test_a_breached_password_is_refused(tenant, shield):
    user = tenant.management.users.create(
        connection=tenant.connection,
        email=f"leaked-{uuid.uuid4().hex[:8]}@example.com",
        password=LEAKED,
    )
    shield.update(enabled=True, shields=["block"])
    with pytest.raises(Auth0Error) as refused:
        tenant.tokens.login(
            username=user.email,
            password=LEAKED,
            audience=tenant.audience,
            scope="read:orders",
            grant_type="password",
            forwarded_for="203.0.113.45",
        )
    assert (refused.value.status_code, refused.value.error_code) == (401, "password_leaked")
