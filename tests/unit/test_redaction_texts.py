"""What is a secret in a text, and what only resembles one."""

from __future__ import annotations

import base64

import pytest

from pytest_agentreplay.redaction import Redactor

RANDOM = (
    "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7d"  # split from prefixes, so that no scanner takes this file for a leak
)
HEX = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
REDACTOR = Redactor.from_settings([])
PEM = "-----BEGIN {} KEY-----\nMIIEpAIBAAKCAQEA7bq8\n{}\n-----END {} KEY-----"


def _found(text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in REDACTOR.find(text)]


@pytest.mark.parametrize(
    "prefix",
    [
        *(
            "sk-",
            "sk-proj-",
            "sk-ant-api03-",
            "ghp_",
            "gho_",
            "github_pat_",
            "glpat-",
            "xoxb-",
            "xoxp-",
            "sk_live_",
            "rk_live_",
        ),
        *("AIza", "npm_", "pypi-AgE", "hf_", "gsk_", "whsec_", "ya29.", "shpat_", "lsv2_pt_"),
    ],
)
@pytest.mark.parametrize(
    "frame", ["{}", "use {} now", "x={}", '{{"k":"{}"}}', r"a\n{}\n", "https://h/?q={}", "https://{}@host/"]
)
def test_vendor_keys_are_found_anywhere(prefix: str, frame: str) -> None:
    """A key gives itself away by its prefix, in prose, in JSON, in a URL."""
    key = prefix + RANDOM

    assert key in [secret for kind, secret in _found(frame.format(key)) if kind == "token"]


@pytest.mark.parametrize(
    "key",
    [
        "AKIA" + "IOSFODNN7EXAMPLE",
        "ASIA" + "QWERTYUIOPASDFGH",
        "SK" + HEX,
        "dapi" + HEX,
        "SG." + RANDOM[:22] + "." + RANDOM,
        "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + RANDOM,
        "123456789:AA" + RANDOM[:33],
    ],
)
def test_other_formats_are_found(key: str) -> None:
    """AWS, Twilio, Databricks, SendGrid, JWT, Telegram."""
    assert _found(f"the value {key} leaked") == [("token", key)]


def test_the_path_of_a_webhook_is_a_secret() -> None:
    """Who knows the address can write."""
    path = "T00000000/B00000000/" + RANDOM[:24]

    assert _found(f"https://hooks.slack.com/services/{path} is it") == [("token", path)]


@pytest.mark.parametrize("name", ["PRIVATE", "RSA PRIVATE", "EC PRIVATE", "OPENSSH PRIVATE", "ENCRYPTED PRIVATE"])
@pytest.mark.parametrize("escaped", [False, True])
def test_private_keys_go_as_a_whole(name: str, escaped: bool) -> None:
    """A PEM block is one secret, on lines of its own or escaped in JSON."""
    block = PEM.format(name, RANDOM, name)
    block = block.replace("\n", "\\n") if escaped else block

    assert _found(f"before {block} after") == [("private_key", block)]


def test_a_private_key_that_was_cut_off_goes_too() -> None:
    """Tool output is often truncated."""
    block = PEM.format("RSA PRIVATE", RANDOM, "RSA PRIVATE").split("-----END")[0].rstrip()

    assert _found(f"{block}\n... [truncated]") == [("private_key", block)]


