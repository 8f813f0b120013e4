"""PyPI auth0-python, unchanged: its management client sets the e-mail provider and the templates."""

import pytest
from auth0.management.core.api_error import ApiError

BODY = '<p>Hello {{ user.name }}, <a href="{{ url }}">it is me</a>.</p>'


def test_email_provider(tenant):
    provider = tenant.management.emails.provider
    with pytest.raises(ApiError) as none:
        provider.get()
    assert none.value.status_code == 404

    credentials = {"smtp_host": "mail.example.com", "smtp_port": 465, "smtp_user": "shop", "smtp_pass": "correct horse"}
    made = provider.create(
        name="smtp",
        enabled=False,
        default_from_address="shop@example.com",
        credentials=credentials,
    )
    assert (made.name, made.enabled, made.default_from_address) == ("smtp", False, "shop@example.com")
    shown = provider.get().credentials
    assert (shown.smtp_host, shown.smtp_port, shown.smtp_user) == ("mail.example.com", 465, "shop")
    assert "correct horse" not in str(provider.get())
    assert provider.update(default_from_address="till@example.com").default_from_address == "till@example.com"

    with pytest.raises(ApiError) as refused:
        provider.update(name="mailgun")
    assert refused.value.status_code == 400
    with pytest.raises(ApiError) as twice:
        provider.create(name="smtp", credentials=credentials)
    assert twice.value.status_code == 409


def test_email_templates(tenant):
    templates = tenant.management.email_templates
    with pytest.raises(ApiError) as none:
        templates.get("verify_email")
    assert none.value.status_code == 404

    made = templates.create(
        template="verify_email",
        body=BODY,
        from_="shop@example.com",
        subject="Is this you?",
        syntax="liquid",
        enabled=True,
        url_lifetime_in_seconds=3600,
    )
    assert (made.body, made.subject, made.syntax) == (BODY, "Is this you?", "liquid")
    assert templates.get("verify_email").url_lifetime_in_seconds == 3600
    assert templates.update("verify_email", enabled=False).enabled is False
    replaced = templates.set(
        "verify_email",
        template="verify_email",
        body=BODY,
        from_="shop@example.com",
        subject="Again",
        syntax="liquid",
        enabled=True,
    )
    assert (replaced.subject, replaced.enabled, replaced.url_lifetime_in_seconds) == ("Again", True, None)

    with pytest.raises(ApiError) as refused:
        templates.update("verify_email", body="{% for user in users %}{% endfor %}")
    assert refused.value.status_code == 400
    assert "body of verify_email, line 1" in str(refused.value.body)
