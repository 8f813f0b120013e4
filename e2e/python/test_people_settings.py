"""PyPI `auth0-python`, unchanged: every setting of what protects people, written and read back, each alone.

Breached passwords, mails and their templates have files of their own beside this one.
"""

import pytest
from conftest import PASSWORD


def drive(settings, changes):
    """Each change is in the answer, and in what is read afterwards; at last all is as it was."""
    before = settings.get()
    try:
        for change in changes:
            changed = settings.update(**change)
            for name, value in change.items():
                if name != "stage":
                    assert getattr(changed, name) == value, change
            assert settings.get().model_dump() == changed.model_dump(), change
            yield changed
    finally:
        settings.update(**before.model_dump(by_alias=True, exclude_none=True))
    assert settings.get().model_dump() == before.model_dump()


def test_brute_force_protection(tenant):
    changes = [
        {"enabled": False},
        {"enabled": True},
        {"shields": []},
        {"shields": ["block"]},
        {"shields": ["user_notification"]},
        {"shields": ["block", "user_notification"]},
        {"mode": "count_per_identifier"},
        {"mode": "count_per_identifier_and_ip"},
        {"allowlist": ["192.0.2.1", "198.51.100.0/24", "2001:db8::1", "2001:db8:1::/48"]},
        {"allowlist": []},
        {"max_attempts": 1},
        {"max_attempts": 100},
    ]
    driven = list(drive(tenant.management.attack_protection.brute_force_protection, changes))
    assert len(driven) == len(changes)


def test_suspicious_ip_throttling(tenant):
    changes = [
        {"enabled": False},
        {"enabled": True},
        {"shields": []},
        {"shields": ["block"]},
        {"shields": ["admin_notification"]},
        {"shields": ["admin_notification", "block"]},
        {"allowlist": ["192.0.2.1", "2001:db8:1::/48"]},
        {"stage": {"pre-login": {"max_attempts": 2500, "rate": 34560}}},
        {"stage": {"pre-user-registration": {"max_attempts": 72000, "rate": 1200}}},
    ]
    driven = list(drive(tenant.management.attack_protection.suspicious_ip_throttling, changes))
    login, sign_up = driven[-2].stage.pre_login, driven[-1].stage.pre_user_registration
    assert (login.max_attempts, login.rate) == (2500, 34560)
    assert (sign_up.max_attempts, sign_up.rate) == (72000, 1200)


def plain(value):
    """What the client read, as the wire has it."""
    return value.model_dump(by_alias=True, exclude_none=True) if hasattr(value, "model_dump") else value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("passwordPolicy", policy) for policy in ["none", "low", "fair", "good", "excellent"]],
        ("password_complexity_options", {"min_length": 12}),
        ("password_history", {"enable": True, "size": 24}),
        ("password_dictionary", {"enable": True, "dictionary": ["Portcullis-2024"]}),
        ("password_no_personal_info", {"enable": True}),
        ("disable_signup", True),
        ("disable_self_service_change_password", True),
        ("requires_username", True),
        ("brute_force_protection", False),
    ],
)
def test_rules_of_a_directory(tenant, name, value):
    connections = tenant.management.connections
    connection = next(found for found in connections.list(name=tenant.connection))
    try:
        changed = connections.update(connection.id, options={name: value})
        for answer in [changed, connections.get(connection.id)]:
            assert plain(answer.options)[name] == value
    finally:
        connections.update(connection.id, options={"passwordPolicy": "good", "brute_force_protection": True})


def test_what_mails_say_of_the_tenant(tenant):
    settings = tenant.management.tenants.settings
    for name, value in [
        ("friendly_name", "The shop"),
        ("support_email", "help@example.com"),
        ("support_url", "https://help.example.com/"),
    ]:
        assert getattr(settings.update(**{name: value}), name) == value
        assert getattr(settings.get(), name) == value
    for told in [True, False]:
        changed = settings.update(flags={"enable_public_signup_user_exists_error": told})
        assert changed.flags.enable_public_signup_user_exists_error is told


def test_every_field_of_a_template(tenant):
    templates = tenant.management.email_templates
    for name in ["welcome_email", "blocked_account", "stolen_credentials", "reset_email", "password_reset"]:
        fields = {
            "body": "<p>{{ user.email }} {{ url }}</p>",
            "from_": "Shop <shop@example.com>",
            "subject": f"About {name}",
            "syntax": "liquid",
            "result_url": "https://shop.example.com/done",
            "url_lifetime_in_seconds": 600,
            "include_email_in_redirect": True,
            "enabled": True,
        }
        templates.create(template=name, **fields)
        for change in [
            {"body": "<p>Changed {{ url }}</p>"},
            {"from_": "till@example.com"},
            {"subject": "Changed"},
            {"result_url": "{{ application.callback_domain }}/done"},
            {"url_lifetime_in_seconds": 60},
            {"include_email_in_redirect": False},
            {"enabled": False},
        ]:
            fields |= change
            changed = templates.update(name, **change)
            for answer in [changed, templates.get(name)]:
                assert {field: getattr(answer, field) for field in fields} == fields


def test_every_field_of_a_ticket(tenant):
    connection = next(found for found in tenant.management.connections.list(name=tenant.connection))
    user = tenant.create_user("fields")
    common = {
        "result_url": "https://shop.example.com/done",
        "ttl_sec": 60,
        "include_email_in_redirect": True,
        "client_id": tenant.application_id,
    }
    tickets = tenant.management.tickets
    for made in [
        tickets.change_password(user_id=user.user_id, mark_email_as_verified=True, **common),
        tickets.change_password(email=user.email, connection_id=connection.id),
        tickets.verify_email(user_id=user.user_id, **common),
    ]:
        assert "?ticket=" in made.ticket
    job = tenant.management.jobs.verification_email.create(user_id=user.user_id, client_id=tenant.application_id)
    assert tenant.management.jobs.get(job.id).status == "completed"


def test_users_are_made_with_and_without_a_mail(tenant):
    for verify_email in [True, False]:
        email = f"mail-{verify_email}-settings@example.com".lower()
        made = tenant.management.users.create(
            connection=tenant.connection,
            email=email,
            password=PASSWORD,
            verify_email=verify_email,
        )
        assert made.email_verified is False