@pytest.mark.parametrize(
    ("text", "kind", "secret"),
    [
        ("password=hunter2", "password", "hunter2"),
        ("password: hunter2", "password", "hunter2"),
        ("Password : hunter2, user: bob", "password", "hunter2"),
        ("db:\n  password: hunter\n  port: 1", "password", "hunter"),
        ("**Password:** hunter2", "password", "hunter2"),
        ('{"password": "hunter2 or so"}', "password", "hunter2 or so"),
        (r'{"a": "{\"password\": \"hunter2\"}"}', "password", "hunter2"),
        (r"{\\\"password\\\":\\\"hunter2\\\"}", "password", "hunter2"),
        (r"a\npassword=hunter2\nb", "password", "hunter2"),
        ('{"pin": 1234}', "pin", "1234"),
        ('{"password": "cut off here', "password", "cut off here"),
        ("{'api_key': 'abc'}", "token", "abc"),
        ("export DB_PASSWORD=correct", "password", "correct"),
        ("GET /?token=abc&x=1", "token", "abc"),
        ("Authorization: Bearer abc", "token", "abc"),
        ("curl -H 'Authorization: token abc123'", "token", "abc123"),
        ("X-Api-Key: abc123", "token", "abc123"),
        ("got Bearer abc123def456 from it", "token", "abc123def456"),
        (f"Basic {base64.b64encode(b'bob:hunter').decode()}", "password", "Ym9iOmh1bnRlcg=="),
        ("Cookie: sid=1; theme=dark", "cookie", "sid=1; theme=dark"),
        ("<password>two words</password>", "password", "two words"),
        ("AWS_SECRET_ACCESS_KEY=wJalr/K7MDENG+bPxRfiCY", "token", "wJalr/K7MDENG+bPxRfiCY"),
        ("aws_secret_access_key = wJalr/K7MDENG+bPxRfiCY", "token", "wJalr/K7MDENG+bPxRfiCY"),
        ("Server=db;Uid=sa;Pwd=hunter;", "password", "hunter"),
        ("mysql --password hunter -u root", "password", "hunter"),
        ("login --api-key=abc", "token", "abc"),
        ("login --token 'abc' now", "token", "abc"),
        ("my password is hunter2.", "password", "hunter2"),
        ("use the api key abc123def", "token", "abc123def"),
        ("use api_key sk-LIVE-abc for it", "token", "sk-LIVE-abc"),
        ("ssn: 123-45-6789", "ssn", "123-45-6789"),
        ("cvv 4 digits, cvv: 123", "cvv", "123"),
        ("postgres://bob:p@ss@db:5432/x", "password", "p@ss"),
        ("redis://:hunter2@cache", "password", "hunter2"),
        ("mail Bob.O'Neil+x@mail.example.co.uk!", "email", "Bob.O'Neil+x@mail.example.co.uk"),
        ("?to=bob%40example.com", "email", "bob%40example.com"),
        (r"to\nbob@example.com", "email", "bob@example.com"),
        ("jürgen@müller.de", "email", "jürgen@müller.de"),
        ('"tokens": 5, "passwords": ["a b"]', "password", "a b"),
        ('"cookies": {"name": "x", "sid": "a b"}', "cookie", "a b"),
        ("input('user') or password: 'x y'", "password", "x y"),
    ],
)
def test_secrets_in_texts_are_found(text: str, kind: str, secret: str) -> None:
    """By key or by value, in prose, headers, URLs, command lines, and JSON at any depth of escaping."""
    assert (kind, secret) in _found(text)


@pytest.mark.parametrize(
    "text",
    [
        "commit 8c1f2ab9d3e4f5061728394a5b6c7d8e9f001122 by 6f9619ff-8b86-d011-b42d-00c04fc964ff",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg",
        "order #W2378156, flight HAT204, reservation SI5UKW, user mia_li_3668, card_7815826, item 3557711149",
        '{"usage": {"input_tokens": 5210, "token_count": 3}, "max_tokens": 1000, "next_page_token": "abc123def"}',
        "token = lexer.next()\npassword = os.environ['X']\nself.token = token\napi_key=api_key, secret=settings.secret",
        "def login(password: str, token: Optional[str] = None, secret=None) -> Token: ...",
        'password = input("Password: ")\nprint("token: " + token)',
        "if 'password' in form: raise ValueError('password is required')",
        "Password: must be at least 8 characters. Reset your password here. The token is invalid.",
        "@pytest.fixture\n@app.route('/x')\ngit@github.com:a/b.git pkg@1.2.3 logo@2x.png @media",
        "sk-learn sk-toggleable__content-arrow task-management-application risk-assessment-2024",
        "http://localhost:8080/a@b https://example.com/x?y=1 basic authentication, bearer of bad news",
        '"@fastify/jwt": "^10.0.0"',
        'PASSWORD=$DB_PASSWORD TOKEN=${TOKEN} api_key: <your api key> secret: "***" token: {{ token }} pwd=/home/me',
        "PWD=/home/user/project",
        "the pin is 3, pinned: 12345678, led_pin: 1234",
        "looks for -----BEGIN PRIVATE KEY----- in files",
        "2024-01-01T10:00:00.123456 1700000000000 127.0.0.1:8080 v1.2.3",
        '{"properties": {"password": {"type": "string", "description": "The password"}}, "required": ["password"]}',
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    """Ids, hashes, images, figures, source code, schemas and prose about secrets hold none."""
    assert _found(text) == []


def test_where_finds_overlap_the_outer_one_names_all() -> None:
    """Nothing of a secret stays because another pattern found a part of it."""
    key = "ghp_" + RANDOM

    assert _found(f'{{"password": "my {key} and hunter2"}}') == [("password", f"my {key} and hunter2")]
    assert _found(f"token={key}") == [("token", key)]
