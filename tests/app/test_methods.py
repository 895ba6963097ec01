import pytest

from tests.app.client import Client


@pytest.mark.parametrize("path", ["/", "/health/live", "/v1/models", "/openapi.json", "/docs"])
def test_head_is_get_without_the_body(client: Client, path: str) -> None:
    whole, head = client.get(path), client.request("HEAD", path)
    assert head.status_code == whole.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(whole.content))


def test_head_is_counted_by_its_route_and_reason(client: Client) -> None:
    assert client.request("HEAD", "/v1/models/tiny").status_code == 200
    assert client.request("HEAD", "/v1/models/nobody").status_code == 404
    told = client.get("/metrics").text
    for status in (200, 404):
        labels = f'{{method="HEAD",route="/v1/models/{{name}}",status="{status}"}}'
        assert f"sentiscope_http_requests_total{labels} 1.0" in told
    assert 'sentiscope_refused_total{reason="model-not-found"} 1.0' in told


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/predictions", "OPTIONS, POST"),
        ("/v1/models/tiny/versions/1", "DELETE, GET, HEAD, OPTIONS"),
    ],
)
def test_options_names_the_methods_and_allows_no_other_site(
    client: Client, path: str, allowed: str
) -> None:
    refused = client.request("OPTIONS", path, headers={"Origin": "https://example.org"})
    assert refused.status_code == 403
    response = client.request("OPTIONS", path, headers={"Origin": "http://localhost"})
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["allow"] == allowed
    assert "access-control-allow-origin" not in response.headers
