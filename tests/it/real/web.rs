//! The web servers serve a page, the proxy forwards to one, and PHP answers the `FastCGI` of a web server.

use super::engine::{Engine, Service};

/// Fetches a page until the server is up, with nothing but the standard library.
const FETCH: &str = "import sys, time, urllib.error, urllib.request
for _ in range(300):
    try:
        print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())
        break
    except urllib.error.HTTPError:
        raise
    except OSError:
        time.sleep(0.1)";

/// Asks for a script as a web server does (`FastCGI` specification, version 1.0), and prints what it answers.
const FASTCGI: &str = r"import socket, struct, sys, time
BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6
def record(kind, content):
    return struct.pack('>BBHHBx', 1, kind, 1, len(content), 0) + content
def pair(name, value):
    return bytes([len(name), len(value)]) + name.encode() + value.encode()
asked = {'REQUEST_METHOD': 'GET', 'SCRIPT_FILENAME': sys.argv[1], 'QUERY_STRING': 'who=world'}
for _ in range(300):
    try:
        server = socket.create_connection(('127.0.0.1', 9000))
        break
    except OSError:
        time.sleep(0.1)
params = b''.join(pair(*each) for each in asked.items())
server.sendall(record(BEGIN, struct.pack('>HB5x', 1, 0)) + record(PARAMS, params) + record(PARAMS, b'') + record(STDIN, b''))
answer, kind, stream = b'', None, server.makefile('rb')
while kind != END:
    _, kind, _, length, padding = struct.unpack('>BBHHBx', stream.read(8))
    content = stream.read(length + padding)[:length]
    answer += content if kind == STDOUT else b''
print(answer.decode())";

/// A script that uses what its container gives it: its environment, its request, its extensions, its error stream.
const SCRIPT: &str = r#"<?php
header("Content-Type: text/plain");
error_log("from the script");
$loaded = array_map("extension_loaded", ["mbstring", "opcache", "openssl", "json", "pdo", "sockets", "Zend OPcache"]);
echo "hello ", $_GET["who"], ", ", getenv("GREETING"), ", ", json_encode(posix_getuid()), ", ", hash("crc32b", "x"), PHP_EOL;
"#;

#[test]
fn web_servers_and_proxies_do_their_work() {
    let Some(engine) = Engine::find("web") else { return };
    let python = engine.pull("python");
    let nginx = engine.pull("nginx");
    serve(&engine, &nginx, &python, "nginx, reminted");
    serve(&engine, &engine.pull("apache"), &python, "Apache serves this page");
    forward(&engine, &nginx, &python);
    answer(&engine, &python);
}

fn fetch(engine: &Engine, server: &Service<'_>, python: &str, address: &str) -> String {
    engine.run(&server.network(), &[python, "-c", FETCH, address])
}

/// A page is served, from within the server's own network, by processes of which none is root, and told of on the container's own stream.
fn serve(engine: &Engine, image: &str, python: &str, expected: &str) {
    let server = engine.start("none", &[image]);
    let page = fetch(engine, &server, python, "http://127.0.0.1:8080/");
    assert!(page.contains("<!doctype html>") && page.contains(expected), "{page}\n{}", server.said());
    assert!(server.said().contains("\"GET / HTTP/1.1\" 200"), "{}", server.said());
    server.runs_as(33);
    server.stop(0);
}

/// The proxy answers with the configuration that it has, and forwards to a backend with one that is put in its place.
fn forward(engine: &Engine, nginx: &str, python: &str) {
    let haproxy = engine.pull("haproxy");
    let alone = engine.start("none", &[&haproxy]);
    assert_eq!(fetch(engine, &alone, python, "http://127.0.0.1:8080/healthz"), "ok\n");
    alone.runs_as(99);
    alone.stop(0);

    let text = "defaults\n    mode http\n    timeout connect 5s\n    timeout client 5s\n    timeout server 5s\n\
                listen web\n    bind :8000\n    server nginx 127.0.0.1:8080\n";
    let config = engine.dir().join("haproxy.cfg");
    std::fs::write(&config, text).unwrap();
    let mount = format!("{}:/etc/haproxy/haproxy.cfg:ro", config.display());
    let server = engine.start("none", &[nginx]);
    let proxy = engine.start(&server.network(), &["--volume", &mount, &haproxy]);
    let page = fetch(engine, &server, python, "http://127.0.0.1:8000/");
    assert!(page.contains("nginx, reminted"), "{page}\n{}\n{}", proxy.said(), server.said());
}

/// A script is run, with the container's environment.
fn answer(engine: &Engine, python: &str) {
    let php = engine.pull("php");
    let app = engine.directory("app", 0);
    std::fs::write(app.join("index.php"), SCRIPT).unwrap();
    let mount = format!("{}:/var/www/html:ro", app.display());
    let server = engine.start("none", &["--volume", &mount, "--env", "GREETING=it works", &php]);
    let page = engine.run(&server.network(), &[python, "-c", FASTCGI, "/var/www/html/index.php"]);
    let (head, body) = page.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{page}\n{}", server.said()));
    assert!(head.contains("Content-type: text/plain"), "{head}");
    assert_eq!(body, "hello world, it works, 33, 8cdc1683\n\n");
    assert!(server.said().contains("from the script"), "{}", server.said());
    server.runs_as(33);
    server.stop(0);
}
