//! The databases: a first start that makes what an image must not hold, an answer, and a second start that finds it again.

use super::engine::{Engine, Service, until};
use std::path::Path;

#[test]
fn redis_keeps_what_it_is_told() {
    let Some(engine) = Engine::find("redis") else { return };
    let redis = engine.pull("redis");
    let data = engine.directory("data", 999);
    let mount = format!("{}:/data", data.display());
    let start = || engine.start("none", &["--volume", &mount, &redis, "--appendonly", "yes"]);
    let cli = |server: &Service<'_>, words: &[&str]| {
        let all = [&["--entrypoint", "/usr/bin/redis-cli", redis.as_str()], words].concat();
        engine.run(&server.network(), &all)
    };
    let server = start();
    assert_eq!(server.wait(&["redis-cli", "-e", "ping"]), "PONG\n");
    assert_eq!(cli(&server, &["set", "key", "value"]), "OK\n");
    server.runs_as(999);
    server.stop(0);
    let server = start();
    server.wait(&["redis-cli", "-e", "ping"]);
    assert_eq!(cli(&server, &["get", "key"]), "value\n");
    server.stop(0);
}

/// What a database's image is asked in this test.
struct Database {
    image: &'static str,
    /// Where its volume goes.
    volume: &'static str,
    /// The prefix of its variables.
    prefix: &'static str,
    /// What the first start is told: a user and a database with names that must be quoted.
    told: [&'static str; 3],
    /// A client's words before the statement, without a password: over TCP.
    client: &'static [&'static str],
    /// The variable that clients take the password from.
    password: &'static str,
    /// What clients say of a wrong password.
    denied: &'static str,
}

/// A password with what shells and SQL give a meaning to.
const PASSWORD: &str = r#"it's "$HOME" \ `x`"#;

#[test]
fn postgres_makes_its_cluster_and_keeps_it() {
    judge(&Database {
        image: "postgres",
        volume: "/var/lib/postgresql",
        prefix: "POSTGRES",
        // initdb itself does not quote the name of a user that has quotes in it.
        told: ["POSTGRES_USER=the-app", "POSTGRES_DB=the 'data' \"x\"", "POSTGRES_PASSWORD_FILE=/password"],
        client: &["psql", "-h", "127.0.0.1", "-U", "the-app", "-d", "the 'data' \"x\"", "-Atc"],
        password: "PGPASSWORD",
        denied: "password authentication failed",
    });
}

#[test]
fn mariadb_makes_its_tables_and_keeps_them() {
    judge(&Database {
        image: "mariadb",
        volume: "/var/lib/mysql",
        prefix: "MARIADB_ROOT",
        told: ["MARIADB_USER=the 'app'", "MARIADB_DATABASE=the `data`", "MARIADB_PASSWORD_FILE=/password"],
        client: &["mariadb", "-h", "127.0.0.1", "-u", "the 'app'", "-D", "the `data`", "-Nse"],
        password: "MYSQL_PWD",
        denied: "Access denied",
    });
}

fn judge(database: &Database) {
    let Some(engine) = Engine::find(database.image) else { return };
    let image = engine.pull(database.image);
    let said = engine.refused("none", &[&image]);
    assert!(said.contains(&format!("set {}_PASSWORD or", database.prefix)), "{said}");

    let volume = engine.directory("volume", 999);
    let mount = format!("{}:{}", volume.display(), database.volume);
    let password = engine.dir().join("password");
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let secret = format!("{}:/password:ro", password.display());
    let file = format!("{}_PASSWORD_FILE=/password", database.prefix);
    let mut first = vec!["--volume", &mount, "--volume", &secret, "--env", &file];
    first.extend(database.told.iter().flat_map(|told| ["--env", *told]));
    first.push(&image);

    // A first start that is killed while it makes the data leaves nothing that the next takes for whole.
    let server = engine.start("none", &first);
    until("the first start is at work", || has_files(&volume.join("data.new")));
    server.kill();
    assert!(!volume.join("data").exists() && volume.join("data.new").exists());

    let server = engine.start("none", &first);
    let ask = |server: &Service<'_>, statement: &str| {
        let password = format!("{}={PASSWORD}", database.password);
        let all = [&["env", &password], database.client, &[statement]].concat();
        server.wait(&all)
    };
    assert_eq!(ask(&server, "select 1"), "1\n");
    assert!(!volume.join("data.new").exists());
    ask(&server, "create table kept (x integer)");
    ask(&server, "insert into kept values (42)");
    server.runs_as(999);
    // Who has not the password stays out, over TCP, which is how others come.
    let client = [database.client, &["select 1"]].concat();
    let wrong = format!("{}=wrong", database.password);
    let mut all = vec!["--env", &wrong, "--entrypoint", client[0], &image];
    all.extend(&client[1..]);
    let output = engine.refused(&server.network(), &all);
    assert!(output.contains(database.denied), "{output}");
    server.stop(0);

    // The second start needs no password: what is there is kept.
    let server = engine.start("none", &["--volume", &mount, &image]);
    assert_eq!(ask(&server, "select x from kept"), "42\n");
    server.stop(0);
}

fn has_files(dir: &Path) -> bool {
    std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some())
}
