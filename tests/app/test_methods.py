import pytest

from tests.app.client import Client


@pytest.mark.parametrize("path", ["/", "/health/live", "/v1/models", "/openapi.json", "/docs"])
def test_head_is_get_without_the_body(client: Client, path: str) -> None:
    whole, head = client.get(path), client.request("HEAD", path)
    assert head.status_code == whole.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(whole.content))


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
