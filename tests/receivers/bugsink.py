"""A Bugsink server of its own for one test: a real Sentry-compatible receiver on a free loopback port.

When it is ready it prints one line of JSON: dsn, url, token, db, pid, and ca (of a server that speaks HTTPS).
Then it answers questions, one line of JSON each:

    {"get": "/api/canonical/0/issues/?project=1"}   asks the API; gives {"status": ..., "body": ...}
    {"envelopes": true}                             gives {"envelopes": [text, ...]}, oldest first, as received

When its input ends it stops the server and removes everything, so that a dying test leaves nothing behind.
"""

import argparse
import ctypes
import json
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import environment

PROJECT = 1
PLENTY = 10_000_000
READY_WITHIN = 60

# What a server has on top of the file that bugsink-create-conf writes.
CONF = """
SNAPPEA = {{"TASK_ALWAYS_EAGER": True}}
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
SECRET_KEY = "the servers of the tests live for seconds and on loopback only, so all may share this one key"
DATABASES["default"]["NAME"] = {db!r}
DATABASES["snappea"]["NAME"] = {snappea!r}
BUGSINK.update({{
    "BASE_URL": {url!r},
    "PHONEHOME": False,
    "KEEP_ENVELOPES": 100_000,
    "VALIDATE_ON_DIGEST": "warn",
    "INGEST_STORE_BASE_DIR": {ingest!r},
    "MAX_EVENTS_PER_5_MINUTES": {plenty},
    "MAX_EVENTS_PER_HOUR": {plenty},
    "MAX_EVENTS_PER_PROJECT_PER_5_MINUTES": {quota},
    "MAX_EVENTS_PER_PROJECT_PER_HOUR": {plenty},
}})
"""

# Fills a new database: the tables, a team, a project, a token.
FILL = """
import json, django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from bsmain.models import AuthToken
from projects.models import Project
from teams.models import Team
project = Project.objects.create(name="tests", slug="tests", team=Team.objects.create(name="tests"))
print(json.dumps({"key": project.sentry_key.hex, "project": project.pk, "token": AuthToken.create_full_access().token}))
"""


def main():
    arguments = parse()
    environment.enter(__file__)
    sweep()
    home = Path(tempfile.mkdtemp(prefix=f"home-{os.getpid()}-", dir=environment.ROOT))
    try:
        run(home, arguments)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quota", type=int, default=PLENTY, help="events of the project in five minutes")
    parser.add_argument("--https", action="store_true", help="speak HTTPS, with a certificate made for it")
    parser.add_argument("--certfile", help="speak HTTPS with this certificate (PEM)")
    parser.add_argument("--keyfile", help="the key of --certfile (PEM)")
    arguments = parser.parse_args()
    if bool(arguments.certfile) != bool(arguments.keyfile):
        parser.error("--certfile and --keyfile go together")
    return arguments


def run(home, arguments):
    filled = template()
    shutil.copy(environment.ROOT / "template" / "db.sqlite3", home / "db.sqlite3")
    certificate = certify(home, arguments)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        scheme = "https" if certificate else "http"
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        url = f"{scheme}://{address}"
        configure(home, url, arguments.quota)
        server = serve(home, listener, certificate)
    try:
        wait_until_ready(server, url, home)
        ready = {
            "dsn": f"{scheme}://{filled['key']}@{address}/{filled['project']}",
            "url": url,
            "token": filled["token"],
            "db": str(home / "db.sqlite3"),
            "pid": server.pid,
        }
        if certificate:
            ready["ca"] = str(certificate["ca"])
        say(ready)
        for line in sys.stdin:
            say(answer(json.loads(line), ready))
    finally:
        stop(server)


def template():
    """The filled database, made once: later servers start from a copy of it, which saves the migrations."""
    folder = environment.ROOT / "template"
    filled = folder / "filled.json"
    wanted = (environment.HERE / "requirements.txt").read_text()
    with environment.locked("template"):
        if filled.exists():
            known = json.loads(filled.read_text())
            if known["requirements"] == wanted:
                return known
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        configure(folder, "http://127.0.0.1", PLENTY)
        done = subprocess.run(
            [str(environment.PYTHON), "-c", FILL], cwd=folder, env=settings(folder), capture_output=True, text=True
        )
        if done.returncode != 0:
            sys.exit(f"receivers: cannot fill a database for bugsink:\n{done.stderr}")
        known = json.loads(done.stdout.splitlines()[-1]) | {"requirements": wanted}
        filled.write_text(json.dumps(known))
        return known


