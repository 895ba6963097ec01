"""A full queue says no first of all."""

from pathlib import Path

import anyio

from tests.app.client import assert_problem, publish_tiny, serving, tiny_settings
from tests.app.pictures import encoded, noise, solid

_TYPO = "/v1/predictions?outputs=typo"


def test_while_the_queue_is_full_not_even_the_query_is_looked_at(tmp_path: Path) -> None:
    publish_tiny(tmp_path)
    slow = encoded(noise((3000, 3000)))
    headers = {"Content-Type": "image/png"}
    statuses: set[int] = set()
    with serving(tiny_settings(tmp_path, workers=1, queue_size=1, max_images=1)) as client:

        async def ask_meanwhile() -> None:
            async with anyio.create_task_group() as group:
                answered = anyio.Event()

                async def ask_slowly() -> None:
                    await client.http.post("/v1/predictions", content=slow, headers=headers)
                    answered.set()

                group.start_soon(ask_slowly)
                while not answered.is_set():
                    told = await client.http.post(_TYPO, content=encoded(solid()), headers=headers)
                    statuses.add(told.status_code)
                    await anyio.sleep(0.005)  # a no is so quick that nothing else has its turn
                    if told.status_code == 429:
                        assert_problem(told, 429)

        client.portal.call(ask_meanwhile)
        assert statuses <= {422, 429}
        assert 429 in statuses
        told = client.request("GET", "/metrics")
        assert 'route="/v1/predictions",status="429"' in told.text
        assert client.send_bytes(encoded(solid()), outputs="typo").status_code == 422
