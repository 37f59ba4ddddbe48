"""What a server answers: predictions with the model's name, a sentence for each thing that is wrong, nothing else."""

import base64
import json
import struct
import threading
import zlib

import numpy as np
import pytest
from pretend_served import INSTANCES, by_mean, encoded, make_client

from autotl.production.serving.application import PATHS, PREDICT

JSON = {"content-type": "application/json"}


def ask(client, instances):
    return client.post(PREDICT, json={"instances": instances})


def refused(answer, status, *words):
    assert answer.status_code == status, answer.text
    problem = answer.json()
    said = " ".join([problem["error"], *problem["mistakes"]])
    for word in words:
        assert word in said, said
    return problem


@pytest.fixture
def images(tmp_path):
    return make_client(tmp_path)


@pytest.mark.parametrize("modality", ["text", "table", "signal"])
def test_each_answer_names_model_version_and_digest(modality, tmp_path):
    client = make_client(tmp_path, modality)
    answer = ask(client, [INSTANCES[modality]] * 2).json()
    assert answer["model"]["name"] == "flowers"
    assert answer["model"]["version"] == 3
    assert len(answer["model"]["digest"]) == 64
    assert [sorted(each) for each in answer["predictions"]] == [["label", "probabilities", "probability"]] * 2
    first = answer["predictions"][0]
    assert sum(first["probabilities"].values()) == pytest.approx(1)
    assert first["probabilities"][first["label"]] == first["probability"] == max(first["probabilities"].values())


def test_an_image_comes_as_a_file_as_files_as_bytes_or_as_base64(images):
    dark, light = encoded(colour=(0, 0, 0)), encoded(colour=(255, 255, 255), kind="JPEG")
    one = images.post(PREDICT, content=light, headers={"content-type": "image/jpeg"}).json()["predictions"]
    same = images.post(PREDICT, content=light, headers={"content-type": "application/octet-stream"}).json()
    two = images.post(PREDICT, files=[("images", ("a.png", dark)), ("b", ("b.jpg", light))]).json()["predictions"]
    values = [{"b64": base64.b64encode(each).decode()} for each in (dark, light)]
    assert one == same["predictions"] == two[1:]
    assert two == ask(images, values).json()["predictions"]
    assert two[0]["probability"] != two[1]["probability"]


def test_what_is_predicted_is_what_the_bundle_s_reading_gives(images):
    content = encoded(colour=(10, 200, 90))
    seen = np.full((1, 8, 8, 3), (10, 200, 90), dtype=np.uint8)
    answer = images.post(PREDICT, content=content, headers={"content-type": "image/png"}).json()
    assert list(answer["predictions"][0]["probabilities"].values()) == pytest.approx(by_mean(seen)[0].tolist())


def test_one_broken_image_refuses_the_request_and_is_named(images):
    answer = images.post(PREDICT, files=[("images", ("a", encoded())), ("images", ("b", b"no image"))])
    refused(answer, 422, "nothing was predicted", "instances[1]: the image is no JPEG, PNG", "it holds text")
    answer = images.post(PREDICT, files=[("images", ("a", encoded(kind="BMP")[:-60]))])
    refused(answer, 422, "instances[0]: the image cannot be decoded")


def test_a_decompression_bomb_is_refused_by_its_header(images):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10**6)))
    refused(images.post(PREDICT, content=bomb, headers={"content-type": "image/png"}), 422, "80,000,000 pixels")


def test_limits_are_told_with_what_is_allowed(tmp_path):
    client = make_client(tmp_path, body_bytes=2_000, pixels=100, instances=2)
    small = encoded(size=(5, 5))
    refused(client.post(PREDICT, content=encoded(), headers={"content-type": "image/png"}), 413, "100 pixels", "120")
    refused(client.post(PREDICT, content=bytes(2_001), headers={"content-type": "image/png"}), 413, "2,000 bytes")
    refused(client.post(PREDICT, files=[("i", ("a", small))] * 3), 413, "3 instances are too many", "At most 2")
    refused(ask(client, [{"b64": ""}] * 3), 413, "At most 2")
    chunks = (bytes(500) for _ in range(9))  # of a length that is not declared
    refused(client.post(PREDICT, content=chunks, headers={"content-type": "image/png"}), 413, "2,000 bytes")
    refused(client.post(PREDICT, files=[("i", ("a", bytes(3_000)))]), 413, "2,000 bytes")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "empty"),
        (b"{", 400, "no JSON"),
        (b"[" * 100_000, 400, "nested too deep"),
        (b'{"instances": [NaN]}', 400, "NaN"),
        (b'{"instances": ["\xff"]}', 400, "UTF-8"),
        (b'{"instances": [' + b"9" * 5_000 + b"]}", 400, "no JSON"),
        (b"[]", 422, '{"instances": [...]}'),
        (b'{"instances": []}', 422, "at least one instance"),
        (b'{"instances": {"0": "a"}}', 422, "at least one instance"),
        (b'{"instances": ["fine", 7, null]}', 422, "instances[1]: expected a text, got 7."),
        (b'{"instances": ["fine", " \\u200b "]}', 422, "instances[1]: the text is empty."),
    ],
)
def test_bodies_that_make_no_sense(tmp_path, body, status, words):
    client = make_client(tmp_path, "text")
    refused(client.post(PREDICT, content=body, headers=JSON), status, words)


