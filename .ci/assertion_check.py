"""What the program sends as a client assertion, read by PyCA cryptography: a token endpoint of the standard library takes it.

A certificate made by openssl stands in the settings, once PEM and once PKCS#12; `calsyncd test` asks for a token. Checked are the form,
the header, the claims, both hashes of the certificate, and the signature, PS256 and RS256. CALSYNCD names the program;
target/debug/calsyncd otherwise.
"""

import base64
import hashlib
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

PROGRAM = pathlib.Path(os.environ.get("CALSYNCD") or "target/debug/calsyncd")
CLIENT = "6a7c1f0e-3f0b-4c7e-9a55-0d1c2b3a4f5e"

SETTINGS = """[exchange]
use_graph_api = true
tenant_id = "tenant"
client_id = "{client}"
graph_url = "{url}"
token_url = "{url}/tenant/oauth2/v2.0/token"
application_certificate_file = "{file}"
application_certificate_algorithm = "{algorithm}"
{password}
[sources.inbox]
kind = "files"
path = "."
zone = "UTC"
[jobs.inbox]
source = "inbox"
"""


class Endpoint(http.server.BaseHTTPRequestHandler):
    """Keeps the forms that it gets and gives no token."""

    forms = []

    def do_POST(self):
        length = int(self.headers["content-length"])
        self.forms.append(urllib.parse.parse_qs(self.rfile.read(length).decode(), strict_parsing=True))
        body = b'{"error":"invalid_scope","error_description":"AADSTS70011: enough."}'
        self.send_response(400)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def thumbprint(algorithm, der):
    return base64.urlsafe_b64encode(algorithm(der).digest()).rstrip(b"=").decode()


def verify(form, certificate, algorithm, url):
    fields = {name: values[0] for name, values in form.items()}
    assertion = fields.pop("client_assertion")
    assert fields == {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "scope": url + "/.default",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }, fields
    header, claims, signature = assertion.split(".")
    der = certificate.public_bytes(serialization.Encoding.DER)
    expected = {"typ": "JWT", "alg": algorithm, "x5t#S256": thumbprint(hashlib.sha256, der)}
    if algorithm == "RS256":
        expected["x5t"] = thumbprint(hashlib.sha1, der)
    assert json.loads(decoded(header)) == expected, decoded(header)
    said = json.loads(decoded(claims))
    assert (said["aud"], said["iss"], said["sub"]) == (url + "/tenant/oauth2/v2.0/token", CLIENT, CLIENT), said
    assert said["nbf"] <= time.time() + 5 and 300 <= said["exp"] - said["nbf"] <= 600 and len(said["jti"]) == 36, said
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=hashes.SHA256.digest_size)
    how = pss if algorithm == "PS256" else padding.PKCS1v15()
    certificate.public_key().verify(decoded(signature), f"{header}.{claims}".encode(), how, hashes.SHA256())
    return said["jti"]


def main():
    server = http.server.HTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    names = set()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.umask(0o077)
        openssl = lambda *arguments: subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
        openssl("req", "-x509", "-newkey", "rsa:2048", "-sha256", "-days", "9", "-nodes", "-subj", "/CN=calsyncd",
                "-keyout", "app.key", "-out", "app.crt")
        openssl("pkcs12", "-export", "-in", "app.crt", "-inkey", "app.key", "-passout", "pass:pass-word", "-out", "app.pfx")
        openssl("pkcs12", "-export", "-legacy", "-in", "app.crt", "-inkey", "app.key", "-passout", "pass:pass-word",
                "-out", "legacy.pfx")
        (folder / "app.pem").write_text((folder / "app.crt").read_text() + (folder / "app.key").read_text())
        (folder / "password").write_text("pass-word\n")
        certificate = x509.load_pem_x509_certificate((folder / "app.crt").read_bytes())
        password = 'application_certificate_password_file = "password"'
        for file, password in [("app.pem", ""), ("app.pfx", password), ("legacy.pfx", password)]:
            for setting, algorithm in [("auto", "PS256"), ("RS256", "RS256")]:
                settings = SETTINGS.format(client=CLIENT, url=url, file=file, algorithm=setting, password=password)
                (folder / "calsyncd.toml").write_text(settings)
                command = [PROGRAM.resolve(), "--config", "calsyncd.toml", "test", "--user", "ana@example.test", "--json"]
                ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
                assert "AADSTS70011" in ended.stdout, ended
                names.add(verify(Endpoint.forms.pop(), certificate, algorithm, url))
                assert not Endpoint.forms, "one request"
                print(f"{file}: {algorithm}: good")
    assert len(names) == 6, "each jti is new"


if __name__ == "__main__":
    sys.exit(main())
