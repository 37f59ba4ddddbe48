"""A thousand requests that nobody should send: each is answered in order, none breaks the server."""

import collections

import pytest
from hostile import hostile_requests
from pretend_served import INSTANCES, encoded, make_client

from autotl.production.serving.application import PREDICT

REQUESTS = 1_000
MODALITIES = ("image", "text", "table", "signal")


@pytest.mark.parametrize("modality", MODALITIES)
def test_no_hostile_request_is_a_server_s_error(modality, tmp_path):
    client = make_client(tmp_path, modality)
    statuses = collections.Counter()
    for number, request in enumerate(hostile_requests(REQUESTS // len(MODALITIES), modality=modality, seed=7)):
        answer = client.request(**request)
        statuses[answer.status_code] += 1
        assert answer.status_code < 500, (number, request, answer.text)
        if answer.status_code >= 400 and request["method"] != "HEAD":
            assert answer.json()["error"], answer.text
    assert {200, 400, 404, 405, 413, 415, 422} <= set(statuses), statuses
    assert client.app.state.line.inside == 0
    sound = (
        {"content": encoded(), "headers": {"content-type": "image/png"}}
        if modality == "image"
        else {"json": {"instances": [INSTANCES[modality]]}}
    )
    assert client.post(PREDICT, **sound).status_code == 200
