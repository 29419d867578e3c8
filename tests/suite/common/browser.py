"""Headless Chromium for tests, driven through the DevTools protocol over a pipe: no port, no client library.

One browser serves the whole test run. Each request opens a file in a page of its own, does the steps in turn, and closes the page:

    {"page": PATH, "downloads": FOLDER, "steps": [...], "width": 1400, "height": 900, "scheme": "light"}

A step is {"run": JAVASCRIPT} (a promise is awaited; the value is a result), {"type": TEXT} (as keys, into what has the focus),
{"key": NAME}, {"download": JAVASCRIPT} (the text of the file that it makes the page save), {"screenshot": FILE} (the whole page), or
{"print": FILE} (a PDF). The answer has "results", one for each step, and "complaints": console errors and warnings, exceptions, violations
of the page's policy, dialogs, and requests that leave the file.

Source: https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MISSING = "the tests open the report in Chromium, and found none; install it: apt-get install --no-install-recommends chromium"
KEYS = {"ArrowDown": 40, "ArrowUp": 38, "PageDown": 34, "End": 35, "Home": 36, "Tab": 9, "Enter": 13, "/": 191}


class Browser:
    def __init__(self, profile):
        program = next(filter(None, map(shutil.which, NAMES)), None)
        if program is None:
            raise FileNotFoundError(MISSING)
        command = [
            program, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={profile}", "--no-first-run", "--disable-gpu",
            "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")
        command.append("about:blank")
        ours, self.to = os.pipe()
        self.of, theirs = os.pipe()
        # Chromium reads commands from descriptor 3 and writes to 4.
        shell = ["/bin/sh", "-c", f'exec "$@" 3<&{ours} 4>&{theirs}', "sh"]
        log = open(pathlib.Path(profile) / "stderr", "wb")
        environment = dict(os.environ, HOME=profile, XDG_CONFIG_HOME=profile, XDG_CACHE_HOME=profile)
        self.process = subprocess.Popen(
            shell + command, pass_fds=(ours, theirs), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
        )
        os.close(ours)
        os.close(theirs)
        self.buffer, self.events, self.number = b"", [], 0

    def read(self):
        """The next message."""
        while b"\0" not in self.buffer:
            part = os.read(self.of, 1 << 20)
            if not part:
                raise EOFError("Chromium ended")
            self.buffer += part
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        self.number += 1
        number = self.number
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait(self, method, fits=lambda parameters: True):
        """The next event of this name."""
        while True:
            for at, event in enumerate(self.events):
                if event.get("method") == method and fits(event["params"]):
                    return self.events.pop(at)["params"]
            self.events.append(self.read())

    def end(self):
        try:
            self.call("Browser.close")
        except (OSError, EOFError):
            pass
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Page:
    def __init__(self, browser, request):
        self.browser, self.request = browser, request
        self.complaints = []
        browser.events.clear()
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.size(request.get("width", 1400), request.get("height", 900))
        scheme = {"name": "prefers-color-scheme", "value": request.get("scheme", "light")}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        if "downloads" in request:
            browser.call(
                "Browser.setDownloadBehavior", behavior="allow", downloadPath=request["downloads"], eventsEnabled=True
            )

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def open(self, path):
        """Loads a file; the seconds until it is painted."""
        begun = time.monotonic()
        self.call("Page.navigate", url=pathlib.Path(path).as_uri())
        self.browser.wait("Page.loadEventFired")
        self.run("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        return time.monotonic() - begun

    def run(self, script):
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise RuntimeError(f"{script}: {details.get('exception', {}).get('description', details['text'])}")
        return answer["result"].get("value")

    def step(self, step):
        if "run" in step:
            return self.run(step["run"])
        if "type" in step:
            return self.call("Input.insertText", text=step["type"])
        if "key" in step:
            name = step["key"]
            key = {"key": name, "windowsVirtualKeyCode": KEYS[name]}
            if len(name) == 1:
                key["text"] = name
            self.call("Input.dispatchKeyEvent", type="keyDown", **key)
            return self.call("Input.dispatchKeyEvent", type="keyUp", **key)
        if "download" in step:
            self.run(step["download"])
            name = self.browser.wait("Browser.downloadWillBegin")["suggestedFilename"]
            self.browser.wait("Browser.downloadProgress", lambda progress: progress["state"] == "completed")
            with open(pathlib.Path(self.request["downloads"]) / name, encoding="utf-8", newline="") as file:
                return file.read()
        if "screenshot" in step:
            width = self.request.get("width", 1400)
            height = self.run("document.documentElement.scrollHeight")
            clip = {"x": 0, "y": 0, "width": width, "height": step.get("height", height), "scale": 1}
            shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
            pathlib.Path(step["screenshot"]).write_bytes(base64.b64decode(shot["data"]))
            return None
        if "print" in step:
            pdf = self.call("Page.printToPDF", printBackground=True)
            return pathlib.Path(step["print"]).write_bytes(base64.b64decode(pdf["data"]))
        raise ValueError(step)

    def complain(self):
        """What went wrong in the page."""
        self.run("0")
        for event in self.browser.events:
            method, parameters = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                self.complaints.append(f"exception: {json.dumps(parameters)[:500]}")
            elif method == "Runtime.consoleAPICalled":
                self.complaints.append(f"console: {json.dumps(parameters)[:500]}")
            elif method == "Log.entryAdded":
                self.complaints.append(f"log: {parameters['entry']['text']}")
            elif method == "Page.javascriptDialogOpening":
                self.complaints.append(f"dialog: {parameters['message']}")
            elif method == "Network.requestWillBeSent":
                url = parameters["request"]["url"]
                if not url.startswith(("file:", "data:", "blob:")):
                    self.complaints.append(f"request: {url}")
        return self.complaints

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)


def answer(browser, request):
    page = Page(browser, request)
    try:
        seconds = page.open(request["page"])
        results = [page.step(step) for step in request["steps"]]
        return {"seconds": seconds, "results": results, "complaints": page.complain()}
    finally:
        page.close()


def serve(request, caller):
    """Serves requests until the test run ends."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = None
        try:
            browser = Browser(profile)
            caller.answer({"ready": True})
            while line := caller.stream.readline():
                try:
                    caller.answer(answer(browser, json.loads(line)))
                except (RuntimeError, ValueError, OSError) as error:
                    caller.answer({"failed": str(error)})
        except FileNotFoundError as error:
            caller.answer({"failed": str(error)})
        finally:
            if browser:
                browser.end()
