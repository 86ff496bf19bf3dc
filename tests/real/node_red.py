"""A Node-RED that takes our orders: a receiver written by nobody of us.

Only its flow is ours: a few nodes that check the seal, remember a job by its
key, and let it go on.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.programs import free_port
from tests.real.program import Program, answers

VERSION = "4.1.15"
INSTALL_SECONDS = 400.0
SETTINGS = """
module.exports = {
    uiHost: "127.0.0.1",
    uiPort: %d,
    flowFile: "flows.json",
    editorTheme: { tours: false },
    telemetry: { enabled: false, updateNotification: false },
    functionGlobalContext: { crypto: require("crypto"), secret: "%s" },
    logging: { console: { level: "warn", metrics: false, audit: false } }
};
"""
SEAL = """
const head = msg.req.headers;
const sent = head["x-smokejumper-timestamp"] || "0";
const text = Buffer.isBuffer(msg.payload) && msg.payload.length
    ? msg.payload : Buffer.from(msg.req.method + " " + msg.req.url);
const right = "sha256=" + global.get("crypto")
    .createHmac("sha256", global.get("secret"))
    .update(Buffer.concat([Buffer.from(sent + "."), text])).digest("hex");
const isNew = Math.abs(Date.now() / 1000 - Number(sent)) < 300;
if (!isNew || head["x-smokejumper-signature"] !== right) {
    msg.statusCode = 401;
    msg.payload = { reason: "wrong seal" };
    return msg;
}
const jobs = flow.get("jobs") || {};
msg.headers = {};
"""
ORDER = """
const order = JSON.parse(msg.payload.toString());
const job = jobs[order.key] || { starts: 0, asked: 0, told: order };
job.starts = job.starts || 1;
jobs[order.key] = job;
flow.set("jobs", jobs);
if (order.job === "lose") { msg.req.socket.destroy(); return null; }
msg.statusCode = 202;
msg.headers = { Location: "/jobs/" + order.key };
msg.payload = { status: "running" };
return msg;
"""
TELL = """
const key = msg.req.params.key || msg.req.query.key;
const job = jobs[key];
msg.statusCode = 200;
if (!job) { msg.payload = { key, status: "never_started" }; return msg; }
if (msg.req.params.key) { job.asked += 1; flow.set("jobs", jobs); }
const isOver = job.asked >= 2;
msg.payload = {
    key,
    url: "/jobs/" + key,
    status: job.ended || (isOver ? "succeeded" : "running"),
    reason: job.starts + " start of " + job.told.arguments.service,
    output: isOver ? "line 1\\nline 2\\n" : "line 1\\n"
};
return msg;
"""
END = """
jobs[msg.req.params.key].ended = "aborted";
flow.set("jobs", jobs);
msg.statusCode = 204;
msg.payload = "";
return msg;
"""
PAGES = (
    ("post", "/job", ORDER),
    ("get", "/jobs/:key", TELL),
    ("get", "/find", TELL),
    ("delete", "/jobs/:key", END),
)


def find_node_red() -> Path:
    """Return where Node-RED is, or skip saying what would install it."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("npm and node are not here: apt-get install npm")
    usual = Path.home() / ".cache" / "smokejumper-tests" / VERSION
    folder = Path(os.environ.get("NODE_RED_FOLDER", usual))
    script = folder / "node_modules" / "node-red" / "red.js"
    if script.exists():
        return script
    wanted = os.environ.get("REAL_SYSTEMS") == "required"
    if not (wanted or os.environ.get("NODE_RED")):
        pytest.skip("NODE_RED=1 installs Node-RED, which takes 2 minutes")
    folder.mkdir(parents=True, exist_ok=True)
    words = [npm, "install", f"node-red@{VERSION}", "--no-audit"]
    subprocess.run(
        [*words, "--no-fund", "--loglevel=error"],
        cwd=folder,
        check=True,
        stdin=subprocess.DEVNULL,
        timeout=INSTALL_SECONDS,
    )
    return script


def flow() -> list[dict[str, Any]]:
    """Return the nodes: for each page one in, one function, one out."""
    nodes: list[dict[str, Any]] = [{"id": "tab", "type": "tab", "label": "x"}]
    for number, (method, url, code) in enumerate(PAGES):
        at = {"z": "tab", "x": 0, "y": 0}
        way, out = f"way{number}", f"out{number}"
        nodes += [
            {
                **at,
                "id": f"in{number}",
                "type": "http in",
                "method": method,
                "url": url,
                # The seal is made of the bytes as they came.
                "skipBodyParsing": True,
                "wires": [[way]],
            },
            {
                **at,
                "id": way,
                "type": "function",
                "func": SEAL + code,
                "outputs": 1,
                "libs": [],
                "wires": [[out]],
            },
            {**at, "id": out, "type": "http response", "wires": []},
        ]
    return nodes


class NodeRed:
    """Node-RED with our flow."""

    def __init__(self, folder: Path, secret: str) -> None:
        script = find_node_red()
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        settings = folder / "settings.js"
        settings.write_text(SETTINGS % (self.port, secret), encoding="utf-8")
        text = json.dumps(flow())
        (folder / "flows.json").write_text(text, encoding="utf-8")
        node = shutil.which("node") or "node"
        words: list[str | Path] = [
            node,
            script,
            "--settings",
            settings,
            "--userDir",
            folder,
        ]
        self.program = Program(words, folder / "log", self._is_ready)

    def _is_ready(self) -> bool:
        """Tell whether the flow answers: it comes after the editor."""
        return answers(self.url) and self.is_listening()

    def is_listening(self) -> bool:
        """Tell whether an order without a seal is turned away."""
        try:
            found = httpx.get(f"{self.url}/find", timeout=2.0)
        except httpx.HTTPError:
            return False
        return found.status_code == 401
