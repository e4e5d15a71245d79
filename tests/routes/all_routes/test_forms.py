"""Forms, as the token endpoint takes them (RFC 6749): every refusal is an error of its own kind."""

from urllib.parse import urlencode

import pytest

from tests.routes.all_routes.request_factory import RequestFactory
from tests.support.clients import Person, Planner, bearer, headers_of, sign_up
from tests.support.openapi.operations import FORM, TOKEN_ENDPOINT, Operation


async def test_a_form_that_cannot_be_read_is_refused(
    operations: list[Operation], requests: RequestFactory, subtests: pytest.Subtests
) -> None:
    with_form = [operation for operation in operations if FORM in operation.content]
    assert with_form
    for operation in with_form:
        sample = await requests.sample(operation)
        good = sample.content()
        first = good.partition(b"&")[0]
        bad = {
            "a repeated parameter": good + b"&" + first,
            "a repeated parameter with another value": good + b"&" + first.partition(b"=")[0] + b"=x",
            "a repeated parameter, encoded": good + b"&%" + b"%02x" % first[0] + first[1:],
            "an unknown parameter twice": good + b"&surprise=1&surprise=2",
            "an encoded NUL": good + b"&surprise=%00",
            "a NUL in a name": good + b"&%00=x",
            "a raw NUL": good + b"&surprise=\0",
            "encoded bytes that are not UTF-8": good + b"&surprise=%ff",
            "raw bytes that are not UTF-8": good + b"&surprise=\xff",
            "an encoded lone surrogate": good + b"&surprise=%ED%A0%80",
            "a thousand parameters": good + b"".join(b"&p%d=x" % number for number in range(1000)),
            "JSON": b'{"grant_type": "password"}',
            "nothing": b"",
            "only separators": b"&&&",
        }
        for name, content in bad.items():
            with subtests.test(f"{operation}: {name}"):
                response = await sample.send_raw(content, FORM)
                assert response.status_code == 400, response.text


async def test_a_form_is_read_as_browsers_read_it(api: Planner) -> None:
    ada = await sign_up(api, "ada@bücher.example", "sieben grüne Äpfel")
    for form in (
        "grant_type=password&username=ada@bücher.example&password=sieben+grüne+Äpfel",
        "grant_type=password&username=ada%40b%C3%BCcher.example&password=sieben%20gr%C3%BCne%20%C3%84pfel&",
        "&grant_type=password&&username=ada@bücher.example&password=sieben grüne Äpfel&unknown&%zz=%zz",
    ):
        response = await api.post("/auth/token", content=form.encode(), headers={"content-type": FORM})
        assert response.status_code == 200, response.text
        assert (await api.get("/users/me", headers=bearer(response.json()["access_token"]))).json()["id"] == ada.id


@pytest.mark.parametrize("name", ["grant_type", "username", "password"])
async def test_each_parameter_of_a_token_request_is_needed_and_given_once(ada: Person, name: str) -> None:
    form = {"grant_type": "password", "username": ada.email, "password": ada.password}
    headers = {"content-type": FORM}
    without = {key: value for key, value in form.items() if key != name}
    for pairs in ([*without.items()], [*form.items(), (name, form[name])], [*without.items(), (name, "")]):
        response = await ada.api.post("/auth/token", content=urlencode(pairs), headers=headers)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def test_the_token_endpoint_refuses_with_the_error_code_of_the_standard(
    ada: Person, subtests: pytest.Subtests
) -> None:
    refusals = {
        "invalid_request": {"username": ada.email},
        "unsupported_grant_type": {"grant_type": "of-mine", "username": ada.email, "password": ada.password},
        "invalid_grant": {"grant_type": "password", "username": ada.email, "password": "wrong"},
    }
    for code, form in refusals.items():
        with subtests.test(code):
            response = await ada.api.post("/auth/token", data=form)
            assert (response.status_code, response.json()["error"]) == (400, code)


async def test_the_token_endpoint_refuses_alike_an_unknown_account_and_a_wrong_password(ada: Person) -> None:
    form = {"grant_type": "password", "username": ada.email, "password": "wrong"}
    wrong = await ada.api.post("/auth/token", data=form)
    unknown = await ada.api.post("/auth/token", data=form | {"username": "nobody@example.com"})
    assert wrong.status_code == unknown.status_code == 400
    assert wrong.content == unknown.content
    assert headers_of(wrong) == headers_of(unknown)


async def test_responses_with_tokens_may_not_be_cached(ada: Person) -> None:
    form = {"grant_type": "password", "username": ada.email, "password": ada.password}
    answers = [
        await ada.api.post("/auth/token", data=form),
        await ada.api.post("/auth/signin", json={"email": ada.email, "password": ada.password}),
    ]
    for response in answers:
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        assert response.json()["token_type"] == "Bearer"


async def test_the_token_endpoint_takes_no_other_method(ada: Person) -> None:
    for method in ("GET", "PUT", "DELETE"):
        response = await ada.api.request(method, f"http://planner.test{TOKEN_ENDPOINT}")
        assert (response.status_code, response.headers["allow"]) == (405, "POST")
