import pytest

from planner.domain.urls import add_query, is_loopback_redirect, parse_app_scheme, parse_origin


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://app.example.com/signed-in?from=planner", "https://app.example.com"),
        ("HTTPS://App.Example.COM", "https://app.example.com"),
        ("https://app.example.com:443/", "https://app.example.com"),
        ("http://app.example.com:0080/", "http://app.example.com"),
        ("http://localhost:5173/a%20page", "http://localhost:5173"),
        ("http://[::1]:8000/", "http://[::1]:8000"),
        ("https://app.example.com:80/", "https://app.example.com:80"),
    ],
)
def test_an_origin_is_the_normalized_scheme_host_and_port(address: str, origin: str) -> None:
    assert parse_origin(address) == origin


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/signed-in",
        "//app.example.com/",
        "app.example.com",
        "javascript:alert(1)",
        "ftp://app.example.com/",
        "https:app.example.com",
        "https:///app.example.com/",
        "https://app.example.com\\@evil.example.com/",
        "https://app.example.com@evil.example.com/",
        "https://app.example.com/#fragment",
        "https://app.example.com/\n",
        "\thttps://app.example.com/",
        "https://app.example.com/ page",
        "https://app.example.com/%zz",
        "https://app.example.com:port/",
        "https://äpp.example.com/",
        'https://app.example.com/"><script>',
    ],
)
def test_an_address_that_programs_may_read_differently_has_no_origin(address: str) -> None:
    assert parse_origin(address) is None


def test_parameters_are_added_to_an_existing_query_and_none_values_left_out() -> None:
    assert add_query("https://a.example", {"code": "x y", "state": None}) == "https://a.example?code=x+y"
    assert add_query("https://a.example/?b=1", {"code": "ü&="}) == "https://a.example/?b=1&code=%C3%BC%26%3D"


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:51004/callback", "http://127.0.0.1/", "http://127.0.0.1", "http://[::1]:61023/oauth2redirect"],
)
def test_a_native_app_listens_on_any_port_of_a_loopback_address(address: str) -> None:
    assert is_loopback_redirect(address)


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1:51004/",
        "http://localhost:51004/",
        "http://127.0.0.1.evil.example.com/",
        "http://127.0.0.1@evil.example.com/",
        "http://evil.example.com/127.0.0.1",
        "http://127.0.0.2:51004/",
        "http://2130706433:51004/",
        "http://127.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0:51004/",
        "http://127.0.0.1:51004/#x",
        "http://127.0.0.1:port/",
    ],
)
def test_nothing_else_is_a_loopback_address_of_a_native_app(address: str) -> None:
    assert not is_loopback_redirect(address)


@pytest.mark.parametrize(
    ("address", "scheme"),
    [
        ("com.example.app:/oauth2redirect", "com.example.app"),
        ("COM.Example.App://callback?x=1", "com.example.app"),
        ("com.example.app:/a/b#fragment", None),
        ("com.example.app:/a b", None),
        ("com.example.app:/\n", None),
        ("com.example.app", None),
        ("/com.example.app:/", None),
        ("://", None),
    ],
)
def test_the_scheme_of_a_native_app_is_that_before_the_colon(address: str, scheme: str | None) -> None:
    assert parse_app_scheme(address) == scheme
