"""PyPI `auth0-python`, unchanged: its Authentication client and its Management client."""

import pytest
from auth0.authentication import Users
from auth0.authentication.exceptions import Auth0Error, RateLimitError
from auth0.management.errors import NotFoundError
from conftest import PASSWORD, PASSWORD_GRANTS

OWNER = "203.0.113.40"
ATTACKER = "198.51.100.40"
WRONG_PASSWORD = "wrong-horse"


def login(tenant, user, password=PASSWORD, **options):
    """The documented call, with plain `password`: the client's own default is the realm grant."""
    return tenant.tokens.login(
        username=user.email,
        password=password,
        audience=tenant.audience,
        **{"grant_type": "password", "scope": "openid read:orders", **options},
    )


def block(tenant, user):
    for _ in range(10):
        with pytest.raises(Auth0Error) as refused:
            login(tenant, user, WRONG_PASSWORD, forwarded_for=ATTACKER)
        assert (refused.value.status_code, refused.value.error_code) == (403, "invalid_grant")
        assert refused.value.message == "Wrong email or password."


def test_login_with_the_header_counts_for_the_end_user(tenant):
    user = tenant.create_user("with")
    answer = login(tenant, user, forwarded_for=OWNER)
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 86400
    assert answer["access_token"] and answer["id_token"]
    assert tenant.newest_event("sepft", user.email).ip == OWNER


def test_login_without_the_header_counts_for_the_backend(tenant):
    user = tenant.create_user("without")
    assert login(tenant, user)["access_token"]
    assert tenant.newest_event("sepft", user.email).ip == "127.0.0.1"


def test_login_by_realm(tenant):
    user = tenant.create_user("realm")
    answer = tenant.tokens.login(
        username=user.email,
        password=PASSWORD,
        realm=tenant.connection,
        audience=tenant.audience,
        forwarded_for=OWNER,
    )
    assert answer["access_token"]


def test_userinfo_tells_who_the_bearer_is(tenant):
    user = tenant.create_user("bearer")
    token = login(tenant, user, scope="openid email")["access_token"]
    told = Users(tenant.domain).userinfo(token)
    assert told == {"sub": user.user_id, "email": user.email, "email_verified": True}
    with pytest.raises(Auth0Error) as refused:
        Users(tenant.domain).userinfo("never-issued")
    assert refused.value.status_code == 401


def test_the_realm_grant_without_a_realm_is_refused_by_name(tenant):
    # The client sends `realm: null` when none is given.
    user = tenant.create_user("no-realm")
    with pytest.raises(Auth0Error) as refused:
        tenant.tokens.login(username=user.email, password=PASSWORD, audience=tenant.audience)
    assert (refused.value.status_code, refused.value.error_code) == (400, "invalid_request")
    assert refused.value.message == "Missing required parameter: realm"


def test_ten_wrong_guesses_block_their_own_address_alone(tenant):
    user = tenant.create_user("victim")
    block(tenant, user)

    with pytest.raises(RateLimitError) as blocked:
        login(tenant, user, forwarded_for=ATTACKER)
    assert blocked.value.error_code == "too_many_attempts"
    assert blocked.value.reset_at > 0

    assert login(tenant, user, forwarded_for=OWNER)["access_token"]


def test_blocks_are_shown_and_lifted(tenant):
    blocks = tenant.management.user_blocks
    user = tenant.create_user("blocked")
    block(tenant, user)

    shown = blocks.list(user.user_id).blocked_for
    assert [(entry.identifier, entry.ip) for entry in shown] == [(user.email, ATTACKER)]
    assert len(blocks.list_by_identifier(identifier=user.email).blocked_for) == 1

    blocks.delete(user.user_id)
    assert blocks.list(user.user_id).blocked_for == []
    assert login(tenant, user, forwarded_for=ATTACKER)["access_token"]
    lifted = tenant.newest_event("portcullis_block_lifted", user.email)
    assert lifted.user_id == user.user_id


def test_blocks_are_lifted_by_identifier_and_by_address(tenant):
    blocks = tenant.management.user_blocks
    user = tenant.create_user("blocked-twice")
    block(tenant, user)
    blocks.delete_by_identifier(identifier=user.email)
    assert blocks.list_by_identifier(identifier=user.email).blocked_for == []
    assert login(tenant, user, forwarded_for=ATTACKER)["access_token"]

    other = tenant.create_user("blocked-at-an-address")
    block(tenant, other)
    tenant.management.anomaly.blocks.unblock_ip(ATTACKER)
    assert blocks.list(other.user_id).blocked_for == []
    with pytest.raises(NotFoundError):
        tenant.management.anomaly.blocks.check_ip(ATTACKER)


def test_users_live_and_end(tenant):
    users = tenant.management.users
    user = tenant.create_user("life")
    assert [found.user_id for found in users.list_users_by_email(email=user.email)] == [user.user_id]

    changed = users.update(user.user_id, user_metadata={"plan": "gold"}, nickname="Goldie")
    assert changed.user_metadata == {"plan": "gold"}
    assert users.get(user.user_id).nickname == "Goldie"

    users.delete(user.user_id)
    with pytest.raises(NotFoundError):
        users.get(user.user_id)


def test_applications_keep_their_settings(tenant):
    stored = tenant.management.clients.get(tenant.application_id)
    assert stored.token_endpoint_auth_method == "client_secret_post"
    assert stored.is_token_endpoint_ip_header_trusted is True
    assert stored.grant_types == PASSWORD_GRANTS
    assert tenant.application_id in [client.client_id for client in tenant.management.clients.list(per_page=100)]


def test_shields_are_read_and_changed(tenant):
    shield = tenant.management.attack_protection.brute_force_protection
    before = shield.get()
    assert (before.enabled, before.max_attempts) == (True, 10)
    try:
        changed = shield.update(max_attempts=30)
        assert (changed.enabled, changed.max_attempts, changed.mode) == (True, 30, before.mode)
    finally:
        shield.update(max_attempts=10)

    throttling = tenant.management.attack_protection.suspicious_ip_throttling.get()
    assert (throttling.stage.pre_login.max_attempts, throttling.stage.pre_login.rate) == (100, 864000)