def configure(folder, url, quota):
    conf = folder / "bugsink_conf.py"
    create = environment.VENV / "bin" / "bugsink-create-conf"
    subprocess.run(
        [str(create), "--template=local", "--host=127.0.0.1", "--port=0", "-o", str(conf)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with conf.open("a") as out:
        out.write(
            CONF.format(
                url=url,
                quota=quota,
                plenty=PLENTY,
                db=str(folder / "db.sqlite3"),
                snappea=str(folder / "snappea.sqlite3"),
                ingest=str(folder / "ingest"),
            )
        )


def settings(folder):
    return os.environ | {"PYTHONPATH": str(folder), "DJANGO_SETTINGS_MODULE": "bugsink_conf"}


def certify(home, arguments):
    """The certificate to serve with, or None for plain HTTP."""
    if arguments.certfile:
        return {"cert": arguments.certfile, "key": arguments.keyfile, "ca": arguments.certfile}
    if not arguments.https:
        return None
    import trustme

    authority = trustme.CA()
    leaf = authority.issue_cert("127.0.0.1", "localhost")
    files = {"cert": home / "server.pem", "key": home / "server.key", "ca": home / "ca.pem"}
    leaf.private_key_pem.write_to_path(files["key"])
    for index, blob in enumerate(leaf.cert_chain_pems):
        blob.write_to_path(files["cert"], append=index > 0)
    authority.cert_pem.write_to_path(files["ca"])
    return files


def serve(home, listener, certificate):
    descriptor = listener.fileno()
    command = [
        str(environment.VENV / "bin" / "gunicorn"),
        f"--bind=fd://{descriptor}",
        "--workers=1",
        "--threads=4",
        "--graceful-timeout=1",
        "--no-control-socket",
        "bugsink.wsgi",
    ]
    if certificate:
        command += [f"--certfile={certificate['cert']}", f"--keyfile={certificate['key']}"]
    with open(home / "server.log", "w") as log:
        return subprocess.Popen(
            command,
            cwd=home,
            env=settings(home),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[descriptor],
            preexec_fn=die_with_parent,
        )


def die_with_parent():
    """Has the kernel stop the server should this process be killed, where the kernel can do that."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def wait_until_ready(server, url, home):
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if fetch(f"{url}/health/ready", {})["status"] == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit(f"receivers: bugsink does not get ready:\n{(home / 'server.log').read_text()[-4000:]}")


def answer(question, ready):
    try:
        if "get" in question:
            return fetch(ready["url"] + question["get"], {"Authorization": f"Bearer {ready['token']}"})
        if "envelopes" in question:
            return {"envelopes": envelopes(ready["db"])}
        return {"error": "unknown question"}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def envelopes(db):
    connection = sqlite3.connect(f"file:{db}?mode=ro", uri=True, timeout=10)
    try:
        rows = connection.execute("SELECT data FROM ingest_envelope ORDER BY id")
        return [bytes(data).decode("utf-8", "backslashreplace") for (data,) in rows]
    finally:
        connection.close()


def fetch(url, headers):
    trusting = ssl._create_unverified_context() if url.startswith("https") else None
    proxyless = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), *([urllib.request.HTTPSHandler(context=trusting)] if trusting else [])
    )
    request = urllib.request.Request(url, headers=headers)
    try:
        with proxyless.open(request, timeout=30) as response:
            status, body = response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        status, body = error.code, error.read().decode("utf-8", "replace")
    try:
        return {"status": status, "body": json.loads(body)}
    except ValueError:
        return {"status": status, "body": body}


def say(message):
    print(json.dumps(message), flush=True)


def stop(server):
    server.terminate()
    try:
        server.wait(5)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def sweep():
    """Removes what processes that were killed had no time to remove."""
    for home in environment.ROOT.glob("home-*"):
        try:
            os.kill(int(home.name.split("-")[1]), 0)
        except ProcessLookupError:
            shutil.rmtree(home, ignore_errors=True)
        except (PermissionError, ValueError):
            continue


if __name__ == "__main__":
    # A polite stop is the same as the end of the input: the server goes, and so does its folder.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main()
