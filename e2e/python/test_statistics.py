"""PyPI `auth0-python`, unchanged: the statistics of the tenant. The last file, since logins count when they are a minute old."""

import time

import pytest
from auth0.management.errors import BadRequestError

from conftest import PASSWORD

COUNTED_WITHIN_SECONDS = 120


def test_statistics_say_who_came(tenant):
    user = tenant.create_user("counted")
    assert tenant.tokens.login(user.email, PASSWORD, realm=tenant.connection)["access_token"]
    stats = tenant.management.stats
    deadline = time.monotonic() + COUNTED_WITHIN_SECONDS
    while not stats.get_active_users_count():
        assert time.monotonic() < deadline, "no login was counted in time"
        time.sleep(0.5)

    day = next(day for day in stats.get_daily() if day.logins)
    assert day.date.endswith("T00:00:00.000Z")
    assert (day.signups >= 0, day.leaked_passwords >= 0) == (True, True)
    assert day.created_at <= day.updated_at
    name = day.date[:10].replace("-", "")
    assert [same.date for same in stats.get_daily(from_=name, to=name)] == [day.date]
    with pytest.raises(BadRequestError):
        stats.get_daily(from_="yesterday")
