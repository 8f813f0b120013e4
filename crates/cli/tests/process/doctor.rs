//! `portcullis doctor` on whole deployments. What each check says is told beside the checks.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::SystemTime;

use serde_json::Value;

use crate::deployment::{Deployment, Engine};

const PAGE: &str = include_str!("../../../../docs/operate/doctor.md");
/// What depends on the machine that runs the test; judged in the checks' own tests.
const MACHINE: [&str; 4] = ["data_dir", "disk", "open_files", "memory"];

fn doctor(deployment: &Deployment, flags: &[&str]) -> Command {
    let mut command = deployment.command(&["doctor"]);
    command.args(flags);
    // The others are cheap, so that tests are fast.
    command.env_remove("PORTCULLIS_ARGON2__MEMORY_KIB");
    command.env_remove("PORTCULLIS_ARGON2__PASSES");
    command
}

/// Each check with its level, in order.
fn levels(output: &Output) -> Vec<(String, String)> {
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |check: &Value, member: &str| check[member].as_str().unwrap().to_owned();
    let checks = told["checks"].as_array().unwrap().iter();
    let levels: Vec<_> = checks
        .map(|check| (text(check, "check"), text(check, "level")))
        .collect();
    let fails = levels.iter().any(|(_, level)| level == "fail");
    assert_eq!(told["healthy"], !fails);
    assert_eq!(output.status.code(), Some(i32::from(fails)));
    levels
}

/// Every file with its content's time.
fn files(directory: &Path) -> BTreeMap<String, SystemTime> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let shown = path.display().to_string();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !shown.ends_with("-shm") && !shown.ends_with("-wal") {
            // Readers make these two where no server runs.
            found.insert(shown, path.metadata().unwrap().modified().unwrap());
        }
    }
    found
}

#[test]
fn a_healthy_deployment_is_ok_everywhere_and_left_as_it_was() {
    let deployment = Deployment::new(Engine::Sqlite);
    let directory = deployment.directory.path();
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).unwrap();
    let before = files(directory);
    for running in [false, true] {
        let _node = running.then(|| deployment.start());
        let output = doctor(&deployment, &["--tls-dev", "--json"]).output();
        for (check, level) in levels(&output.unwrap()) {
            let expected = match &*check {
                "pooler" | "clock" => &["skip"][..],
                machine if MACHINE.contains(&machine) => &["ok", "warn"],
                _ => &["ok"],
            };
            assert!(expected.contains(&&*level), "{check}: {level}");
        }
        if !running {
            assert_eq!(files(directory), before);
        }
    }
}

#[test]
fn a_deployment_on_postgresql_is_ok_too_and_a_made_up_key_is_not() {
    let deployment = Deployment::new(Engine::Postgres);
    let output = doctor(&deployment, &["--tls-dev", "--json"]).output();
    let levels = levels(&output.unwrap());
    let failing: Vec<&str> = levels
        .iter()
        .filter(|(_, level)| level == "fail")
        .map(|(check, _)| &**check)
        .collect();
    // The tests' key is 32 times the same byte.
    assert_eq!(failing, ["root_key"], "{levels:?}");
    let level = |name: &str| &levels.iter().find(|(check, _)| check == name).unwrap().1;
    for check in [
        "database",
        "schema",
        "durability",
        "pooler",
        "clock",
        "tenants",
    ] {
        assert_eq!(level(check), "ok", "{check}");
    }
}

#[test]
fn the_page_lists_every_check_in_order() {
    let deployment = Deployment::new(Engine::Sqlite);
    let output = doctor(&deployment, &["--json"]).output();
    let checks: Vec<String> = levels(&output.unwrap())
        .into_iter()
        .map(|(check, _)| check)
        .collect();
    let listed: Vec<&str> = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert_eq!(listed, checks);
}

#[test]
fn before_the_first_start_nothing_is_made_and_nothing_fails() {
    let mut deployment = Deployment::new(Engine::Sqlite);
    deployment.directory = tempfile::tempdir().unwrap();
    let output = doctor(&deployment, &["--tls-dev", "--json"]).output();
    let levels = levels(&output.unwrap());
    assert!(
        levels.iter().all(|(_, level)| level != "fail"),
        "{levels:?}"
    );
    assert_eq!(files(deployment.directory.path()), BTreeMap::new());
}

#[test]
fn what_fails_is_told_in_one_line_with_the_remedy() {
    let deployment = Deployment::new(Engine::Sqlite);
    let key = deployment.directory.path().join("secrets/root.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let output = doctor(&deployment, &["--tls-dev"])
        .env("PORTCULLIS_METRICS__LISTEN", "0.0.0.0:9464")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    let line = |start: &str| {
        let line = told.lines().find(|line| line.starts_with(start));
        line.unwrap_or_else(|| panic!("no `{start}` in: {told}"))
    };
    let line_of_key = line("FAIL  root_key");
    assert!(line_of_key.contains("mode 0644"), "{line_of_key}");
    assert!(line_of_key.contains("chmod 600"), "{line_of_key}");
    assert!(line("warn  metrics").contains("0.0.0.0:9464"));
    let last = String::from_utf8(output.stderr).unwrap();
    assert_eq!(last.trim(), "portcullis: one check fails");
}

#[test]
fn settings_that_cannot_be_read_are_the_one_finding() {
    let deployment = Deployment::new(Engine::Sqlite);
    let output = doctor(&deployment, &["--tls-dev"])
        .env("PORTCULLIS_SERVER__TRUSTED_PROXIES", "[0.0.0.0/0]")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(told.starts_with("FAIL  settings"), "{told}");
    assert!(told.contains("/0"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[cfg(target_os = "linux")]
#[test]
fn data_in_memory_is_warned_of() {
    let mut deployment = Deployment::new(Engine::Sqlite);
    deployment.directory = tempfile::tempdir_in("/dev/shm").unwrap();
    let output = doctor(&deployment, &["--tls-dev"]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("tmpfs, which is memory"), "{told}");
}
