"""A Chromium without a window, told what to do over a pipe (the DevTools protocol)."""
import base64
import json
import os
import shutil
import subprocess
import tempfile

BROWSERS = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")


def browser_path():
    return next(filter(None, map(shutil.which, BROWSERS)), None)


class Browser:
    """One page. To be used in a with statement, at whose end the browser is gone."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        orders, self.orders = os.pipe()
        self.answers, answers = os.pipe()

        def take_pipes():  # it reads orders from 3 and answers on 4
            kept = os.dup(orders), os.dup(answers)
            os.dup2(kept[0], 3)
            os.dup2(kept[1], 4)
            os.set_inheritable(3, True)
            os.set_inheritable(4, True)

        # Chromium's sandbox needs rights that root in a container may not have; the page is ours.
        self.process = subprocess.Popen(
            [browser_path(), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync",
             "--remote-debugging-pipe", f"--user-data-dir={self.folder.name}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            close_fds=False, preexec_fn=take_pipes)
        os.close(orders)
        os.close(answers)
        self.unread = b""
        self.number = 0
        self.session = None
        self.events = []

    def __enter__(self):
        targets = self.ask("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=page["targetId"],
                                flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        os.close(self.orders)
        self.process.terminate()
        self.process.wait()
        os.close(self.answers)
        self.folder.cleanup()

    def ask(self, method, **parameters):
        self.number += 1
        order = {"id": self.number, "method": method, "params": parameters}
        if self.session is not None:
            order["sessionId"] = self.session
        os.write(self.orders, json.dumps(order).encode() + b"\0")
        while True:
            said = self.hear()
            if said.get("id") == self.number:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error']}")
                return said["result"]
            self.events.append(said)

    def hear(self):
        while b"\0" not in self.unread:
            more = os.read(self.answers, 1 << 20)
            if not more:
                raise RuntimeError("the browser has ended")
            self.unread += more
        line, self.unread = self.unread.split(b"\0", 1)
        return json.loads(line)

    def show(self, url, width, height, scheme="light"):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=width < 600)
        self.ask("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.ask("Page.navigate", url=url)

    def value_of(self, script):
        """Of an expression, or of the promise that it is."""
        said = self.ask("Runtime.evaluate", expression=script, awaitPromise=True,
                        returnByValue=True)
        if "exceptionDetails" in said:
            raise RuntimeError(f"{script}: {said['exceptionDetails']}")
        return said["result"].get("value")

    def wait_until(self, script):
        """Until the expression is true in the page, which looks again with each of its frames."""
        self.value_of(f"""new Promise((done) => {{
            const look = () => ({script}) ? done(true) : setTimeout(look, 20);
            look();
        }})""")

    def picture(self, path):
        height = self.value_of("document.documentElement.scrollHeight")
        width = self.value_of("innerWidth")
        shot = self.ask("Page.captureScreenshot", captureBeyondViewport=True,
                        clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1})
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def requested(self):
        """The addresses that were asked for, and what the page complained of."""
        urls = [event["params"]["request"]["url"] for event in self.events
                if event.get("method") == "Network.requestWillBeSent"]
        complaints = [event["params"] for event in self.events
                      if event.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded")]
        return urls, complaints
