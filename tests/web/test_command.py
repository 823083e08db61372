"""`gradmap hems interview --web` as a process: it ends cleanly and leaves what it should."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from federates.hems.interview.rules_interviewer import RulesInterviewer
from federates.hems.interview.session import run
from federates.hems.parameters import from_yaml, read
from tests.cli.helpers import CommandLine
from tests.hems.chat.chat_server import Answer, chat_server
from tests.hems.interview.householder import TRUTH, plain


class Process:
    """A running `gradmap hems interview --web` and what it printed."""

    def __init__(self, popen):
        self.popen = popen
        self.printed = ""
        while not (found := re.search(r"http://\S+/", self.printed)):
            line = popen.stderr.readline()
            assert line, self.printed
            self.printed += line
        self.url = urlsplit(found.group())

    def post(self, path, **data):
        connection = http.client.HTTPConnection(self.url.netloc, timeout=60)
        headers = {"Origin": f"http://{self.url.netloc}", "Content-Type": "application/json"}
        connection.request("POST", self.url.path + path, json.dumps(data), headers)
        reply = connection.getresponse()
        assert reply.status == 200
        found = json.loads(reply.read())
        connection.close()
        return found

    def ended(self, *, by=None):
        """Exit code, stdout and stderr."""
        if by is not None:
            self.popen.send_signal(by)
        out, err = self.popen.communicate(timeout=60)
        return self.popen.returncode, out, self.printed + err


@contextmanager
def started(*arguments, cwd):
    command = [sys.executable, "-m", "scenarios.cli.main", "hems", "interview", "--web"]
    with subprocess.Popen(
        [*command, *map(str, arguments)], cwd=cwd, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as popen:  # fmt: skip
        try:
            yield Process(popen)
        finally:
            popen.kill()


@pytest.fixture
def gradmap(capsys):
    return CommandLine(capsys)


def test_interrupted_resumed_and_finished(tmp_path):
    said = []
    run(RulesInterviewer(), lambda message: said.append(plain(message)) or said[-1])
    arguments = ("--save", "s.json", "--out", "home.yaml", "--transcript", "talk.md")
    with started(*arguments, cwd=tmp_path) as page:
        for turn, text in enumerate(said[:3]):
            state = page.post("answer", turn=turn, text=text)
        assert state["places"] == {"save": "s.json", "out": "home.yaml"}
        code, out, err = page.ended(by=signal.SIGINT)
    assert code == 130
    assert out == ""
    assert "detached house" not in err
    assert "Saved s.json" in err
    assert read(tmp_path / "home.yaml").values["household.built_year"] == 1985
    assert "detached house" in (tmp_path / "talk.md").read_text()

    with started(*arguments, cwd=tmp_path) as page:
        assert "Going on after 3 answers" in page.printed
        for turn, text in enumerate(said[3:], start=3):
            state = page.post("answer", turn=turn, text=text)
        assert state["finished"] == "done"
        values = read(tmp_path / "home.yaml").values  # there before the program ends
        assert {key: values[key] for key in TRUTH} == TRUTH
        page.post("close", turn=len(said))
        code, out, err = page.ended()
    assert code == 0
    assert out == ""
    assert "Wrote home.yaml" in err


def test_terminated_without_files_the_home_is_printed(tmp_path):
    with started("--locale", "en-IE", cwd=tmp_path) as page:
        page.post("answer", turn=0, text="there are four of us at home")
        page.post("answer", turn=1, text="stop")
        code, out, err = page.ended(by=signal.SIGTERM)
    assert code == 130
    assert "Traceback" not in err
    assert "four of us" not in err
    home = from_yaml(out)
    assert home.values["household.occupants"] == 4
    assert home.parameters.currency == "EUR"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--port", "8123"), "--web"),
        (("--web", "--port", "80"), "1024"),
        (("--web", "--answers", "a.txt"), "not both"),
        (("--web", "--save", "nowhere/s.json"), "folder does not exist"),
        (("--web", "--url", "http://localhost:1/v1"), "needs --model"),
    ],
)
def test_wrong_options_are_told_and_nothing_listens(
    gradmap, tmp_path, monkeypatch, arguments, message
):
    monkeypatch.chdir(tmp_path)
    ended = gradmap("hems", "interview", *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert "http://127" not in ended.err


def test_a_taken_port_is_told(gradmap, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = gradmap("hems", "interview", "--web", "--port", str(taken.getsockname()[1]))
    assert ended.code == 2
    assert "leave it out for a free one" in ended.err


def test_what_the_language_model_failed_at_is_told_on_the_terminal_once(tmp_path):
    pytest.importorskip("openai")
    with (
        chat_server(Answer(status=404, body=b"no such model")) as fake,
        started("--url", fake.url, "--model", "m", cwd=tmp_path) as page,
    ):
        page.post("answer", turn=0, text="four")
        _code, _out, err = page.ended(by=signal.SIGINT)
    assert err.count("Understood by rules, as the language model failed") == 1
