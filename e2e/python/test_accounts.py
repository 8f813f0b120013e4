"""PyPI `auth0-python`, unchanged: sign-up, forgotten passwords, links."""

import uuid

import pytest
from auth0.authentication import Database
from auth0.authentication.exceptions import Auth0Error

from conftest import PASSWORD


@pytest.fixture(scope="module")
def database(tenant):
    return Database(tenant.domain, tenant.application_id)


def address(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}@example.com"


def test_who_signs_up_can_log_in(tenant, database):
    email = address("new")
    made = database.signup(email=email, password=PASSWORD, connection=tenant.connection)
    assert (made["email"], made["email_verified"]) == (email, False)
    assert tenant.tokens.login(email, PASSWORD, realm=tenant.connection)["access_token"]
    assert tenant.newest_event("ss", email).user_id == f"auth0|{made['_id']}"


def test_a_weak_password_is_refused(tenant, database):
    with pytest.raises(Auth0Error) as refused:
        database.signup(email=address("weak"), password="weak", connection=tenant.connection)
    assert (refused.value.status_code, refused.value.error_code) == (400, "invalid_password")


def test_a_forgotten_password_has_one_answer(tenant, database):
    for name in ["known", "nobody"]:
        told = database.change_password(email=address(name), connection=tenant.connection)
        assert told == "We've just sent you an email to reset your password."


def test_tickets_and_jobs(tenant):
    user = tenant.create_user("ticket")
    change = tenant.management.tickets.change_password(user_id=user.user_id)
    assert "/u/reset-password?ticket=" in change.ticket
    verify = tenant.management.tickets.verify_email(user_id=user.user_id)
    assert "/u/email-verification?ticket=" in verify.ticket
    job = tenant.management.jobs.verification_email.create(user_id=user.user_id)
    assert tenant.management.jobs.get(job.id).status == "completed"