def test_kinds_of_content_that_are_not_taken_name_those_that_are(tmp_path, images):
    refused(images.post(PREDICT, data={"instances": "x"}), 415, "x-www-form-urlencoded", "multipart/form-data")
    refused(images.post(PREDICT, content=b"x"), 415, "without Content-Type")
    texts = make_client(tmp_path / "texts", "text")
    refused(texts.post(PREDICT, files=[("a", ("a", b"x"))]), 415, "Send application/json.")


def test_bad_forms(images):
    kind = {"content-type": "multipart/form-data"}
    refused(images.post(PREDICT, content=b"--x", headers=kind), 400, "The form cannot be read")
    kind = {"content-type": "multipart/form-data; boundary=x"}
    refused(images.post(PREDICT, content=b"--x\r\nnonsense", headers=kind), 422, "no file")
    refused(images.post(PREDICT, files={"a": (None, "text")}), 422, "no file")


def test_a_model_that_says_nothing_finite_is_no_server_error(tmp_path):
    client = make_client(tmp_path, "signal", predict=lambda batch: np.full((len(batch), 2), np.nan, dtype=np.float32))
    refused(ask(client, [INSTANCES["signal"]]), 422, "instances[0]: the model gives no finite answer.")


def test_a_full_house_sends_away_with_the_time_to_come_back(tmp_path):
    entered, let_go = threading.Event(), threading.Event()

    def slow(batch):
        entered.set()
        let_go.wait(10)
        return by_mean(batch)

    client = make_client(tmp_path, "text", predict=slow, at_once=1, waiting=0)
    with client:
        answers = []
        first = threading.Thread(target=lambda: answers.append(ask(client, ["one"])))
        first.start()
        assert entered.wait(10)
        answer = ask(client, ["two"])
        refused(answer, 429, "1 requests are being served already")
        assert answer.headers["retry-after"] == "1"
        let_go.set()
        first.join(10)
        assert answers[0].status_code == ask(client, ["three"]).status_code == 200


def test_a_request_whose_time_is_up_is_told_and_keeps_its_place_until_it_has_ended(tmp_path):
    let_go = threading.Event()

    def slow(batch):
        let_go.wait(10)
        return by_mean(batch)

    client = make_client(tmp_path, "text", predict=slow, seconds=1, at_once=1, waiting=0)
    with client:
        refused(ask(client, ["one"]), 408, "No answer within 1 seconds")
        refused(ask(client, ["two"]), 429)
        let_go.set()
        client.app.state.line.close()
        assert client.app.state.line.inside == 0


def test_health_and_where_things_are(images):
    assert images.get("/health/live").json() == {"status": "live"}
    assert images.get("/health/ready").json() == {"status": "ready"}
    images.app.state.stopping = True
    stopping = images.get("/health/ready")
    assert (stopping.status_code, stopping.json()) == (503, {"status": "stopping"})
    refused(images.get("/"), 404, *PATHS)
    assert refused(images.get(PREDICT), 405, "Use POST.")
    for page in ("/docs", "/redoc"):  # they would load scripts from elsewhere
        assert images.get(page).status_code == 404


def test_the_model_describes_itself(tmp_path):
    told = make_client(tmp_path, "table").get("/v1/model").json()
    assert told["model"]["version"] == 3
    assert told["asked_for"] == "flowers@production"
    assert told["classes"] == ["daisy", "tulip"]
    assert told["card"].startswith("# flowers")
    assert told["figures"] == {"score": None, "test": None}
    assert told["provenance"]["trial"] == 0
    assert told["limits"]["instances"] == 256
    assert told["instance"]["required"] == ["age", "city", "sold"]


@pytest.mark.parametrize("modality", ["image", "text", "table", "signal"])
def test_openapi_describes_requests_and_answers(tmp_path, modality):
    told = make_client(tmp_path, modality).get("/openapi.json").json()
    post = told["paths"][PREDICT]["post"]
    assert "application/json" in post["requestBody"]["content"]
    assert ("multipart/form-data" in post["requestBody"]["content"]) == (modality == "image")
    assert set(post["responses"]) >= {"200", "408", "413", "415", "422", "429"}
    assert "Predictions" in told["components"]["schemas"]
    assert "://" not in json.dumps(told)


def test_metrics_count_answers_and_labels(images):
    images.post(PREDICT, content=encoded(colour=(255, 255, 255)), headers={"content-type": "image/png"})
    images.post(PREDICT, content=b"x", headers={"content-type": "image/png"})
    images.get("/somewhere/evil")
    text = images.get("/metrics").text
    assert 'autotl_requests_total{path="/v1/predict",status="200"} 1.0' in text
    assert 'autotl_requests_total{path="/v1/predict",status="422"} 1.0' in text
    assert 'autotl_requests_total{path="other",status="404"} 1.0' in text
    assert 'autotl_predictions_total{label="tulip"} 1.0' in text
    assert 'autotl_predictions_total{label="daisy"} 0.0' in text
    assert 'autotl_model{digest="' in text
    assert "evil" not in text


def test_no_origin_is_let_in_and_nothing_is_guessed(images):
    answer = images.get("/v1/model", headers={"origin": "https://elsewhere.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert answer.headers["x-content-type-options"] == "nosniff"
