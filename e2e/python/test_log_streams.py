"""PyPI auth0-python, unchanged: its management client manages log streams and reads the log."""

import re

import pytest
from auth0.management.core.api_error import ApiError
from auth0.management.types import (
    CreateLogStreamDatadogRequestBody,
    CreateLogStreamHttpRequestBody,
    LogStreamDatadogSink,
    LogStreamFilter,
    LogStreamHttpSink,
)


def test_log_streams(tenant):
    streams = tenant.management.log_streams
    made = streams.create(
        request=CreateLogStreamHttpRequestBody(
            name="SIEM of Python",
            type="http",
            sink=LogStreamHttpSink(
                http_endpoint="https://siem.example.com/in",
                http_content_format="JSONLINES",
                http_authorization="Bearer a-siem-token",
            ),
            filters=[LogStreamFilter(type="category", name="auth.login.fail")],
        )
    )
    assert re.fullmatch(r"lst_[0-9]{16}", made.id)
    assert (made.name, made.type, made.status) == ("SIEM of Python", "http", "active")
    assert made.sink.http_authorization == "Bearer a-siem-token"
    read = streams.get(made.id)
    assert (read.sink.http_endpoint, read.sink.http_content_format) == ("https://siem.example.com/in", "JSONLINES")
    assert [(each.type, each.name) for each in read.filters] == [("category", "auth.login.fail")]
    assert made.id in [each.id for each in streams.list()]
    assert streams.update(made.id, status="paused").status == "paused"
    moved = LogStreamHttpSink(http_endpoint="https://siem.evil.example.com/in")
    with pytest.raises(ApiError) as refused:
        streams.update(made.id, sink=moved)
    assert refused.value.status_code == 400
    assert "httpAuthorization" in str(refused.value.body)

    with pytest.raises(ApiError) as other:
        streams.create(
            request=CreateLogStreamDatadogRequestBody(
                name="x", type="datadog", sink=LogStreamDatadogSink(datadog_region="eu", datadog_api_key="x")
            )
        )
    assert other.value.status_code == 400
    streams.delete(made.id)
    with pytest.raises(ApiError) as gone:
        streams.get(made.id)
    assert gone.value.status_code == 404


def test_logs(tenant):
    page = tenant.management.logs.list(per_page=10, sort="date:-1")
    newest = page.items[0]
    assert tenant.management.logs.get(newest.log_id).type == newest.type
