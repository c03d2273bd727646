"""The whole story in one process: a resource of one's own, a job for it, and its image."""

from tests.support.served_app import JOBS, serve_all, template

AIR = "urn:air:sd1:checkpoint:civitai:999001@999002"


async def test_a_job_on_a_new_resource_ends_with_images_to_download() -> None:
    async with serve_all() as opened:
        client = opened.client
        assert (await client.post("/v2/resources", json={"air": AIR, "modelName": "My Model"})).status_code == 201
        submitted = (await client.post(JOBS, json=template(model=AIR, quantity=2))).json()
        await opened.wait_until_ended(submitted["jobId"])
        answer = await client.get(JOBS, params={"token": submitted["token"]})
        assert answer.status_code == 200
        images = [await client.get(result["blobUrl"]) for result in answer.json()["jobs"][0]["result"]]
    assert [image.headers["content-type"] for image in images] == ["image/png"] * 2
    assert all(image.content.startswith(b"\x89PNG\r\n\x1a\n") for image in images)
    assert images[0].content != images[1].content


async def test_a_running_job_can_be_cancelled() -> None:
    async with serve_all(simulation_profile="realistic") as opened:
        job_id = (await opened.client.post(JOBS, json=template())).json()["jobId"]
        assert (await opened.client.delete(f"{JOBS}/{job_id}")).status_code == 200
        await opened.wait_until_ended(job_id)
        status = (await opened.client.get(f"{JOBS}/{job_id}")).json()
    assert status["lastEvent"]["type"] == "Deleted"
