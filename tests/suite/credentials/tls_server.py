"""TLS before moto, with a certificate of a new authority; and a proxy before both.

argv: moto's port, and the folder for `ca.pem`. Prints the ports of both as one line; ends with stdin.
"""

import datetime
import ipaddress
import os
import pathlib
import socket
import ssl
import sys
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

FOLDER = pathlib.Path(sys.argv[2])


def certificate(name, key, issuer, issuer_key, *extensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer or subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return builder.sign(issuer_key, hashes.SHA256())


def pem(thing):
    return thing.public_bytes(serialization.Encoding.PEM)


def context():
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = certificate(
        "corporate CA", authority_key, None, authority_key, x509.BasicConstraints(ca=True, path_length=None)
    )
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("aws.corp.invalid")]
    server = certificate("aws", key, authority.subject, authority_key, x509.SubjectAlternativeName(names))
    (FOLDER / "ca.pem").write_bytes(b"# the corporate CA\n" + pem(authority))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (FOLDER / "server.pem").write_bytes(private + pem(server))
    result = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    result.load_cert_chain(FOLDER / "server.pem")
    return result


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def join(one, port):
    other = socket.create_connection(("127.0.0.1", port))
    threading.Thread(target=pump, args=(other, one), daemon=True).start()
    pump(one, other)


def serve(handle):
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=handle, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def main():
    tls = context()

    def with_tls(connection):
        try:
            wrapped = tls.wrap_socket(connection, server_side=True)
        except OSError:
            return
        join(wrapped, int(sys.argv[1]))

    tls_port = serve(with_tls)

    def proxy(connection):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)
        if head.startswith(b"CONNECT aws.corp.invalid:443 "):
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            join(connection, tls_port)

    print(tls_port, serve(proxy), flush=True)
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
