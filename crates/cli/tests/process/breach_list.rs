//! `portcullis breach-list`: from a download to a list that answers, and what a bad download is told.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::deployment::binary;

/// SHA-1 and NTLM of `password`, cut into range and rest.
const SHA1: (&str, &str) = ("5BAA6", "1E4C9B93F3F0682250B6CF8331B7EE68FD8");
const NTLM: (&str, &str) = ("8846F", "7EAEE8FB117AD06BDD830B7586C");

struct Operator {
    directory: TempDir,
}

impl Operator {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    fn build(&self, from: &Path, kind: &str, more: &[&str]) -> Output {
        let mut command = breach_list("build");
        command.arg("--from").arg(from).args(["--kind", kind]);
        command.arg("--out").arg(self.path("list")).args(more);
        command.output().unwrap()
    }

    fn show(&self) -> Output {
        breach_list("show").arg(self.path("list")).output().unwrap()
    }

    fn check(&self, password: &str) -> Output {
        let mut process = breach_list("check")
            .arg(self.path("list"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        process
            .stdin
            .take()
            .unwrap()
            .write_all(password.as_bytes())
            .unwrap();
        process.wait_with_output().unwrap()
    }
}

fn breach_list(name: &str) -> Command {
    let mut command = binary();
    command.args(["breach-list", name]);
    command
}

#[track_caller]
fn told(output: &Output) -> String {
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problem}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn refused(output: &Output, words: &[&str]) {
    let problem = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{problem}");
    assert_eq!(problem.lines().count(), 1, "{problem}");
    for word in words {
        assert!(problem.contains(word), "{word:?} in {problem}");
    }
}

#[test]
fn a_download_of_either_kind_becomes_a_list_that_is_shown_and_asked() {
    for (kind, name, (range, rest)) in [("sha1", "SHA-1", SHA1), ("ntlm", "NTLM", NTLM)] {
        let operator = Operator::new();
        let ranges = operator.path("ranges");
        fs::create_dir(&ranges).unwrap();
        let rare = rest.replace(['1', '7'], "9");
        let lines = format!("{rest}:52372426\r\n{rare}:3\r\n");
        fs::write(ranges.join(format!("{range}.txt")), lines).unwrap();

        let built = told(&operator.build(&ranges, kind, &["--partial", "--min-count", "10"]));
        assert!(built.contains(&format!("1 {name} hashes")), "{built}");
        assert!(built.contains("Left out: 1 hashes seen fewer than 10 times"));
        assert!(built.contains("a part of the corpus: 1 of 1048576 ranges"));

        let shown = told(&operator.show());
        for line in [
            &format!("hashes     1 {name}"),
            "seen       10 times or more",
            "ranges     1 of 1048576",
            "0 days ago",
            "checksum   right",
        ] {
            assert!(shown.contains(line), "{line:?} in {shown}");
        }

        for typed in ["password", "password\n", "password\r\n"] {
            assert_eq!(
                told(&operator.check(typed)),
                "found in the list\nfound among the built-in common passwords\n"
            );
        }
        assert_eq!(
            told(&operator.check("AUTH0-TEST-x\n")),
            "not found in the list\na test password: always breached\n"
        );
        assert_eq!(
            told(&operator.check("correct horse battery staple")),
            "not found in the list\n"
        );
    }
}

#[test]
fn a_bad_download_makes_nothing_and_is_told_in_one_line() {
    let operator = Operator::new();
    let line = |(range, rest): (&str, &str)| format!("{range}{rest}:1\n");
    let twice = operator.write("twice", &line(SHA1).repeat(2));
    let empty = operator.write("empty", "");
    let part = operator.write("part", &line(SHA1));
    let ntlm = operator.write("ntlm", &line(NTLM));
    for (from, words) in [
        (&twice, &["twice, line 2: ", "LC_ALL=C sort"][..]),
        (&empty, &["empty: ", "download it again"]),
        (&part, &["part, line 1: ", "00000 to 5BAA5", "--partial"]),
        (&ntlm, &["ntlm, line 1: ", "--kind ntlm"]),
        (&operator.path("nowhere"), &["nowhere cannot be read"]),
    ] {
        let partial: &[&str] = if from == &part { &[] } else { &["--partial"] };
        refused(&operator.build(from, "sha1", partial), words);
        assert!(!operator.path("list").exists());
    }
    refused(&operator.show(), &["list cannot be read"]);
}

#[test]
fn an_existing_file_is_replaced_only_by_force() {
    let operator = Operator::new();
    let list = operator.write("list", "mine");
    let corpus = operator.write("corpus", &format!("{}{}:1\n", SHA1.0, SHA1.1));
    refused(
        &operator.build(&corpus, "sha1", &["--partial"]),
        &["list exists and is left as it is", "--force"],
    );
    assert_eq!(fs::read(list).unwrap(), b"mine");
    refused(&operator.show(), &["is no breach list"]);
    told(&operator.build(&corpus, "sha1", &["--partial", "--force"]));
    told(&operator.show());
}

#[test]
fn a_password_that_is_none_is_refused() {
    let operator = Operator::new();
    let corpus = operator.write("corpus", &format!("{}{}:1\n", SHA1.0, SHA1.1));
    told(&operator.build(&corpus, "sha1", &["--partial"]));
    refused(&operator.check("\n"), &["at least one character"]);
    let long = "x".repeat(1_500);
    refused(&operator.check(&long), &["at most 1024 bytes"]);
}
