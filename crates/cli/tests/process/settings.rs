//! `portcullis settings`: the schema tells the truth about the loader, and no secret is shown.

use serde_json::Value;

use crate::deployment::binary;

const ROOT_KEY: &str = "LSVqpFcXbPCHVo0t7fd4wPS6pXBQdhJXLrT1tJxsY1w=";
const URL: &str = "postgres://portcullis:hush@db.internal/portcullis";
const SMTP_PASS: &str = "hush-says-the-mail-server";

/// Every key of the schema with a value that is not its default.
fn examples() -> Vec<(String, Value)> {
    let output = binary().args(["settings", "schema"]).output().unwrap();
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut keys = Vec::new();
    for (section, schema) in schema["properties"].as_object().unwrap() {
        for (key, schema) in schema["properties"].as_object().unwrap() {
            let value = match key.as_str() {
                "root_key" => ROOT_KEY.into(),
                "url" => URL.into(),
                "smtp_pass" => SMTP_PASS.into(),
                _ => schema["examples"][0].clone(),
            };
            assert_ne!(value, schema["default"], "{section}.{key}");
            keys.push((format!("{section}.{key}"), value));
        }
    }
    assert!(keys.len() >= 16, "{keys:?}");
    keys
}

fn show(command: &mut std::process::Command) -> String {
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problem}");
    for secret in [ROOT_KEY, "hush"] {
        assert!(!told.contains(secret), "{told}");
    }
    told
}

#[track_caller]
fn in_force(shown: &str, key: &str, value: &Value, origin: &str) {
    let shown: Value = serde_json::from_str(shown).unwrap();
    let expected = match key {
        "server.root_key" | "database.url" | "mail.smtp_pass" => "(set)".into(),
        _ => value.clone(),
    };
    assert_eq!(shown[key]["value"], expected, "{key}");
    assert_eq!(shown[key]["origin"], origin, "{key}");
}

#[test]
fn every_key_can_be_set_in_the_environment() {
    let keys = examples();
    let mut command = binary();
    command.args(["settings", "show", "--json"]);
    for (key, value) in &keys {
        let name = format!("PORTCULLIS_{}", key.replace('.', "__").to_uppercase());
        let value = value.as_str().map_or(value.to_string(), str::to_owned);
        command.env(name, value);
    }
    let shown = show(&mut command);
    for (key, value) in &keys {
        in_force(&shown, key, value, "environment");
    }
}

#[test]
fn every_key_can_be_set_in_the_file_and_what_is_shown_can_be_one() {
    let keys = examples();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("portcullis.toml");
    let lines = keys.iter().map(|(key, value)| format!("{key} = {value}\n"));
    std::fs::write(&file, lines.collect::<String>()).unwrap();
    let with = |arguments: &[&str]| {
        let mut command = binary();
        command.args(["settings", "show"]).args(arguments);
        command.arg("--config").arg(&file);
        show(&mut command)
    };
    let shown = with(&["--json"]);
    for (key, value) in &keys {
        in_force(&shown, key, value, "file");
    }
    // The text is a settings file; only the secrets have to be added.
    let text = with(&[]);
    std::fs::write(
        &file,
        format!("{text}\nserver.root_key = \"{ROOT_KEY}\"\ndatabase.url = \"{URL}\"\nmail.smtp_pass = \"{SMTP_PASS}\"\n"),
    )
    .unwrap();
    assert_eq!(with(&["--json"]), shown);
}

#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("portcullis.toml");
    std::fs::write(
        &file,
        "[server]\ndata_dir = \"a\"\npublic_url = \"https://a/\"\ndefault_tenant = \"a\"",
    )
    .unwrap();
    let text = show(
        binary()
            .args(["settings", "show", "--data-dir", "c"])
            .args(["--listen", "127.0.0.1:1"])
            .arg("--config")
            .arg(&file)
            .env("PORTCULLIS_SERVER__DATA_DIR", "b")
            .env("PORTCULLIS_SERVER__PUBLIC_URL", "https://b/"),
    );
    let line = |start: &str| {
        let line = text.lines().find(|line| line.starts_with(start)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        line("server.data_dir"),
        "server.data_dir = \"c\" # flag --data-dir"
    );
    assert_eq!(
        line("server.public_url"),
        "server.public_url = \"https://b/\" # environment PORTCULLIS_SERVER__PUBLIC_URL"
    );
    assert_eq!(
        line("server.default_tenant"),
        format!("server.default_tenant = \"a\" # file {}", file.display())
    );
    assert_eq!(
        line("server.listen"),
        "server.listen = [\"127.0.0.1:1\"] # flag --listen"
    );
    assert_eq!(line("hashing.queue"), "hashing.queue = 1024 # default");
    assert_eq!(
        line("# server.root_key "),
        "# server.root_key (not set) # default"
    );
}
