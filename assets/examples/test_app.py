from app import make_image


def test_my_app_tries_again(civitai_mock):
    civitai_mock.fail_next(2, "html-error")  # a web page instead of JSON, as it happened
    image = make_image("a fox", base_url=civitai_mock.url, token=civitai_mock.token)
    assert image.startswith(b"\x89PNG")
    civitai_mock.verify(count=3, method="POST", route="/v1/consumer/jobs")
