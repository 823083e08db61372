"""The page's server over real connections: who is let in, and what is refused."""

import json
import re
import socket

import pytest

from gradmap.errors import ScenarioError
from scenarios.web.gate import MAX_BODY
from scenarios.web.server import GETS, POSTS, PageServer, Places
from tests.web.serving import served


def test_the_page_comes_from_here_alone_and_says_so(page):
    for path, kind in (("", "text/html"), ("page.css", "text/css"), ("page.js", "text/javascript")):
        got = page.ask("GET", path)
        assert got.status == 200
        assert got.headers["Content-Type"].startswith(kind)
        policy = got.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert got.headers["Cache-Control"] == "no-store"
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert got.headers["Referrer-Policy"] == "no-referrer"
        assert "Python" not in got.headers["Server"]
        assert "Access-Control-Allow-Origin" not in got.headers
        text = got.body.decode()
        assert "//" not in re.sub(r"^\s*//.*|;\s*//.*", "", text, flags=re.MULTILINE)
        assert "innerHTML" not in text
    html = page.ask("GET", "").body.decode()
    assert not re.search(r"\son\w+\s*=|\sstyle\s*=|<style", html)
    assert re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL) == [""]


def test_without_the_token_of_this_run_nothing_is_served(page):
    token = page.server.gate.token
    wrong = ("", "x" * len(token), token[:-1], token + "x", token.swapcase(), "%2e%2e")
    for given in wrong:
        for path in GETS:
            got = page.ask("GET", "", raw_path=f"/{given}/{path}")
            assert got.status == 403
            assert b"address" in got.body
            assert token.encode() not in got.body
        for path in POSTS:
            data = {"turn": 0, "text": "four"}
            assert page.ask("POST", "", raw_path=f"/{given}/{path}", data=data).status == 403
    assert page.ask("GET", "", raw_path="/").status == 403
    assert page.ask("GET", "", raw_path=f"/{token}").status == 404
    assert page.state.turn == 0
    with served() as other:
        assert other.server.gate.token != token
        assert len(token) >= 43  # 256 bits


@pytest.mark.parametrize(
    "host", [None, "evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost",
             "127.0.0.1:{port}.evil.example", "evil@127.0.0.1:{port}", "[::1]:{port}"],
)  # fmt: skip
def test_another_host_name_is_refused(page, host):
    named = host and host.format(port=page.server.server_port)
    assert page.ask("GET", "state", headers={"Host": named}).status == 403
    posted = page.ask(
        "POST", "answer", data={"turn": 0, "text": "four"},
        headers={"Host": named, "Origin": f"http://{named}"},
    )  # fmt: skip
    assert posted.status == 403
    assert page.state.turn == 0


def test_both_names_of_this_machine_are_served(page):
    host = f"localhost:{page.server.server_port}"
    assert page.ask("GET", "state", headers={"Host": host}).status == 200
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert (
        page.ask("POST", "answer", data={"turn": 0, "text": "four"}, headers=headers).status == 200
    )
    assert page.state.turn == 1


def test_only_the_loopback_interface_listens(page):
    assert page.server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    "origin", [None, "null", "", "http://evil.example", "https://127.0.0.1:{port}",
               "http://localhost:{port}", "http://127.0.0.1:{port}.evil.example"],
)  # fmt: skip
def test_answers_from_another_page_are_refused(page, origin):
    sent = origin and origin.format(port=page.server.server_port)
    for path in POSTS:
        got = page.ask("POST", path, data={"turn": 0, "text": "four"}, headers={"Origin": sent})
        assert got.status == 403
    assert page.state.turn == 0
    assert page.thread.is_alive()


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b" " * (MAX_BODY + 1), {}, 413),
        (b"{}", {"Content-Length": "9" * 30}, 413),
        (b"{}", {"Content-Length": None}, 411),
        (b"{}", {"Content-Length": "-2"}, 411),
        (b"{}", {"Content-Length": "\u00b2"}, 411),
        (b"2\r\n{}\r\n0\r\n\r\n", {"Content-Length": None, "Transfer-Encoding": "chunked"}, 411),
        (b'{"turn": 0, "text": "four"}', {"Content-Type": "text/plain"}, 415),
        (b"turn=0&text=four", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b"", {}, 400),
        (b"[", {}, 400),
        (b"[" * 60_000, {}, 400),
        (b'{"turn": "0", "text": "four"}', {}, 400),
        (b'{"turn": -1, "text": "four"}', {}, 400),
        (b'{"turn": 0, "text": 4}', {}, 400),
        (b'{"turn": 0, "text": "four", "more": 1}', {}, 400),
        (b'{"turn": 0, "text": "\\ud800"}', {}, 400),
        (b'{"turn": 0, "text": "\xff"}', {}, 400),
        (json.dumps({"turn": 0, "text": "a" * 4001}).encode(), {}, 400),
    ],
)
def test_a_body_that_is_too_large_or_wrong_is_refused(page, body, headers, status):
    got = page.ask("POST", "answer", body=body, headers=headers)
    assert got.status == status
    assert got.headers["Content-Security-Policy"]
    assert page.state.turn == 0
    assert page.answer("four").status == 200
    assert page.told == []


def test_the_longest_answer_fits_in_any_script(page):
    assert page.answer("\U0001d7db" * 4000).status == 200
    assert len(page.state.exchanges[0].text) == 4000


def test_only_the_methods_and_paths_that_exist(page):
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "HEAD"):
        assert page.ask(method, "state").status == 501
    for path in POSTS:
        assert page.ask("GET", path).status == 405
    for path in GETS:
        assert page.ask("POST", path, data={"turn": 0}).status == 405
    for path in ("../server.py", "server.py", "page.html", "%2e%2e/server.py", "state/", "day",
                 "day?season=monsoon"):  # fmt: skip
        assert page.ask("GET", path).status == 404
    assert page.ask("GET", "", raw_path="//[/").status in (403, 500)
    assert page.state.turn == 0


def test_lines_that_are_not_http_get_a_plain_refusal(page, capfd):
    for line in (b"\x16\x03\x01\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                 b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
                 b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n"):  # fmt: skip
        with socket.create_connection(page.server.server_address, timeout=20) as connection:
            connection.sendall(line)
            assert b"<" not in connection.recv(4096)
    assert page.ask("GET", "state").status == 200
    assert capfd.readouterr().err == ""


def test_closing_from_the_page_ends_the_server(page):
    page.answer("four")
    assert page.ask("POST", "close", data={"turn": 1}).status == 200
    page.thread.join(60)
    assert not page.thread.is_alive()
    page.server.server_close()
    with pytest.raises(ConnectionRefusedError):
        page.answer("late")


def test_a_port_that_is_taken_is_told(page):
    with pytest.raises(ScenarioError, match=r"--port \d+: cannot be used .* free one"):
        PageServer(
            page.conversation, port=page.server.server_port, places=Places(), tell=print
        ).server_close()
