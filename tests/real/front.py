# SPDX-FileCopyrightText: 2026 The Wavegate developers
# SPDX-License-Identifier: Apache-2.0
"""nginx with TLS in front of a Campaign, with certificates of an authority of the test."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from tests.real.daemons import accepts, binary, daemon, free_port

HOST = "localhost"
BOTH = "TLSv1.2 TLSv1.3"
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
worker_processes 1;
{user}
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    server_name localhost;
    ssl_certificate {folder}/chain.pem;
    ssl_certificate_key {folder}/key.pem;
    ssl_protocols {protocols};
    location / {{
      proxy_pass {behind};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
    }}
  }}
}}
"""


@dataclass(frozen=True, kw_only=True)
class Front:
    """Where the front listens, what stands behind it, and whom its clients trust."""

    folder: Path
    port: int
    behind: str
    authority: trustme.CA

    @property
    def url(self) -> str:
        """The Campaign as seen from outside."""
        return f"https://{HOST}:{self.port}"

    @contextmanager
    def serving(
        self, certificate: trustme.LeafCert, protocols: str = BOTH, *, whole: bool = True
    ) -> Iterator[None]:
        """Nginx while it shows a certificate. whole: with what the authority signed between."""
        program = binary("nginx", "nginx-light")
        chain = certificate.cert_chain_pems if whole else certificate.cert_chain_pems[:1]
        (self.folder / "chain.pem").write_bytes(b"".join(part.bytes() for part in chain))
        certificate.private_key_pem.write_to_path(self.folder / "key.pem")
        text = NGINX.format(
            folder=self.folder,
            port=self.port,
            protocols=protocols,
            behind=self.behind,
            user="user root;" if os.geteuid() == 0 else "",
        )
        (self.folder / "nginx.conf").write_text(text)
        command = (program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"))
        with daemon("nginx", command, self.folder, lambda: accepts("127.0.0.1", self.port)):
            yield


def front(folder: Path, behind: str) -> Front:
    """A front with an authority of its own; the authority is written beside it as ca.pem."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return Front(folder=folder, port=free_port(), behind=behind, authority=authority)
